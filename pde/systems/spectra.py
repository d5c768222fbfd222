r"""Chains of cores as moments of a measure: the points of a spectrum, which move as particles.

By the rule of a chain (`expansion.dynamics.chains`) its members are c^f_k = ∫ λ^k dμ_f(λ), with

    λ'/λ = Σ b · (order parameters) · λ^j,      w_f' = Σ a · (order parameters) · λ^j w_g,

where w_f is the weight of a point in the f-th measure and the order parameters are a few cores.
The measure at time zero is known by its exact moments (`pde.systems.measures`); a rule of Gauss
makes of it finitely many points, and of the hierarchy a finite system. A rule with fewer points
gives the error, and the curve ends where the two differ.

>>> from expansion.dynamics.chains import ChainTerm
>>> from math import comb
>>> one, none = Polynomial({(): 1}), Polynomial()
>>> catalan = tuple(Polynomial({(): comb(2 * n, n) // (n + 1)}) for n in range(10))
>>> linear = Chains(  # c_k' = -c_{k+1}, so that c_0 is the average of exp(-λτ)
...     members=(tuple(range(10)),),
...     rules=((ChainTerm(-one, none, (), 0, 1),),),
...     output=((one, (0,)),),
...     rates={},
...     initial=catalan,
... )
>>> import numpy as np
>>> curve = spectrum_curve(linear, {"T": Fraction(1)})
>>> print(f"{curve.evaluate(np.array([1.0]))[0]:.10f}")  # exp(-2) (I_0(2) + I_1(2))
0.5237776118

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from diagrams.errors import CapacityError
from expansion.dynamics.chains import Chains, ChainTerm
from expansion.dynamics.planar import ChainMeans
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.dynamics.taylor import SeriesTerm
from expansion.polynomial import Polynomial
from pde.curve import Curve, Parameters, exact_value, unrelated_numbers
from pde.evolution import DerivationStep, Method, Solution
from pde.systems.curves import flow_curve
from pde.systems.flows import SystemFlow
from pde.systems.measures import GaussRule, find_recurrence, multiple, orthogonal_polynomials

__all__ = ["CONFIRMED", "spectrum_curve", "spectrum_solution"]

CONFIRMED = "moments that confirm the recurrence of the spectrum"
"""The note of a curve whose spectrum was continued by a recurrence."""

_POINTS = (64, 48)
"""Points of the finer and of the coarser rule."""

_LATER = 3
"""First members of a chain that may be left outside, until its moments are those of a measure."""


_Motion = tuple[tuple[Fraction, tuple[int, ...], int], ...]
"""Coefficients, order parameters and powers of λ of λ'/λ."""


@dataclass(frozen=True, slots=True)
class _Spectrum:
    """Chains at numbers, and the measure that all of them are multiples of.

    Parameters
    ----------
    chains : Chains
    motion : tuple
        How the points move; empty if they do not.
    rules : tuple of GaussRule
        For the measure, a finer and a coarser one.
    densities : tuple of tuple of Fraction
        The polynomial in λ that makes of it the measure of every chain.
    confirmations : int or None
        Moments that confirm the recurrence of the others; None if all are known exactly.
    """

    chains: Chains
    motion: _Motion
    rules: tuple[GaussRule, ...]
    densities: tuple[tuple[Fraction, ...], ...]
    confirmations: int | None


def spectrum_curve(chains: Chains, parameters: Parameters) -> Curve | None:
    """The output of a hierarchy of chains at numbers, as a function of t.

    Parameters
    ----------
    chains : Chains
    parameters : mapping from str to Fraction
        A value for every symbol, and T.

    Returns
    -------
    Curve or None
        None if the chains have no common measure that moments confirm.

    Raises
    ------
    CapacityError
        If the numbers are beyond double precision.
    """
    found = _common(_at_numbers(chains, parameters), parameters)
    if found is None:
        return None
    systems = (_Discretised(found, rule).equations() for rule in found.rules)
    flows = [SystemFlow(system) for system in systems]
    still = sum(float(c.coefficient()) for c, places in found.chains.output if not places)
    curve = flow_curve(flows, T=Fraction(parameters["T"]), constant=still)
    if found.confirmations is None:
        return curve
    return replace(curve, notes=(*curve.notes, (CONFIRMED, float(found.confirmations))))


def _at_numbers(chains: Chains, parameters: Parameters) -> Chains:
    """The same hierarchy with numbers for all symbols."""

    def number(polynomial: Polynomial) -> Polynomial:
        return Polynomial({(): exact_value(polynomial, parameters)})

    def numbers(terms: Sequence[SeriesTerm]) -> tuple[SeriesTerm, ...]:
        return tuple((number(c), places) for c, places in terms)

    return replace(
        chains,
        rules=tuple(
            tuple(replace(t, constant=number(t.constant), slope=number(t.slope)) for t in rule)
            for rule in chains.rules
        ),
        output=numbers(chains.output),
        rates={core: numbers(terms) for core, terms in chains.rates.items()},
        initial=tuple(map(number, chains.initial)),
    )


def _common(chains: Chains, parameters: Parameters) -> _Spectrum | None:
    """The measure behind chains at numbers, from one of their first members on."""
    for _ in range(_LATER + 1):
        motion, found = _motion(chains), _measure(chains, parameters)
        if motion is None or found is not None or min(map(len, chains.members)) < 2:
            break
        chains = chains.started_later()
    if motion is None or found is None:
        return None
    rules, densities, confirmations = found
    return _Spectrum(chains, motion, rules, densities, confirmations)


def _measure(
    chains: Chains, parameters: Parameters
) -> tuple[tuple[GaussRule, ...], tuple[tuple[Fraction, ...], ...], int | None] | None:
    """Rules for the measure of one of the chains, and what makes of it those of the others."""
    moments = [
        [chains.initial[place].coefficient() for place in places] for places in chains.members
    ]
    means = chains.means or (None,) * len(moments)
    for base, known in zip(moments, means, strict=True):
        more, confirmations = _moments(base, known, parameters)
        polynomials = orthogonal_polynomials(more, max(_POINTS)) if more else None
        if polynomials is None:
            continue
        found = [multiple(each, base) for each in moments]
        densities = tuple(density for density in found if density is not None)
        if len(densities) == len(moments):
            rules = tuple(polynomials.rule(points) for points in _POINTS)
            return rules, densities, confirmations
    return None


def _moments(
    base: Sequence[Fraction], means: ChainMeans | None, parameters: Parameters
) -> tuple[list[Fraction] | None, int | None]:
    """As many moments as the rules need, and how many confirm those that are not known."""
    if base[0] <= 0:
        return None, None
    if means is not None:
        more = means.values_at(parameters, len(base), 2 * max(_POINTS))
        return [*base, *more], None
    recurrence = find_recurrence(base)
    if recurrence is None:
        return None, None
    return recurrence.extended(base, 2 * max(_POINTS)), recurrence.confirmations


def _motion(chains: Chains) -> _Motion | None:
    """How the points move, None if not all chains agree on it."""
    motions = set()
    for number, rule in enumerate(chains.rules):
        terms = [term for term in rule if len(term.slope)]
        if any(term.chain != number for term in terms):
            return None
        motions.add(
            tuple(sorted((term.slope.coefficient(), term.orders, term.shift) for term in terms))
        )
    return motions.pop() if len(motions) == 1 else None


class _Discretised:
    """A hierarchy of chains with finitely many points for its measure.

    Parameters
    ----------
    spectrum : _Spectrum
    rule : GaussRule
        One of its rules.
    """

    def __init__(self, spectrum: _Spectrum, rule: GaussRule) -> None:
        chains = self._chains = spectrum.chains
        self._motion = spectrum.motion
        self._points = [Fraction(float(x)) for x in rule.nodes]
        self._weights = [
            [
                Fraction(float(w)) * sum((c * x**j for j, c in enumerate(density)), Fraction(0))
                for x, w in zip(self._points, rule.weights, strict=True)
            ]
            for density in spectrum.densities
        ]
        self._member = {
            place: (chain, k)
            for chain, places in enumerate(chains.members)
            for k, place in enumerate(places)
        }
        self._rates = dict(chains.rates)
        self._promote()
        self._place = {core: number for number, core in enumerate(self._rates)}

    def _promote(self) -> None:
        """Give variables of their own to members that are multiplied with others."""
        while True:
            products = [places for _, places in self._chains.output]
            products += [places for terms in self._rates.values() for _, places in terms]
            wanted = {place for rule in self._chains.rules for t in rule for place in t.orders}
            wanted.update(place for _, orders, _ in self._motion for place in orders)
            for places in products:
                inside = [place for place in places if place not in self._rates]
                if len(inside) > 1:
                    wanted.update(inside)
            wanted -= self._rates.keys()
            if not wanted:
                return
            for place in sorted(wanted):
                self._rates[place] = self._chains.rate(*self._member[place])

    def equations(self) -> PolynomialSystem:
        """The finite system."""
        chains, points = self._chains, range(len(self._points))
        names = [f"c_{core + 1}" for core in self._rates]
        rates = [self._terms(terms) for terms in self._rates.values()]
        initial = [chains.initial[core] for core in self._rates]
        for chain, rule in enumerate(chains.rules):
            for number in points:
                names.append(f"w_{chain + 1}_{number + 1}")
                rates.append(tuple(self._weight_terms(rule, number)))
                initial.append(Polynomial({(): self._weights[chain][number]}))
        if self._motion:
            for number in points:
                names.append(f"x_{number + 1}")
                rates.append(tuple(self._point_terms(number)))
                initial.append(Polynomial({(): self._points[number]}))
        return PolynomialSystem(
            variables=tuple(names),
            rates=tuple(rates),
            initial=tuple(initial),
            output=self._terms(chains.output),
        )

    def _power(self, number: int, power: int) -> tuple[Fraction, dict[int, int]]:
        """The power of a point: a number, or a variable if points move."""
        if not self._motion or not power:
            return self._points[number] ** power, {}
        before = len(self._rates) + len(self._weights) * len(self._points)
        return Fraction(1), {before + number: power}

    def _weight(self, chain: int, number: int) -> int:
        return len(self._rates) + chain * len(self._points) + number

    def _terms(self, terms: Sequence[SeriesTerm]) -> tuple[SystemTerm, ...]:
        result = []
        for coefficient, places in terms:
            powers = self._orders(place for place in places if place in self._place)
            member = next((self._member[x] for x in places if x not in self._place), None)
            value = coefficient.coefficient()
            if member is None:
                result.append(_term(value, powers))
                continue
            chain, k = member
            for number in range(len(self._points)):
                factor, more = self._power(number, k)
                result.append(
                    _term(value * factor, {**powers, self._weight(chain, number): 1, **more})
                )
        return tuple(result)

    def _weight_terms(self, rule: Sequence[ChainTerm], number: int) -> Iterator[SystemTerm]:
        for term in rule:
            value = term.constant.coefficient()
            if value:
                factor, more = self._power(number, term.shift)
                powers = self._orders(term.orders)
                powers[self._weight(term.chain, number)] = 1
                yield _term(value * factor, {**powers, **more})

    def _point_terms(self, number: int) -> Iterator[SystemTerm]:
        for value, orders, shift in self._motion:
            factor, more = self._power(number, shift + 1)
            yield _term(value * factor, {**self._orders(orders), **more})

    def _orders(self, places: Iterable[int]) -> dict[int, int]:
        """The powers of cores that have variables of their own."""
        return dict(Counter(self._place[place] for place in places))


def _term(value: Fraction, powers: dict[int, int]) -> SystemTerm:
    return SystemTerm(Polynomial({(): value}), tuple(sorted(powers.items())))


def spectrum_solution(
    chains: Chains,
    *,
    problem: str,
    regime: str,
    derivation: tuple[DerivationStep, ...] = (),
    source: str = "ours",
) -> Solution | None:
    """The solution of a regime whose hierarchy is one of chains.

    Parameters
    ----------
    chains : Chains
    problem, regime, source
        See `Solution`.
    derivation : tuple of DerivationStep
        How the hierarchy was obtained.

    Returns
    -------
    Solution or None
        Without a certificate; see `Solution.certified`. None if the moments at time zero confirm
        no measure.
    """
    if not _has_spectrum(chains):
        return None
    known = chains.coefficients()

    def curve(parameters: Parameters) -> Curve:
        found = spectrum_curve(chains, parameters)
        if found is None:
            raise CapacityError(
                f"regime {regime}: at these numbers the moments of its spectrum are those of no "
                "measure; give others"
            )
        return found

    last = DerivationStep(
        "Spectrum",
        r"c^f_k = \int \lambda^k\, d\mu_f(\lambda),\qquad " + _latex(chains),
        f"Rules of {len(chains.members)} infinite chains of cores, read off their first members "
        "and equal for all others that were derived. The measure at time zero is known by its "
        "exact moments: those of words of large matrices are sums over pairings without crossings, "
        "others obey a recurrence that further moments confirm. A rule of Gauss makes points of "
        "it, which the flow moves. A rule with fewer points gives the error.",
    )
    return Solution(
        problem=problem,
        regime=regime,
        method=Method.MOMENTS,
        source=source,
        formula=None,
        derivation=(*derivation, last),
        taylor=lambda: iter(known),
        curve=curve,
        validity="t until two rules for the spectrum differ",
    )


def _has_spectrum(chains: Chains) -> bool:
    """Whether moments confirm a measure at numbers without relations among them."""
    numbers = unrelated_numbers(chains.symbols)
    return _common(_at_numbers(chains, numbers), numbers) is not None


def _latex(chains: Chains) -> str:
    """The rules of the chains."""
    rules = []
    for number, rule in enumerate(chains.rules, start=1):
        terms = []
        for term in rule:
            constant, slope = term.constant.latex(), term.slope.latex()
            factor = (
                rf"\left({constant} + ({slope}) k\right)" if len(term.slope) else f"({constant})"
            )
            orders = " ".join(f"c_{{{place + 1}}}" for place in term.orders)
            shift = f" + {term.shift}" if term.shift else ""
            terms.append(f"{factor} {orders} c^{{{term.chain + 1}}}_{{k{shift}}}")
        rules.append(rf"\dot c^{{{number}}}_k = {' + '.join(terms) or '0'}")
    return r",\quad ".join(rules)
