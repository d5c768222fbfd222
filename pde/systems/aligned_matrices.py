r"""Solution of aligned matrices: a few numbers for every singular value, averaged over their law.

A model of `expansion.dynamics.aligned` is a system of ordinary differential equations for every
singular value x of one matrix, with sums over x in its coefficients at most. Its Taylor
coefficients are polynomials in x², of which the moments are known exactly. Its curve is that of a
rule of Gauss for x², made from these moments; a rule with fewer points gives the error.

>>> from expansion.dynamics.aligned import aligned_model
>>> from expansion.dynamics.derivation import derive
>>> from expansion.models import tied_autoencoder
>>> from expansion.regimes import regimes
>>> found = aligned_model(derive(regimes(tied_autoencoder(data=True), terms=4), "mean-field"))
>>> from itertools import islice
>>> for row in islice(coefficients(found), 2):
...     print(row)
-p*H*sigma2 + 1/2*p*H**2*sigma2**2
-4*p**2*H*N**-1*sigma2 - 4*p*H*sigma2 + 8*p**2*H**2*N**-1*sigma2**2 + 8*p*H**2*sigma2**2 - ...
>>> numbers = {"p": 40, "H": 4000, "N": 20, "sigma2": Fraction(1, 8000), "T": 1}
>>> curve = aligned_curve(found, {name: Fraction(x) for name, x in numbers.items()}, target=20)
>>> print([f"{x:.6f}" for x in curve.evaluate(np.array([0.0, 0.5, 5.0]))])
['5.000000', '0.110426', '0.000013']

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial

import numpy as np

from diagrams.errors import CapacityError
from expansion.dynamics.aligned import AlignedModel, AlignedTerm, Powers
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.dynamics.trace_words import named
from expansion.polynomial import Polynomial
from pde.curve import Curve, Parameters, bounded_float, exact_value, unrelated_numbers
from pde.evolution import DerivationStep, Solution
from pde.systems.curves import flow_curve
from pde.systems.flows import SystemFlow
from pde.systems.measures import GaussRule, orthogonal_polynomials
from pde.systems.singular_values import solution_of_values, squared_singular_values

__all__ = ["aligned_curve", "aligned_solution", "coefficients"]

_POINTS = (64, 48)
"""Points of the finer and of the coarser rule of Gauss."""

_MANY_POINTS = (96, 72)
"""Those of double exponential rules, which have points at all scales."""

_X = "singular value"
"""The name of x in polynomials; no symbol of a problem has a space."""

_ZERO, _ONE = Polynomial(), Polynomial({(): 1})

_Series = list[Polynomial]


def coefficients(model: AlignedModel) -> Iterator[Polynomial]:
    """The exact leading coefficients of (t/T)^s times s!, one after the other, without end.

    Parameters
    ----------
    model : AlignedModel
    """
    taylor = _Taylor(model)
    s = 0
    while True:
        row = taylor.output(s) * factorial(s)
        yield model.moments.scaling.leading(dict(row), model.order + s * model.time)
        s += 1


class _Taylor:
    """The Taylor coefficients of the variables in τ, polynomials in x and the symbols."""

    def __init__(self, model: AlignedModel) -> None:
        self._model = model
        self._series: list[_Series] = [[value * _x(e)] for value, e in model.start]
        self._means: list[Polynomial] = []

    def output(self, s: int) -> Polynomial:
        """The coefficient of τ^s of what is followed."""
        while len(self._series[0]) <= s:
            self._extend()
        total = _ZERO
        for term in self._model.output:
            series = [[self._summed(c) for c in self._product(t, s)] for t in term.traces]
            total = total + term.coefficient * _multiplied(series, s)[s]
        return total

    def _extend(self) -> None:
        n = len(self._series[0]) - 1
        further = []
        for rate in self._model.rates:
            total = _ZERO
            for term in rate:
                own, *sums = term.traces
                series = [self._product(own, n)]
                series += [[self._summed(c) for c in self._product(each, n)] for each in sums]
                total = total + term.coefficient * _multiplied(series, n)[n]
            further.append(total * Fraction(1, n + 1))
        for series_of, value in zip(self._series, further, strict=True):
            series_of.append(value)

    def _product(self, powers: Powers, n: int) -> _Series:
        """The coefficients up to τ^n of a product of numbers of one singular value."""
        power, variables = powers
        factors = [[_x(power)]]
        factors += [self._series[place] for place, k in variables for _ in range(k)]
        return _multiplied(factors, n)

    def _summed(self, polynomial: Polynomial) -> Polynomial:
        """Its sum over the singular values at time zero."""
        parts: dict[int, Polynomial] = {}
        for powers, c in polynomial:
            table = dict(powers)
            power = table.pop(_X, 0)
            rest = Polynomial({tuple(sorted(table.items())): c})
            parts[power] = parts.get(power, _ZERO) + rest
        total = _ZERO
        for power, rest in parts.items():
            if power % 2 and self._model.symmetric:
                continue
            if power % 2:
                raise CapacityError(
                    "aligned matrices: an odd power of the singular values has no moment; derive "
                    "the regime by its words"
                )
            if power // 2 >= len(self._means):
                self._means = self._model.moments.means(power // 2 + 4)
            total = total + rest * self._means[power // 2]
        return total


def _x(power: int) -> Polynomial:
    return Polynomial({((_X, power),): 1}) if power else _ONE


def _multiplied(series: Sequence[_Series], n: int) -> _Series:
    """The coefficients up to τ^n of a product of series."""
    result = [_ONE] + [_ZERO] * n
    for factor in series:
        result = [
            sum(
                (result[k] * factor[m - k] for k in range(m + 1) if m - k < len(factor)),
                start=_ZERO,
            )
            for m in range(n + 1)
        ]
    return result


# -- at numbers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Discrete:
    """A model at numbers with finitely many singular values."""

    model: AlignedModel
    parameters: Parameters
    rule: GaussRule
    constant: Fraction

    def equations(self) -> PolynomialSystem:
        """The finite system."""
        model, points = self.model, range(len(self.rule.nodes))
        names, rates, initial = [], [], []
        for place, name in enumerate(model.variables):
            value, power = model.start[place]
            for i in points:
                names.append(f"{name}_{i + 1}")
                rates.append(tuple(self._rate(model.rates[place], i)))
                initial.append(
                    self._number(exact_value(value, self.parameters) * self._x(i, power))
                )
        return PolynomialSystem(
            variables=tuple(names),
            rates=tuple(rates),
            initial=tuple(initial),
            output=(*self._output(), SystemTerm(self._number(self.constant))),
        )

    def _x(self, i: int, power: int) -> Fraction:
        """A power of a singular value."""
        return Fraction(float(self.rule.nodes[i])) ** power

    def _rate(self, rate: Sequence[AlignedTerm], i: int) -> Iterator[SystemTerm]:
        for term in rate:
            own, *sums = term.traces
            value = exact_value(term.coefficient, self.parameters)
            for weight, powers in self._products(sums):
                factor, mine = self._powers(own, i)
                mine.update(powers)
                yield self._term(value * weight * factor, mine)

    def _output(self) -> Iterator[SystemTerm]:
        for term in self.model.output:
            value = exact_value(term.coefficient, self.parameters)
            for weight, powers in self._products(term.traces):
                yield self._term(value * weight, powers)

    def _products(self, traces: Sequence[Powers]) -> Iterator[tuple[Fraction, Counter[int]]]:
        """A product of sums over singular values, term by term."""
        if not traces:
            yield Fraction(1), Counter()
            return
        first, *others = traces
        for weight, powers in self._products(others):
            for j, each in enumerate(self.rule.weights):
                factor, mine = self._powers(first, j)
                mine.update(powers)
                yield weight * factor * Fraction(float(each)), mine

    def _powers(self, powers: Powers, i: int) -> tuple[Fraction, Counter[int]]:
        power, variables = powers
        points = len(self.rule.nodes)
        return self._x(i, power), Counter({v * points + i: k for v, k in variables})

    def _term(self, value: Fraction, powers: Counter[int]) -> SystemTerm:
        return SystemTerm(self._number(value), tuple(sorted(powers.items())))

    @staticmethod
    def _number(value: Fraction) -> Polynomial:
        return Polynomial({(): value})


def _rules(model: AlignedModel, parameters: Parameters) -> list[GaussRule] | None:
    """Rules for the law of x, None if its moments are those of no measure."""
    known = _explicit(model, parameters)
    if known is not None:
        return known
    shift = 0 if model.whole else 1
    number = 2 * max(_POINTS)
    moments = [value for _, value in model.moments.means_at(parameters, number + shift)][shift:]
    polynomials = orthogonal_polynomials(moments, max(_POINTS))
    if polynomials is None:
        return None
    rules = [polynomials.rule(points) for points in _POINTS]
    # x² times the law has no point at zero, where nothing moves.
    found = [GaussRule(rule.nodes, rule.weights / rule.nodes) if shift else rule for rule in rules]
    roots = [GaussRule(np.sqrt(np.maximum(rule.nodes, 0)), rule.weights) for rule in found]
    return [_mirrored(rule) for rule in roots] if model.symmetric else roots


def _mirrored(rule: GaussRule) -> GaussRule:
    """The same points with either sign."""
    return GaussRule(
        np.concatenate([rule.nodes, -rule.nodes]), np.concatenate([rule.weights, rule.weights]) / 2
    )


def _explicit(model: AlignedModel, parameters: Parameters) -> list[GaussRule] | None:
    """Rules with points at all scales where X is a Gaussian matrix, whose law is known."""
    (tensor, transposed), *others = model.moments.piece
    scaling = model.moments.scaling
    sizes = [axis.name for axis in tensor.axes]
    if (
        len(others) > 1
        or tensor.symmetric
        or len({scaling.order(((name, 1),)) for name in sizes}) > 1
    ):
        return None
    left, right = (float(parameters[sizes[int(slot)]]) for slot in (transposed, not transposed))
    variance = float(exact_value(named(tensor.variance), parameters))
    rules = []
    for points in _MANY_POINTS:
        squares, weights = squared_singular_values(left, right, variance, points)
        if model.whole and left > right:
            squares, weights = np.append(squares, 0.0), np.append(weights, left - right)
        rules.append(GaussRule(np.sqrt(squares), weights))
    return rules


def aligned_curve(
    model: AlignedModel, parameters: Parameters, *, target: Fraction = Fraction(0)
) -> Curve | None:
    """The output of a model at numbers, as a function of t.

    Parameters
    ----------
    model : AlignedModel
    parameters : mapping from str to Fraction
        A value for every symbol, and T.
    target : Fraction, default 0
        A constant that is added to the output.

    Returns
    -------
    Curve or None
        None if the moments of the singular values make no rule.
    """
    rules = _rules(model, parameters)
    if rules is None:
        return None
    flows = [
        SystemFlow(_Discrete(model, parameters, rule, Fraction(target)).equations())
        for rule in rules
    ]
    constant = bounded_float(Fraction(target))
    return flow_curve(flows, T=Fraction(parameters["T"]), constant=constant)


def aligned_solution(
    model: AlignedModel,
    *,
    problem: str,
    regime: str,
    target: Polynomial = _ZERO,
    derivation: tuple[DerivationStep, ...] = (),
    source: str = "ours",
) -> Solution | None:
    """The solution of a regime whose matrices are aligned.

    Parameters
    ----------
    model : AlignedModel
    problem, regime, source
        See `Solution`.
    target : Polynomial
        The part of the first coefficient that only measures the target.
    derivation : tuple of DerivationStep
        How the model was obtained.

    Returns
    -------
    Solution or None
        Without a certificate. None if sums over singular values multiply each other, or their
        moments make no rule.
    """
    if any(len(term.traces) > 2 for rate in model.rates for term in rate):
        return None
    if _rules(model, unrelated_numbers(model.symbols)) is None:
        return None

    def curve(parameters: Parameters, constant: Fraction) -> Curve:
        found = aligned_curve(model, parameters, target=constant)
        if found is None:
            raise CapacityError(
                f"regime {regime}: at these numbers the moments of its singular values are those "
                "of no measure; give others"
            )
        return found

    step = DerivationStep(
        "Aligned matrices",
        _latex(model),
        "All matrices keep the singular vectors of one of them, whose singular values are x at "
        "time zero; the others start from zero or as multiples of the identity, and every x moves "
        "its own numbers. The moments of x² are sums over pairings without crossings; a rule of "
        "Gauss makes points of them, and one with fewer points gives the error.",
    )
    return solution_of_values(
        lambda: coefficients(model),
        curve,
        target=target,
        problem=problem,
        regime=regime,
        derivation=(*derivation, step),
        source=source,
    )


def _latex(model: AlignedModel) -> str:
    """The equations of the numbers of a singular value."""

    def product(powers: Powers) -> str:
        power, variables = powers
        named = [("x", power), *((_name(model.variables[v]), k) for v, k in variables)]
        return r"\,".join(name + (f"^{{{k}}}" if k > 1 else "") for name, k in named if k) or "1"

    lines = []
    for name, rate in zip(model.variables, model.rates, strict=True):
        terms = []
        for term in rate:
            own, *sums = term.traces
            factors = [rf"\left({term.coefficient.latex()}\right)", product(own)]
            factors += [rf"\textstyle\sum_x {product(each)}" for each in sums]
            terms.append(r"\,".join(factors))
        lines.append(rf"\dot {_name(name)} = {' + '.join(terms) or '0'}")
    return r",\quad ".join(lines)


def _name(variable: str) -> str:
    letter, *numbers = variable.split("_")
    return f"{letter}_{{{','.join(numbers)}}}"
