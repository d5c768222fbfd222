r"""A problem with sums modulo p, written in the Fourier modes of its indices.

The target of modular addition is one where i + j = k modulo p and zero elsewhere. In the modes

    u_m  =  p^{-1/2} sum over i of exp(2 pi I m i/p) W_i

of an index, the sum of a product over these triples is diagonal, p^{1/2} sum over m of u_m v_m
conj(w_m). A mode and its opposite are conjugate to each other, u_m = (x_m + I y_m)/sqrt(2). The
q = p/2 pairs of them, without the one or two modes that are their own opposites, are an axis on
which W has two *parts*, x and y: real tensors, independent and with the law of W where that is
Gaussian. An index that two factors share is one of x and x or of y and y, for the modes are an
orthonormal basis; the k indices of a sum modulo p become a single one, with the factor

    q^{k/2 - 1} sum over the parts of Re(product of their units)

where the unit of x is 1, and of y it is I, or -I at the last index. So there is another problem,
the *twin*, without sums modulo p, whose loss is a sum of quadratic ones: one for each choice of
parts at the open indices. Both agree to leading order in 1/p; what a single mode contributes is
left out. Half powers of q are avoided by w = q^{-1/2} W for each slot on the axis, so variance and
rate of a tensor are those of W over q.

>>> from expansion.models import cp
>>> known = fourier_twin(cp(order=3, symmetric=True, target="modular-addition"))
>>> [(tensor.name, tensor.variance) for tensor in known.preset.weights]
[('U_x', 'sigma2/q'), ('U_y', 'sigma2/q')]
>>> print(known.preset.drive.flow)
part_xxx + 3*part_xxy + 2*part_xyy + part_yyx + part_yyy
>>> [str(value) for name, value in known.units.values if name == "q"]
['p/2']

Source: ours; the basis is that of the discrete Fourier transform.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from diagrams.arguments import instance
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.variances import UNIT_VARIANCE, Variance
from expansion.drive import Drive
from expansion.equivalent_maps import counterpart
from expansion.losses import QuadraticLoss
from expansion.problem import Problem
from expansion.recognition import Recognised
from expansion.regimes import Regimes
from expansion.rescaling import Rescaling

__all__ = ["InModes", "fourier_twin", "in_modes"]

_NAMES = ("q", "modes", "pairs_of_modes")
"""Names for the axis of pairs of modes; the first that is free is taken."""

_PARTS = "xy"

_MOST_INDICES = 8
"""A network has two to the number of its indices on the axis many products of parts."""


@dataclass(frozen=True, slots=True)
class InModes:
    """A regime of a problem, as one of its twin.

    Parameters
    ----------
    known : Recognised
        The twin, with the units in which its loss is that of the problem.
    regime_set : Regimes
        The regime in the map of the twin, under the name that it has in that of the problem.
    """

    known: Recognised
    regime_set: Regimes

    @property
    def step(self) -> str:
        """What a mode is, in LaTeX."""
        return (
            r"u_m = p^{-1/2}\sum_j e^{2\pi\mathrm{i}jm/p}\,W_j = (x_m + \mathrm{i}y_m)/\sqrt2,"
            r"\quad u_{-m} = \bar u_m,\quad q = p/2"
        ).replace("q =", f"{_latex(self._pairs)} =")

    @property
    def reason(self) -> str:
        """Why the twin is simpler."""
        return (
            "A sum modulo p is diagonal in the Fourier modes of its indices; their real and "
            f"imaginary parts are independent, on {self._pairs} pairs of modes. "
            "Below, W_x and W_y are the arrays of the parts x_m and y_m of a tensor W."
        )

    @property
    def _pairs(self) -> str:
        return self.known.units.values[0][0]


def in_modes(regime_set: Regimes, name: str) -> InModes | None:
    """A regime in the Fourier modes of the indices that a sum modulo p binds.

    Parameters
    ----------
    regime_set : Regimes
        The map of a problem.
    name : str
        A regime of it.

    Returns
    -------
    InModes or None
        None if the problem has no sums modulo p, or is not invariant under a change of the basis.

    Examples
    --------
    >>> from expansion.models import cp
    >>> from expansion.regimes import regimes
    >>> from expansion.dynamics.derivation import derive
    >>> found = regimes(cp(order=3, symmetric=True, target="modular-addition"))
    >>> derive(in_modes(found, "E-A").regime_set, "E-A").certificate.matched
    (0, 1, 2, 3, 4)
    """
    instance(regime_set, Regimes, "map", remedy="make one, as regimes(problem)")
    problem, regime = regime_set.exponents.problem, regime_set[name]
    known = None if problem is None else fourier_twin(problem)
    found = None if known is None else counterpart(regime_set, regime, known)
    if known is None or found is None:
        return None
    twins, twin = found
    named = replace(twin, name=regime.name, vertices=regime.vertices)
    return InModes(known, replace(twins, regimes=(named,)))


@lru_cache(maxsize=16)
def fourier_twin(problem: Problem) -> Recognised | None:
    """The problem in real Fourier modes, with the units in which its loss is the same.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    Recognised or None
        None if the problem has no sums modulo p, or has something that a change of the basis does
        not leave alone: indices that other than two factors share, other laws than Gaussian ones,
        other dynamics than a gradient flow of its loss.
    """
    axes = {
        tensor.axes[0]
        for network in (*problem.model, *problem.target)
        for tensor, _ in network.factors
        if tensor.kind is Kind.MODULAR
    }
    taken = {*problem.growing, *problem.variance_symbols, *problem.amplitude_symbols}
    name = next((name for name in _NAMES if name not in taken), None)
    if len(axes) != 1 or name is None:
        return None
    (axis,) = axes
    drive = problem.drive
    plain = drive == Drive(rates=drive.rates) and not problem.averaged_over
    if not plain or axis.pinned is not None or axis.name in dict(problem.normalisation):
        return None
    try:
        return _Modes(axis, Axis(name)).twin(problem)
    except _NotInvariantError:
        return None


class _NotInvariantError(Exception):
    """Something depends on the basis."""


@dataclass(frozen=True, slots=True)
class _Modes:
    """The axis of indices, and that of pairs of modes."""

    axis: Axis
    pairs: Axis

    def twin(self, problem: Problem) -> Recognised:
        """The twin of a problem."""
        losses = self._losses(problem)
        first, *others = losses
        flow = " + ".join(_times(number, loss.name) for loss, number in losses.items())
        preset = Problem(
            family=f"Fourier modes of {problem.family}",
            model=first.model,
            target=first.target,
            output_axes=first.output_axes,
            options=problem.options,
            loss_name=first.name,
            normalisation=first.normalisation,
            observed=tuple(others),
        ).driven_by(flow=flow, rates=self._rates(problem))
        symbols = {*preset.growing, *preset.variance_symbols, *preset.amplitude_symbols}
        half = Variance.parse(f"{self.axis.name}/2")
        same = [(n, Variance.parse(n)) for n in sorted(symbols - {self.pairs.name})]
        factor = Variance(powers=problem.normalisation)
        return Recognised(
            preset=preset,
            units=Rescaling(
                values=((self.pairs.name, half), *same),
                weights=preset.weight_variances,
                loss=factor,
            ),
            losses=((problem.loss_name, flow),),
            factors=(factor,),
        )

    def _losses(self, problem: Problem) -> dict[QuadraticLoss, int]:
        """One loss for each choice of parts at the open indices, equal ones counted."""
        on_axis = [axis == self.axis for axis in problem.output_axes]
        axes = tuple(
            self.pairs if on else axis
            for axis, on in zip(problem.output_axes, on_axis, strict=True)
        )
        model, target = (
            self._by_parts(networks, problem.output_axes)
            for networks in (problem.model, problem.target)
        )
        # The square of the root of q that all networks with an odd number of open indices have.
        normalisation = ((self.pairs.name, 1),) if sum(on_axis) % 2 else ()
        found: dict[object, QuadraticLoss] = {}
        numbers: Counter[object] = Counter()
        for parts in product(_PARTS, repeat=sum(on_axis)):
            loss = QuadraticLoss(
                name=f"part_{''.join(parts)}",
                model=model.get(parts, ()),
                target=target.get(parts, ()),
                output_axes=axes,
                normalisation=normalisation,
            )
            # The parts of modes that share a tensor may be interchanged.
            found.setdefault(loss.diagrams, loss)
            numbers[loss.diagrams] += 1
        return {loss: numbers[diagrams] for diagrams, loss in found.items()}

    def _rates(self, problem: Problem) -> dict[str, str]:
        """The rates of the parts."""
        rates = {}
        for tensor in problem.weights:
            rate = Variance.parse(dict(problem.drive.rates).get(tensor.name, UNIT_VARIANCE))
            slots = sum(axis == self.axis for axis in tensor.axes)
            for parts in product(_PARTS, repeat=slots):
                rates[_name(tensor, parts)] = str(self._over(rate, slots))
        return rates

    def _over(self, value: Variance, power: int) -> Variance:
        """A monomial over a power of the number of pairs."""
        return Variance.parse(f"{value}/{self.pairs.name}**{power}") if power else value

    def _by_parts(
        self, networks: Sequence[Network], axes: Sequence[Axis]
    ) -> dict[tuple[str, ...], tuple[Network, ...]]:
        """Networks in modes, by the parts of their open indices."""
        result: dict[tuple[str, ...], tuple[Network, ...]] = {}
        for network in networks:
            for parts, moved in self._moved(network, axes):
                result[parts] = (*result.get(parts, ()), moved)
        return result

    def _moved(
        self, network: Network, axes: Sequence[Axis]
    ) -> Iterator[tuple[tuple[str, ...], Network]]:
        """A network in modes: the parts of its open indices, and what it is for them."""
        indices = {n for n, axis in network.index_axes(axes).items() if axis == self.axis}
        sums = [at for tensor, at in network.factors if self._is_sum(tensor)]
        factors = [factor for factor in network.factors if not self._is_sum(factor[0])]
        self._require_invariance(network, indices, sums)
        slots = sum(index in indices for _, at in factors for index in at)
        open_indices = [index for index in network.output if index in indices]
        # Of the powers of the root of q one is that of the normalisation, see `_losses`.
        power = slots + sum(len(at) - 2 for at in sums) - len(open_indices) % 2
        one_for_all = {index: at[0] for at in sums for index in at}
        output = tuple(one_for_all.get(index, index) for index in network.output)
        for chosen in product(_PARTS, repeat=len(indices)):
            part = dict(zip(sorted(indices), chosen, strict=True))
            sign = 1
            for at in sums:
                sign *= _real([part[index] for index in at])
            if not sign:
                continue
            moved = replace(
                network,
                factors=tuple(
                    (
                        self._part(tensor, [part[index] for index in at if index in indices]),
                        tuple(one_for_all.get(index, index) for index in at),
                    )
                    for tensor, at in factors
                ),
                output=output,
                coefficient=network.coefficient * sign,
                amplitudes=(*network.amplitudes, *[self.pairs] * (power // 2)),
            )
            yield tuple(part[index] for index in open_indices), moved

    def _is_sum(self, tensor: Tensor) -> bool:
        return tensor.kind is Kind.MODULAR and tensor.axes[0] == self.axis

    def _require_invariance(
        self, network: Network, indices: set[str], sums: Sequence[tuple[str, ...]]
    ) -> None:
        """An error unless two share every index and a change of the basis keeps the laws."""
        shared = Counter(index for _, at in network.factors for index in at)
        shared.update(network.output)
        bound = [index for at in sums for index in at]
        tensors = [t for t, _ in network.factors if self.axis in t.axes and not self._is_sum(t)]
        if (
            self.axis in network.amplitudes
            or len(indices) > _MOST_INDICES
            or len({*bound}) < len(bound)
            or any(shared[index] != 2 for index in indices)
            or not all(t.is_random and t.entries.is_wick and not t.symmetric for t in tensors)
            or any(self.axis.name in dict(Variance.parse(t.variance).powers) for t in tensors)
        ):
            raise _NotInvariantError

    def _part(self, tensor: Tensor, parts: Sequence[str]) -> Tensor:
        """One of the real tensors that a tensor is in modes."""
        if not parts:
            return tensor
        return replace(
            tensor,
            name=_name(tensor, parts),
            axes=tuple(self.pairs if axis == self.axis else axis for axis in tensor.axes),
            variance=str(self._over(Variance.parse(tensor.variance), len(parts))),
        )


def _name(tensor: Tensor, parts: Sequence[str]) -> str:
    return f"{tensor.name}_{''.join(parts)}" if parts else tensor.name


def _real(parts: Sequence[str]) -> int:
    """The real part of the product of 1 for x and I for y, -I at the last place."""
    imaginary = parts.count("y")
    if imaginary % 2:
        return 0
    sign = -1 if imaginary % 4 else 1
    return -sign if parts[-1] == "y" else sign


def _times(number: int, name: str) -> str:
    return name if number == 1 else f"{number}*{name}"


def _latex(name: str) -> str:
    return name.replace("_", r"\_")
