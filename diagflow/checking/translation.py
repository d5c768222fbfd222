"""A problem in the words of the independent oracle, with numbers for its sizes and amplitudes.

Definition. The oracle is told the einsum terms of model and target, an integer for every index,
and which tensors move. What it costs grows with the number of monomials of its polynomials; the
*reach* is the largest s for which there are few.

>>> from expansion.models import cp
>>> told = Translation(cp(order=2, symmetric=True), {"p": Fraction(2), "H": Fraction(1)})
>>> told.reach("train", monomials=1000)
4
>>> oracle.format_moments(told.coefficients("train", 1)[1])
'-8*sigma2 + 64*sigma2^2 - 192*sigma2^3'

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import comb, prod
from string import ascii_letters
from typing import Any

from diagflow import oracle, oracle_dynamics, oracle_laws
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.variances import Variance
from expansion.formulas import Term
from expansion.losses import Observable, QuadraticLoss
from expansion.polynomial import Polynomial
from expansion.problem import Problem

__all__ = ["Translation", "at_numbers"]

_FURTHEST = 6


@dataclass(frozen=True, slots=True)
class Translation:
    """A problem for the oracle.

    Parameters
    ----------
    problem : Problem
    values : mapping
        A number for every size, a positive integer, and for every amplitude.

    Raises
    ------
    InvalidInputError
        If the losses are averages over inputs: the oracle knows sums only.
    """

    problem: Problem
    values: Mapping[str, Fraction]

    def __post_init__(self) -> None:
        if any(loss.averaged_over for loss in self._losses.values()):
            raise InvalidInputError(
                f"loss of {self.problem.family}: is an average over inputs, and the oracle knows "
                "sums only; check a problem with finite data"
            )

    @property
    def _losses(self) -> dict[str, QuadraticLoss]:
        driving = {self.problem.loss_name: self.problem.driving}
        return driving | {loss.name: loss for loss in self.problem.observed}

    def reach(self, name: str, *, monomials: int) -> int:
        """The largest s that takes roughly so many products of monomials; -1 if there is none."""
        losses = (self.problem.driving, self._losses[name])
        entries = sum(
            prod(self._size(axis) for axis in tensor.axes)
            for tensor in losses[0].tensors | losses[1].tensors
            if tensor.is_random
        )
        networks = [n for loss in losses for n in (*loss.model, *loss.target)]
        degree = 2 * max(sum(t.is_random for t, _ in network.factors) for network in networks)
        outputs = max(prod(self._size(axis) for axis in loss.output_axes) for loss in losses)
        single = comb(entries + degree, entries)
        if outputs * single > monomials:
            return -1
        reached = 0
        for s in range(1, _FURTHEST + 1):
            if comb(entries + degree + (s - 1) * (degree - 2), entries) * single > monomials:
                break
            reached = s
        return reached

    def coefficients(self, name: str, last: int) -> list[oracle.Moments]:
        """Y_0 ... Y_last of a loss from the oracle, polynomials in the variances."""
        words = _Words(self)
        tensors: Collection[Tensor] = self.problem.driving.tensors | self._losses[name].tensors
        if not self.problem.drive.is_plain:
            potential = tuple(self._potential(words))
            tensors = self.problem.tensors
        variances = {t.name: self._value(t.variance) for t in tensors if t.is_random and t.variance}
        told: dict[str, Any] = {
            "frozen": {t.name for t in tensors if t.is_random and not t.is_learnable},
            "structural": {t.name: self._entries(t) for t in tensors if not t.is_random},
            "symmetric": {t.name for t in tensors if t.symmetric},
            "laws": {
                t.name: self._law(t) for t in tensors if t.is_random and not t.entries.is_wick
            },
        }
        driving, observed = (
            words.loss(loss) for loss in (self.problem.driving, self._losses[name])
        )
        if self.problem.drive.is_plain:
            return oracle.loss_derivatives(
                driving.model,
                driving.target,
                words.sizes,
                last,
                variances,
                prefactor=driving.prefactor,
                observable=observed,
                **told,
            )
        dynamics = self._dynamics(potential)
        used = {t for _, q in potential for t in _names(q)} | {*_names(observed)}
        told = {key: _only(value, used) for key, value in told.items()}
        return oracle_dynamics.moved_moments(
            observed, dynamics, words.sizes, last, _only(variances, used), **told
        )

    def _dynamics(
        self, potential: tuple[tuple[Fraction, oracle_dynamics.Quantity], ...]
    ) -> oracle_dynamics.Dynamics:
        drive = self.problem.drive
        return oracle_dynamics.Dynamics(
            potential=potential,
            rates={name: self._number(rate) for name, rate in drive.rates},
            temperature=self._number(drive.temperature or None),
            implicit=self._number(drive.implicit or None),
            friction=self._number(drive.momentum) if drive.momentum else None,
            step=self._number(drive.step) if drive.step else None,
        )

    def _number(self, text: str | None) -> Fraction:
        """A rate, a temperature or a step at these values; zero if there is none."""
        if text is None:
            return Fraction(0)
        factor = Variance.parse(text)
        return prod(
            (self.values[n] ** power for n, power in factor.powers), start=factor.coefficient
        )

    def _potential(self, words: _Words) -> Iterator[tuple[Fraction, oracle_dynamics.Quantity]]:
        problem = self.problem
        for term in problem.drive.terms(problem.quantities) or (Term(name=problem.loss_name),):
            c = prod((self.values[symbol] for symbol in term.symbols), start=term.coefficient)
            if term.name in self._losses:
                yield c, words.loss(self._losses[term.name])
            elif term.name == "weight-norm":
                yield c, "weight-norm"
            elif term.name == "model-norm":
                yield 2 * c, words.loss(replace(problem.driving, target=()))
            elif term.name == "alignment":  # <f, F> = |f|^2/2 + |F|^2/2 - |f - F|^2/2
                yield -c, words.loss(problem.driving)
                yield c, words.loss(replace(problem.driving, target=()))
                yield c, words.loss(replace(problem.driving, model=()))
            else:
                named = {observable.name: observable for observable in problem.observables}
                if term.name not in named:
                    raise InvalidInputError(
                        f"flow of {problem.family}: {term.name} is made of derivatives, which the "
                        "oracle does not know; check a flow without it"
                    )
                yield c, words.observable(named[term.name])

    def _size(self, axis: Axis) -> int:
        return axis.pinned or int(self.values[axis.name])

    def _law(self, tensor: Tensor) -> oracle_laws.EntryLaw:
        """The moments of the entries."""
        if tensor.cumulants:
            return oracle_laws.of_cumulants({k: self._value(v) for k, v in tensor.cumulants})
        if tensor.probability:
            return oracle_laws.bernoulli(self._value(tensor.probability))
        laws = {
            "gaussian": oracle_laws.gaussian,
            "rademacher": oracle_laws.rademacher,
            "uniform": oracle_laws.uniform,
        }
        law = laws[tensor.law](self._value(tensor.variance))
        return oracle_laws.shifted(law, self._value(tensor.mean)) if tensor.mean else law

    def _value(self, text: str) -> oracle.Variance:
        """The number in a product at these sizes, and the powers of its other symbols."""
        sign = -1 if text.startswith("-") else 1
        variance = Variance.parse(text.removeprefix("-"))
        number = prod(
            (self.values[name] ** power for name, power in variance.powers if name in self.values),
            start=sign * variance.coefficient,
        )
        return number, tuple(pair for pair in variance.powers if pair[0] not in self.values)

    def _entries(self, tensor: Tensor) -> Callable[..., int]:
        if tensor.kind is Kind.PIN:
            return lambda at: int(at == 0)
        if tensor.kind is Kind.POWER:
            return lambda *at: (at[0] + 1) ** tensor.exponent * (len({*at}) == 1)
        if tensor.kind is Kind.ISOMETRY:
            return lambda large, small: int(large == small)
        if tensor.kind is Kind.MODULAR:
            size = self._size(tensor.axes[0])
            return lambda *at: int(sum(at[:-1]) % size == at[-1])
        return lambda *at: int(len({*at}) == 1)


class _Words:
    """Losses as einsum terms, with a letter for every index."""

    def __init__(self, told: Translation) -> None:
        self.told = told
        self.letters: dict[tuple[str, Axis], str] = {}
        self.sizes: dict[str, int] = {}

    def loss(self, loss: QuadraticLoss) -> oracle.QuadraticLoss:
        values = self.told.values
        scale = prod((values[n] ** power for n, power in loss.normalisation), start=Fraction(1))
        return oracle.QuadraticLoss(
            tuple(self._term(network, loss.output_axes) for network in loss.model),
            tuple(self._term(network, loss.output_axes) for network in loss.target),
            scale / 2,
        )

    def observable(self, observable: Observable) -> oracle_dynamics.Einsum:
        values = self.told.values
        if observable.averaged_over:
            raise InvalidInputError(
                f"observable {observable.name}: is an average over inputs, and the oracle knows "
                "sums only; check a flow without it"
            )
        powers = observable.normalisation
        return oracle_dynamics.Einsum(
            tuple(self._term(network, ()) for network in observable.networks),
            prod((values[n] ** power for n, power in powers), start=Fraction(1)),
        )

    def _term(self, network: Network, output_axes: tuple[Axis, ...]) -> oracle.Term:
        axes = network.index_axes(output_axes)
        at = {index: self._letter(index, axis) for index, axis in axes.items()}
        factors = tuple((t.name, "".join(at[i] for i in slots)) for t, slots in network.factors)
        amplitudes = (self.told.values[axis.name] for axis in network.amplitudes)
        return oracle.Term(
            prod(amplitudes, start=network.coefficient),
            factors,
            "".join(at[index] for index in network.output),
        )

    def _letter(self, index: str, axis: Axis) -> str:
        if (index, axis) not in self.letters:
            if len(self.letters) == len(ascii_letters):
                raise InvalidInputError(
                    f"loss of {self.told.problem.family}: has more than {len(ascii_letters)} "
                    "indices, for which the oracle has no letters; check a problem with fewer"
                )
            letter = ascii_letters[len(self.letters)]
            self.letters[index, axis] = letter
            self.sizes[letter] = self.told._size(axis)
        return self.letters[index, axis]


def _names(quantity: oracle_dynamics.Quantity) -> frozenset[str]:
    """The tensors of a quantity."""
    if isinstance(quantity, str):
        return frozenset()
    terms = quantity.terms if isinstance(quantity, oracle_dynamics.Einsum) else quantity.residual
    return frozenset(name for term in terms for name, _ in term.factors)


def _only(value: Any, names: Collection[str]) -> Any:
    """The part of a set, or of a mapping, that belongs to some names."""
    if isinstance(value, Mapping):
        return {name: value[name] for name in value if name in names}
    return {name for name in value if name in names}


def at_numbers(polynomial: Polynomial, values: Mapping[str, Fraction]) -> oracle.Moments:
    """What is left of a polynomial when some symbols are numbers, in the layout of the oracle.

    Examples
    --------
    >>> at_numbers(Polynomial.parse("p*sigma2 - 3*p + p**2"), {"p": Fraction(3)})
    {(('sigma2', 1),): Fraction(3, 1)}
    """
    moments: oracle.Moments = {}
    for powers, coefficient in polynomial:
        rest = tuple(pair for pair in powers if pair[0] not in values)
        for name, power in powers:
            coefficient *= values.get(name, Fraction(1)) ** power
        moments[rest] = moments.get(rest, Fraction(0)) + coefficient
    return {rest: value for rest, value in moments.items() if value}
