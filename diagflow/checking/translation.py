"""A problem in the words of the independent oracle, with numbers for its sizes and amplitudes.

Definition. The oracle is given the einsum terms of model and target, an integer for every index,
and which tensors move. Its cost grows with the number of monomials of its polynomials; the
*reach* is the largest s for which there are few.

>>> from expansion.models import cp
>>> oracle_problem = OracleProblem(
...     cp(order=2, symmetric=True), {"p": Fraction(2), "H": Fraction(1)}
... )
>>> oracle_problem.reach("train", monomials=1000)
4
>>> oracle.format_moments(oracle_problem.coefficients("train", 1)[1])
'-8*sigma2 + 64*sigma2^2 - 192*sigma2^3'

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import comb, prod
from string import ascii_letters
from typing import Any

from diagflow import oracle, oracle_dynamics, oracle_laws
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.variances import Variance
from expansion.composed import Composed
from expansion.expressions import (
    KERNEL,
    MODEL,
    Entry,
    Expression,
    Named,
    Power,
    SlopeProduct,
    read_expression,
)
from expansion.formula_parser import FormulaTerm
from expansion.losses import Observable, QuadraticLoss
from expansion.polynomial import Polynomial
from expansion.problem import Problem

__all__ = ["OracleProblem", "at_numbers"]

_FURTHEST = 6


@dataclass(frozen=True, slots=True)
class OracleProblem:
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
        for tensor in self.problem.tensors:
            drawn = tensor.name in self.problem.drive.resample
            if drawn and not {*tensor.entries.symbols} <= {*self.values}:
                raise InvalidInputError(
                    f"tensor {tensor.name}: is drawn anew and has the law {tensor.entries}, and "
                    "the oracle knows numbers only; give numbers for its symbols"
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
        """Y_0 ... Y_last of a quantity from the oracle, polynomials in the variances."""
        words = _EinsumTerms(self)
        plain = self.problem.drive.is_plain and name in self._losses
        tensors: Collection[Tensor] = self.problem.tensors
        if plain:
            tensors = self.problem.driving.tensors | self._losses[name].tensors
        variances = {t.name: self._value(t.variance) for t in tensors if t.is_random and t.variance}
        averages: dict[str, Any] = {
            "frozen": {t.name for t in tensors if t.is_random and not t.is_learnable},
            "structural": {t.name: self._entries(t) for t in tensors if not t.is_random},
            "symmetric": {t.name for t in tensors if t.symmetric},
            "laws": {
                t.name: self._law(t) for t in tensors if t.is_random and not t.entries.is_wick
            },
        }
        if plain:
            driving, observed = (
                words.loss(loss) for loss in (self.problem.driving, self._losses[name])
            )
            return oracle.loss_derivatives(
                driving.model,
                driving.target,
                words.sizes,
                last,
                variances,
                prefactor=driving.prefactor,
                observable=observed,
                **averages,
            )
        potential = tuple(self._potential(words))
        followed = oracle_dynamics.Products(
            tuple((c, (quantity,)) for c, quantity in self._quantity(name, words))
        )
        dynamics = self._dynamics(potential)
        used = {t for _, q in potential for t in _names(q)} | {*_names(followed)}
        averages = {key: _only(value, used) for key, value in averages.items()}
        return oracle_dynamics.moved_moments(
            followed, dynamics, words.sizes, last, _only(variances, used), **averages
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
            redrawn=drive.resample,
        )

    def _number(self, text: str | None) -> Fraction:
        """A rate, a temperature or a step at these values; zero if there is none."""
        if text is None:
            return Fraction(0)
        factor = Variance.parse(text)
        return prod(
            (self.values[n] ** power for n, power in factor.powers), start=factor.coefficient
        )

    def _potential(
        self, words: _EinsumTerms
    ) -> Iterator[tuple[Fraction, oracle_dynamics.Quantity]]:
        problem = self.problem
        for term in problem.drive.terms(problem.quantities) or (
            FormulaTerm(name=problem.loss_name),
        ):
            c = prod((self.values[symbol] for symbol in term.symbols), start=term.coefficient)
            for more, quantity in self._quantity(term.name or "", words):
                yield c * more, quantity

    def _quantity(
        self, name: str, words: _EinsumTerms
    ) -> Iterator[tuple[Fraction, oracle_dynamics.Quantity]]:
        """A quantity by name, as a combination of others."""
        problem, one = self.problem, Fraction(1)
        named = {observable.name: observable for observable in problem.observables}
        found = named.get(name)
        if name in self._losses:
            yield one, words.loss(self._losses[name])
        elif isinstance(found, Observable):
            yield one, words.observable(found)
        elif isinstance(found, Composed):
            if found.averaged_over:
                raise _no_average("observable", name)
            scale = self._powers(found.normalisation)
            yield scale, self._expression(found, words)
        elif name == "weight-norm":
            yield one, "weight-norm"
        elif name == "model-norm":
            yield 2 * one, words.loss(replace(problem.driving, target=()))
        elif name == "alignment":  # <f, F> = |f|^2/2 + |F|^2/2 - |f - F|^2/2
            yield -one, words.loss(problem.driving)
            yield one, words.loss(replace(problem.driving, target=()))
            yield one, words.loss(replace(problem.driving, model=()))
        elif name == "ntk-trace":
            raise InvalidInputError(
                f"observable {name} of {problem.family}: is made of derivatives with indices, "
                "which the oracle does not know; check without it"
            )
        else:
            yield one, self._expression(Composed(name=name, formula=name), words)

    def _expression(self, composed: Composed, words: _EinsumTerms) -> oracle_dynamics.Products:
        names = self.problem.quantities
        expression = read_expression(composed.formula, names=names)
        return self._products(expression, composed, words)

    def _products(
        self, expression: Expression, composed: Composed, words: _EinsumTerms
    ) -> oracle_dynamics.Products:
        return oracle_dynamics.Products(
            tuple(
                (
                    term.coefficient,
                    (
                        *([self._einsum(term.entries, composed, words)] if term.entries else []),
                        *(
                            self._part(part, composed, words)
                            for part in term.parts
                            if not isinstance(part, Entry)
                        ),
                    ),
                )
                for term in expression
            )
        )

    def _part(
        self,
        part: Named | SlopeProduct | Power | Expression,
        composed: Composed,
        words: _EinsumTerms,
    ) -> oracle_dynamics.Quantity:
        if isinstance(part, Power):
            base = self._part(part.base, composed, words)
            return oracle_dynamics.Products(((Fraction(1), (base,) * part.exponent),))
        if isinstance(part, SlopeProduct):
            first, second = (
                self._products(side, composed, words) for side in (part.first, part.second)
            )
            return oracle_dynamics.Slopes(first, second)
        if not isinstance(part, Named):
            return self._products(part, composed, words)
        name, one = part.name, Fraction(1)
        if name not in self.problem.quantities:
            if name in self.values:
                return oracle_dynamics.Products(((self.values[name], ()),))
            if name == "loss":
                name = self.problem.loss_name
            elif name == MODEL:
                return self._einsum((Entry(MODEL, ()),), composed, words)
            elif name == KERNEL:
                model = self._einsum((Entry(MODEL, ()),), composed, words)
                return oracle_dynamics.Slopes(model, model)
        products = tuple((c * one, (quantity,)) for c, quantity in self._quantity(name, words))
        return oracle_dynamics.Products(products)

    def _einsum(
        self, entries: Sequence[Entry], composed: Composed, words: _EinsumTerms
    ) -> oracle_dynamics.Einsum:
        """Entries with common indices; the model among them is a sum of networks."""
        problem = self.problem
        tensors = {tensor.name: tensor for tensor in (*problem.tensors, *composed.tensors)}
        choices: list[tuple[Network, ...]] = []
        for entry in entries:
            if entry.name == MODEL:
                choices.append(problem.model)
            elif entry.name == KERNEL:
                raise InvalidInputError(
                    f"observable {composed.name}: has the kernel with indices, which the oracle "
                    "does not know; check without it"
                )
            else:
                c, axes = {n: (c, a) for n, c, a in composed.multipliers}.get(
                    entry.name, (Fraction(1), ())
                )
                at = tuple(f"slot{k}" for k in range(tensors[entry.name].rank))
                choices.append((Network(((tensors[entry.name], at),), at, c, axes),))
        terms = []
        for chosen in product(*choices):
            factors, c = [], Fraction(1)
            for place, (network, entry) in enumerate(zip(chosen, entries, strict=True)):
                if len({*network.output}) < len(network.output):
                    raise InvalidInputError(
                        f"observable {composed.name}: has a model with equal open indices, for "
                        "which the oracle has no words; check without it"
                    )
                shown = dict(zip(network.output, entry.indices, strict=True))
                for tensor, slots in network.factors:
                    names = (shown.get(i, f"{place} {i}") for i in slots)
                    letters = map(words.letter, names, tensor.axes)
                    factors.append((tensor.name, "".join(letters)))
                c *= network.coefficient
                c *= prod(
                    (self.values[axis.name] for axis in network.amplitudes), start=Fraction(1)
                )
            terms.append(oracle.Term(c, tuple(factors), ""))
        return oracle_dynamics.Einsum(tuple(terms))

    def _powers(self, powers: Iterable[tuple[str, int]]) -> Fraction:
        return prod((self.values[n] ** power for n, power in powers), start=Fraction(1))

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


class _EinsumTerms:
    """Losses as einsum terms, with a letter for every index."""

    def __init__(self, problem: OracleProblem) -> None:
        self.problem = problem
        self.letters: dict[tuple[str, Axis], str] = {}
        self.sizes: dict[str, int] = {}

    def loss(self, loss: QuadraticLoss) -> oracle.QuadraticLoss:
        values = self.problem.values
        scale = prod((values[n] ** power for n, power in loss.normalisation), start=Fraction(1))
        return oracle.QuadraticLoss(
            tuple(self._term(network, loss.output_axes) for network in loss.model),
            tuple(self._term(network, loss.output_axes) for network in loss.target),
            scale / 2,
        )

    def observable(self, observable: Observable) -> oracle_dynamics.Einsum:
        values = self.problem.values
        if observable.averaged_over:
            raise _no_average("observable", observable.name)
        powers = observable.normalisation
        return oracle_dynamics.Einsum(
            tuple(self._term(network, ()) for network in observable.networks),
            prod((values[n] ** power for n, power in powers), start=Fraction(1)),
        )

    def _term(self, network: Network, output_axes: tuple[Axis, ...]) -> oracle.Term:
        axes = network.index_axes(output_axes)
        at = {index: self.letter(index, axis) for index, axis in axes.items()}
        factors = tuple((t.name, "".join(at[i] for i in slots)) for t, slots in network.factors)
        amplitudes = (self.problem.values[axis.name] for axis in network.amplitudes)
        return oracle.Term(
            prod(amplitudes, start=network.coefficient),
            factors,
            "".join(at[index] for index in network.output),
        )

    def letter(self, index: str, axis: Axis) -> str:
        """The letter of an index."""
        if (index, axis) not in self.letters:
            if len(self.letters) == len(ascii_letters):
                raise InvalidInputError(
                    f"loss of {self.problem.problem.family}: has more than {len(ascii_letters)} "
                    "indices, for which the oracle has no letters; check a problem with fewer"
                )
            letter = ascii_letters[len(self.letters)]
            self.letters[index, axis] = letter
            self.sizes[letter] = self.problem._size(axis)
        return self.letters[index, axis]


def _no_average(what: str, name: str) -> InvalidInputError:
    return InvalidInputError(
        f"{what} {name}: is an average over inputs, and the oracle knows sums only; check without "
        "it"
    )


def _names(quantity: oracle_dynamics.Quantity) -> frozenset[str]:
    """The tensors of a quantity."""
    found = oracle_dynamics.leaves(quantity)
    terms = [
        t for q in found for t in (q.terms if isinstance(q, oracle_dynamics.Einsum) else q.residual)
    ]
    return frozenset(name for term in terms for name, _ in term.factors)


def _only(value: Any, names: Collection[str]) -> Any:
    """The part of a set, or of a mapping, that belongs to some names."""
    if isinstance(value, Mapping):
        return {name: value[name] for name in value if name in names}
    return {name for name in value if name in names}


def at_numbers(polynomial: Polynomial, values: Mapping[str, Fraction]) -> oracle.Moments:
    """A polynomial at numbers for some of its symbols, in the layout of the oracle.

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


Translation = OracleProblem  # its former name
