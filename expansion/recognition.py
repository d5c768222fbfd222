r"""Which preset a problem is, whatever it and its parts are called.

Two problems have the same series, up to names, when their losses are the same sum of diagrams after
a renaming of axes, tensors and variances (`expansion.equal_losses`), with other numbers and symbols
in front, other rates and another variance of data as other units (`expansion.rescaling`).
A target c F is the target F with u = c^{1/ν} u' for a model of degree ν in its weights,

    L(u) = c² L'(u'),    σ² = c^{2/ν} σ'²,    t = c^{2/ν - 2} t'.

A modular sum of two indices is the identity. A change of sign of c is undone by a weight of which
the model is an odd function.

>>> found = recognised(cp(order=3, target="2*identity + zero"))
>>> found.preset.title, str(found.scale), found.units.degree
('cp order=3 symmetric=false target=identity', '2', 3)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from diagrams.tensors import Tensor
from diagrams.variances import Variance
from expansion.drive import Drive
from expansion.equal_losses import Side, compared
from expansion.losses import Quantity
from expansion.models import (
    MAXIMAL_DEGREE,
    MAXIMAL_ORDER,
    autoencoder,
    cp,
    deep_linear,
    tied_autoencoder,
    two_layer,
)
from expansion.polynomial import Polynomial, symbol_order
from expansion.problem import Problem
from expansion.rescaling import ONE, Rescaling, product, root
from expansion.targets import TARGETS
from expansion.vertex_sequences import VertexSequence

if TYPE_CHECKING:
    pass

__all__ = ["Recognised", "recognised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A problem as a preset under other names and in other units.

    Parameters
    ----------
    preset : Problem
    units : Rescaling
        What the symbols of the preset are in those of the problem.
    losses : tuple of (str, str)
        The names of the losses of the problem that are losses of the preset, with those.
    factors : tuple of Variance
        For each of them, how many times that of the preset it is.
    """

    preset: Problem
    units: Rescaling
    losses: tuple[tuple[str, str], ...]
    factors: tuple[Variance, ...]

    @property
    def symbols(self) -> tuple[tuple[str, str], ...]:
        """The symbols of the problem that are symbols of the preset, each with that one."""
        texts = ((str(value), name) for name, value in self.units.values)
        return tuple(sorted(pair for pair in texts if pair[0].isidentifier()))

    @property
    def is_itself(self) -> bool:
        """Whether no symbol and no unit differs."""
        same = all(str(value) == name for name, value in self.units.values)
        return same and not self.is_rescaled

    @property
    def is_rescaled(self) -> bool:
        """Whether there is more than other names."""
        units = self.units
        one = {units.loss, units.square, *self.factors} == {ONE}
        return not one or len(self.symbols) < len(units.values)

    @property
    def scale(self) -> Fraction:
        """c, if the target is c times that of the preset and nothing else differs, or 1."""
        units = self.units
        if product((units.loss, 1), (units.square, 1)) != ONE or units.loss.powers:
            return Fraction(1)
        c = root(units.loss)
        return Fraction(1) if c is None else c.coefficient

    @property
    def keeps_exponents(self) -> bool:
        """Whether its units are numbers, so that monomials only change the names of symbols."""
        units = self.units
        numbers = (units.loss, units.square, *self.factors)
        return not any(number.powers for number in numbers) and all(
            len(value.powers) == 1 and value.powers[0][1] == 1 for _, value in units.values
        )

    def __str__(self) -> str:
        """The preset in words, with what has another name or unit.

        Examples
        --------
        >>> print(recognised(cp(order=2, target="2*identity")))
        cp order=2 symmetric=false target=identity; the target is 2 times that of the preset
        >>> print(recognised(cp(order=2).driven_by(rates={"U1": "eta", "U2": "eta"})))
        cp order=2 symmetric=false target=identity, with eta*t for t
        """
        units = self.units
        target = product((units.loss, 1), (units.square, 1)) == ONE
        unit = ONE if target else root(units.square, units.degree)
        values = [
            (product((value, 1), (unit, 1)) if unit and name in units.weights else value, name)
            for name, value in units.values
        ]
        if unit and not target:
            values.append((product((units.loss, 1), (unit, 1), (Variance.parse("t"), 1)), "t"))
        named = sorted((str(value), name) for value, name in values)
        renamed = ", ".join(f"{mine} for {other}" for mine, other in named if mine != other)
        words = f"{self.preset.title}, with {renamed}" if renamed else self.preset.title
        if target:
            parts = [("target", units.loss)]
        else:
            parts = [("loss", product((units.loss, 2)))]
            parts += [] if unit else [("model", units.square)]
        for what, square in parts:
            factor = root(square)
            if factor is None:
                words += f"; the square of the {what} is {square} times that of the preset"
            elif factor != ONE:
                words += f"; the {what} is {factor} times that of the preset"
        return words

    def symbols_of(self, names: Sequence[str]) -> tuple[str, ...]:
        """The symbols of the preset for some of the problem; others keep their names."""
        known = dict(self.symbols)
        return tuple(known.get(name, name) for name in names)

    def preset_symbols(self, names: Sequence[str]) -> tuple[str, ...]:
        """The symbols of the preset for some of the problem, numbers in front left aside."""
        known = {value.symbols[0]: name for name, value in self.units.values if value.symbols}
        return tuple(known.get(name, name) for name in names)

    def factor(self, loss: str | None) -> Variance:
        """How many times that of the preset a loss of the problem is; None is the driving one."""
        names = [mine for mine, _ in self.losses]
        return self.factors[0 if loss is None else names.index(loss)]

    def to_preset(self, coefficient: Polynomial, s: int, loss: str | None = None) -> Polynomial:
        """Y_s of the problem as that of the preset, or a part of it."""
        return self.units.to_known(coefficient, s, factor=self.factor(loss))

    def from_preset(self, coefficient: Polynomial, s: int, loss: str | None = None) -> Polynomial:
        """Y_s of the preset as that of the problem, or a part of it."""
        return self.units.from_known(coefficient, s, factor=self.factor(loss))

    def sequences(
        self, sequences: Sequence[VertexSequence], symbols: Sequence[str], loss: str | None = None
    ) -> tuple[VertexSequence, ...] | None:
        """Vertex sequences of the problem in the symbols of the preset, None if they are none."""
        factor = self.factor(loss)
        found = [self.units.sequence(each, symbols, factor=factor) for each in sequences]
        known = tuple(sequence for sequence in found if sequence is not None)
        return known if len(known) == len(found) else None


@lru_cache(maxsize=64)
def recognised(problem: Problem) -> Recognised | None:
    """The preset that a problem is under other names and units, None if there is none.

    What drives the weights belongs to a problem, and so do the laws of its tensors: presets follow
    the gradient flow of their loss from Gaussian weights of mean zero, so that a problem with
    another flow or law is none of them, whatever its loss is; rates of its weights are units. Known
    are all presets with the targets of `expansion.targets.TARGETS`; a problem that is two of them
    is the first, a CP model.

    Parameters
    ----------
    problem : Problem

    Examples
    --------
    >>> recognised(deep_linear(2)).preset.title
    'cp order=2 symmetric=false target=identity'
    """
    if problem.drive != Drive(rates=problem.drive.rates):
        return None
    if any(tensor.is_random and not tensor.entries.is_wick for tensor in problem.tensors):
        return None
    for preset in _candidates(problem):
        found = _itself(preset) if preset == problem else _match(problem, preset)
        if found is not None:
            return found
    return None


def _candidates(problem: Problem) -> Iterator[Problem]:
    """The presets that have the degree, the number of weights and the inputs of a problem."""
    weights = {tensor for n in problem.model for tensor in n.tensors if tensor.is_learnable}
    degrees = {_degree(network.factors) for network in problem.model}
    if len(degrees) != 1:
        return
    (degree,) = degrees
    one = len(weights) == 1
    if not 2 <= degree <= MAXIMAL_ORDER or len(weights) not in {1, 2, degree}:
        return
    inputs = bool(problem.averaged_over)
    fixed = (t for n in problem.model for t in n.tensors if t.is_random and not t.is_learnable)
    data = next(fixed, None) is not None and not inputs
    for target in ("identity", *sorted({*TARGETS} - {"identity", "zero"})):
        target = target if len(problem.overlap) else "zero"
        if not inputs and not data and len(weights) in {1, degree}:
            yield cp(order=degree, symmetric=one, target=target)
        if data and degree == 2:
            yield (tied_autoencoder if one else autoencoder)(data=True, target=target)
        if not inputs and len(weights) == degree > 2:
            yield deep_linear(degree, data=data, target=target)
        if inputs and len(weights) == 2 and degree - 1 <= MAXIMAL_DEGREE:
            yield two_layer(degree - 1, target=target)
        if target == "zero":
            return


def _itself(preset: Problem) -> Recognised:
    symbols = (*preset.growing, *preset.variance_symbols, *preset.amplitude_symbols)
    return Recognised(
        preset=preset,
        units=_units(
            {name: Variance(powers=((name, 1),)) for name in symbols},
            preset,
            degree=_degree(preset.model[0].factors),
        ),
        losses=tuple((name, name) for name in preset.losses),
        factors=(ONE,) * len(preset.losses),
    )


def _units(
    values: Mapping[str, Variance],
    preset: Problem,
    *,
    degree: int,
    loss: Variance = ONE,
    square: Variance = ONE,
) -> Rescaling:
    return Rescaling(
        values=tuple(sorted(values.items(), key=lambda item: (symbol_order(item[0]), item[0]))),
        weights=preset.weight_variances,
        loss=loss,
        square=square,
        degree=degree,
    )


def _degree(factors: Sequence[tuple[Tensor, tuple[str, ...]]]) -> int:
    return sum(1 for tensor, _ in factors if tensor.is_learnable)


def _match(problem: Problem, preset: Problem) -> Recognised | None:
    extra = [(name, problem.quantity(name)) for name in problem.losses[1:]]
    known = [(name, preset.quantity(name)) for name in preset.losses[1:]]
    pairs = [([one], [other]) for one in extra for other in known]
    for mine, others in (*pairs, ([], [])):
        found = _renamed(problem, mine, preset, others)
        if found is not None:
            return found
    return None


def _renamed(
    problem: Problem,
    mine: Sequence[tuple[str, Quantity]],
    preset: Problem,
    others: Sequence[tuple[str, Quantity]],
) -> Recognised | None:
    """The problem as a preset, with some losses beside those that drive the flow."""
    degree = _degree(preset.model[0].factors)
    found = compared(
        Side.of(problem, *(q for _, q in mine)),
        Side.of(preset, *(q for _, q in others)),
        degree=degree,
    )
    if found is None or (found.sign == -1 and not _is_odd(preset, degree)):
        return None
    return Recognised(
        preset=preset,
        units=_units(
            found.values, preset, degree=degree, loss=found.losses[0], square=found.square
        ),
        losses=(
            (problem.loss_name, preset.loss_name),
            *((a, b) for (a, _), (b, _) in zip(mine, others, strict=True)),
        ),
        factors=found.losses,
    )


def _is_odd(preset: Problem, degree: int) -> bool:
    """Whether the model changes its sign with that of a weight."""
    return degree % 2 == 1 or any(
        _degree([f for f in preset.model[0].factors if f[0] == tensor]) % 2
        for tensor in preset.weights
    )
