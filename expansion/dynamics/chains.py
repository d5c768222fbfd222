r"""Chains: infinite hierarchies in which the cores come one after the other by one rule.

A fixed matrix M, or the Gram matrix of weights, that is inserted once more makes of a core c_k the
core c_{k+1}. Then the rates of all members of a chain are one rule,

    dc^f_k/dτ  =  Σ  (a + b k) · (order parameters) · c^g_{k+j},

with a and b the same for all k: the members are the moments of a measure, c^f_k = ∫ λ^k dμ_f(λ), of
which every point λ moves by the order parameters alone. Here such rules are found in the first
members and confirmed by the others; `pde.systems.spectra` solves them.

>>> from expansion.dynamics.derivation import derive
>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> problem = cp(order=2, symmetric=True, target="teacher")
>>> found = derive(regimes(problem, terms=5), "V1-V2-V4", terms=6)
>>> chained = find_chains(found.numbered(6))
>>> for term in chained.rules[0]:
...     print(term)
(12*H_teacher*sigma2_teacher + 4*H_teacher*sigma2_teacher k) c^1_(k+0)
(-12 - 4 k) c^1_(k+1)

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from diagrams.diagram import Diagram
from diagrams.errors import BudgetExceededError
from expansion.dynamics.derivation import EffectiveDynamics
from expansion.dynamics.insertion import Insertion
from expansion.dynamics.planar import ChainMeans, growing_words
from expansion.dynamics.scales import Scaling
from expansion.dynamics.taylor import SeriesTerm, series_coefficients
from expansion.polynomial import Polynomial

__all__ = ["ChainTerm", "Chains", "Numbered", "chains_of", "find_chains"]

Numbered = tuple[
    tuple[Diagram, ...], list[SeriesTerm], dict[int, list[SeriesTerm]], list[Polynomial]
]
"""Cores, the output, the known rates and the initial values, see `EffectiveDynamics.numbered`."""

_PERIODS = (1, 2)
"""In how many derivatives a member is followed by the next one."""

_CONFIRMATIONS = 1
"""Rates of every chain that are predicted and compared, beyond the two that make the rule."""

Key = TypeVar("Key", bound=Hashable)

Members = tuple[tuple[int, ...], ...]
"""The places of the members of every chain."""


@dataclass(frozen=True, slots=True)
class ChainTerm:
    """A term of the rate of the k-th member of a chain.

    Parameters
    ----------
    constant, slope : Polynomial
        The coefficient is constant + slope * k.
    orders : tuple of int
        Places of the cores that it is multiplied by.
    chain, shift : int
        It contains the member k + shift of this chain.
    """

    constant: Polynomial
    slope: Polynomial
    orders: tuple[int, ...]
    chain: int
    shift: int

    def __str__(self) -> str:
        slope = f" + {self.slope} k".replace("+ -", "- ") if len(self.slope) else ""
        cores = "".join(f"c_{place + 1} " for place in self.orders)
        return f"({self.constant}{slope}) {cores}c^{self.chain + 1}_(k+{self.shift})"


@dataclass(frozen=True)
class Chains:
    """A hierarchy of chains and of cores outside.

    Parameters
    ----------
    members : tuple of tuple of int
        The places of the known members of every chain.
    rules : tuple of tuple of ChainTerm
        The rate of a member of every chain.
    output : tuple of (Polynomial, places)
        What is followed.
    rates : mapping from int to such terms
        The rates of the cores outside the chains.
    initial : tuple of Polynomial
        The initial value of every core.
    means : tuple of (ChainMeans or None), optional
        Of chains of words of large matrices the initial values of any member.
    """

    members: Members
    rules: tuple[tuple[ChainTerm, ...], ...]
    output: tuple[SeriesTerm, ...]
    rates: Mapping[int, tuple[SeriesTerm, ...]]
    initial: tuple[Polynomial, ...]
    means: tuple[ChainMeans | None, ...] = ()

    def __str__(self) -> str:
        lines = []
        for number, rule in enumerate(self.rules):
            terms = " + ".join(map(str, rule)) or "0"
            lines.append(f"dc^{number + 1}_k/dτ = {terms}")
        return "\n".join(lines)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in all coefficients and initial values, sorted."""
        coefficients = [c for rule in self.rules for t in rule for c in (t.constant, t.slope)]
        coefficients += [c for terms in (self.output, *self.rates.values()) for c, _ in terms]
        return tuple(sorted({x for c in (*coefficients, *self.initial) for x in c.symbols}))

    def coefficients(self) -> tuple[Polynomial, ...]:
        """The leading coefficients of what is followed, as many as the known members give."""
        rates = {core: [*terms] for core, terms in self.rates.items()}
        for rule, places in zip(self.rules, self.members, strict=True):
            for k, place in enumerate(places):
                rate = _predicted(rule, self.members, k)
                if rate is not None:
                    rates[place] = rate
        levels = _levels(self.output, rates)
        last = next(
            (n for n, level in enumerate(levels) if not rates.keys() >= {*level}), len(levels)
        )
        return series_coefficients(last, output=self.output, rates=rates, initial=self.initial)

    def with_constant(self, constant: Polynomial) -> Chains:
        """The same hierarchy with a constant added to what is followed."""
        return replace(self, output=(*self.output, (constant, ())))

    def integrated(self, start: Polynomial) -> Chains:
        """What is followed as the rate of change of a further core, which is followed instead."""
        place = len(self.initial)
        return replace(
            self,
            output=((Polynomial({(): 1}), (place,)),),
            rates={**self.rates, place: self.output},
            initial=(*self.initial, start),
        )

    def started_later(self) -> Chains:
        """The same hierarchy with the first member of every chain outside of it."""
        rates = dict(self.rates)
        for chain, places in enumerate(self.members):
            rates[places[0]] = self.rate(chain, 0)
        return replace(
            self,
            members=tuple(places[1:] for places in self.members),
            means=tuple(each and each.started_later() for each in self.means),
            rules=tuple(
                tuple(replace(term, constant=term.constant + term.slope) for term in rule)
                for rule in self.rules
            ),
            rates=rates,
        )

    def rate(self, chain: int, k: int) -> tuple[SeriesTerm, ...]:
        """The rate of a member, by the rule of its chain, in members that are known."""
        rate = _predicted(self.rules[chain], self.members, k)
        assert rate is not None  # the first members of a chain are followed by known ones
        return tuple(rate)


def chains_of(dynamics: EffectiveDynamics, *, members: int = 12) -> Chains | None:
    """The chains that the hierarchy of a regime ends in, with further initial values.

    Parameters
    ----------
    dynamics : EffectiveDynamics
    members : int
        How many initial values of a chain are wanted; there are fewer beyond the budget of the
        derivation.

    Raises
    ------
    RefusedError
        If the certificate does not hold.
    """
    if dynamics.depth is None or dynamics.random:
        return None
    for last in range(dynamics.depth, 2 + _CONFIRMATIONS, -1):
        # What is known of the last derivatives may be no more than a part of their cores.
        numbered = dynamics.numbered(last)
        found = find_chains(numbered)
        if found is not None:
            return _prolonged(found, numbered[0], dynamics, members)
    return None


def _prolonged(
    chains: Chains, cores: Sequence[Diagram], dynamics: EffectiveDynamics, members: int
) -> Chains:
    """The same chains with more members, whose rates nobody asks for."""
    scaling = dynamics.scales.scaling
    initial, longer = list(chains.initial), []
    further: dict[int, ChainMeans | None] = {}
    for number, places in enumerate(chains.members):
        longer.append(list(places))
        orders = {k: scaling.top(dict(initial[place])) for k, place in enumerate(places)}
        known = [(k, order) for k, order in orders.items() if order is not None]
        if not known:
            # A measure that vanishes at time zero has no moments there at all.
            missing = members - len(places)
            longer[-1] += range(len(initial), len(initial) + missing)
            initial += [Polynomial()] * missing
        if len(known) < 2:
            continue
        (first, low), (second, high) = known[-2:]
        step = (high - low) / (second - first)
        line = [cores[place] for place in places]
        values = [initial[place] for place in places]
        means = _planar_means(line, values, (low - step * first, step), scaling)
        further[number] = means
        if means is None:
            wanted = [low + step * (k - first) for k in range(members)]
            more = _exact_means(line, wanted, dynamics)
        else:
            more = means.values(len(line), max(members, len(line)))
        longer[-1] += range(len(initial), len(initial) + len(more))
        initial += more
    return replace(
        chains,
        members=tuple(map(tuple, longer)),
        initial=tuple(initial),
        means=tuple(further.get(number) for number in range(len(longer))),
    )


def _planar_means(
    line: Sequence[Diagram],
    values: Sequence[Polynomial],
    orders: tuple[Fraction, Fraction],
    scaling: Scaling,
) -> ChainMeans | None:
    """The initial values of a chain of words of large matrices.

    None if it is none, or if pairings without crossings do not give the known ones.
    """
    words = growing_words(line, scaling)
    if words is None:
        return None
    first = len(line) - 3
    means = ChainMeans(words, first, orders)
    return means if means.values(first, len(line)) == [*values[first:]] else None


def _exact_means(
    line: Sequence[Diagram], orders: Sequence[Fraction], dynamics: EffectiveDynamics
) -> list[Polynomial]:
    """The initial values of further members, as many as the budget of the derivation allows."""
    line, more = list(line), []
    scales = dynamics.scales
    try:
        insertion = Insertion.of(line)
        while insertion is not None and len(line) < len(orders):
            core = insertion.after(line[-1])
            if core is None:
                break
            order = orders[len(line)]
            more.append(scales.scaling.leading(scales.averages.mean(core), order))
            line.append(core)
    except BudgetExceededError:
        pass
    return more


def find_chains(numbered: Numbered) -> Chains | None:
    """The chains that a hierarchy ends in, None if it does not.

    Parameters
    ----------
    numbered : tuple
        A hierarchy up to some derivative.
    """
    cores, output, rates, initial = numbered
    if len(rates) == len(cores):
        return None
    levels = _levels(output, rates)
    for period in _PERIODS:
        for first in range(len(levels) - (2 + _CONFIRMATIONS) * period):
            members = _members(cores, levels, first, period)
            rules = None if members is None else _rules(members, rates)
            if members is None or rules is None:
                continue
            inside = {place for chain in members for place in chain}
            return Chains(
                members=members,
                rules=rules,
                output=tuple(output),
                rates={c: tuple(terms) for c, terms in rates.items() if c not in inside},
                initial=tuple(initial),
            )
    return None


def _levels(
    output: Sequence[SeriesTerm], rates: Mapping[int, Sequence[SeriesTerm]]
) -> list[list[int]]:
    """The cores by the derivative in which they come first."""
    seen: set[int] = set()
    levels: list[list[int]] = []
    frontier = {place for _, places in output for place in places}
    while frontier:
        levels.append(sorted(frontier))
        seen |= frontier
        frontier = {
            place for core in frontier for _, places in rates.get(core, ()) for place in places
        } - seen
    return levels


def _members(
    cores: Sequence[Diagram], levels: Sequence[Sequence[int]], first: int, period: int
) -> Members | None:
    """Chains of cores of the same weights, one from each period of levels."""
    ordered = [sorted(level, key=lambda place: _weights(cores[place])) for level in levels[first:]]
    if any(len(one) != len(other) for one, other in zip(ordered, ordered[period:], strict=False)):
        return None
    return tuple(
        tuple(level[number] for level in ordered[start::period])
        for start in range(period)
        for number in range(len(ordered[start]))
    )


def _weights(core: Diagram) -> tuple[tuple[str, int], ...]:
    """How often each learnable tensor occurs, which keeps chains of one level apart."""
    counts = Counter(tensor.name for tensor, _ in core.factors if tensor.is_learnable)
    return tuple(sorted(counts.items()))


def _rules(
    members: Members, rates: Mapping[int, Sequence[SeriesTerm]]
) -> tuple[tuple[ChainTerm, ...], ...] | None:
    """The rule of every chain, None if there is none that all known rates obey."""
    index = {place: (f, k) for f, chain in enumerate(members) for k, place in enumerate(chain)}
    rules = []
    for chain in members:
        known = [k for k, place in enumerate(chain) if place in rates]
        if len(known) < 2 + _CONFIRMATIONS:
            return None
        low, high = known[-2:]
        rule = _rule(
            _by_member(rates[chain[low]], index, low),
            _by_member(rates[chain[high]], index, high),
            low,
        )
        if rule is None:
            return None
        for k in known:
            predicted = _predicted(rule, members, k)
            if predicted is None or _collected(predicted) != _collected(rates[chain[k]]):
                return None
        rules.append(rule)
    return tuple(rules)


def _predicted(rule: Iterable[ChainTerm], members: Members, k: int) -> list[SeriesTerm] | None:
    """The rate of the k-th member by a rule, None if it contains a member that is not known."""
    result = []
    for term in rule:
        places, number = members[term.chain], k + term.shift
        if not 0 <= number < len(places):
            return None
        cores = tuple(sorted((*term.orders, places[number])))
        result.append((term.constant + term.slope * k, cores))
    return result


_Shifted = dict[tuple[tuple[int, ...], int, int], Polynomial]
"""Coefficients by order parameters, chain and shift."""


def _by_member(
    terms: Iterable[SeriesTerm], index: Mapping[int, tuple[int, int]], k: int
) -> _Shifted | None:
    """Terms as multiples of the member with the largest number; the others are fixed."""
    shifted = []
    for coefficient, places in terms:
        inside = [place for place in places if place in index]
        if not inside:
            return None
        moving = max(inside, key=lambda place: index[place][1])
        orders = list(places)
        orders.remove(moving)
        chain, member = index[moving]
        shifted.append(((tuple(sorted(orders)), chain, member - k), coefficient))
    return _added(shifted)


def _rule(low: _Shifted | None, high: _Shifted | None, k: int) -> tuple[ChainTerm, ...] | None:
    """The rule through the rates of the members k and k + 1."""
    if low is None or high is None or low.keys() != high.keys():
        return None
    terms = []
    for key in sorted(low):
        slope = high[key] - low[key]
        orders, chain, shift = key
        terms.append(ChainTerm(low[key] - slope * k, slope, orders, chain, shift))
    return tuple(terms)


def _collected(terms: Iterable[SeriesTerm]) -> dict[tuple[int, ...], Polynomial]:
    return _added((tuple(sorted(places)), coefficient) for coefficient, places in terms)


def _added(terms: Iterable[tuple[Key, Polynomial]]) -> dict[Key, Polynomial]:
    """Coefficients of equal keys added up, without those that cancel."""
    result: dict[Key, Polynomial] = {}
    for key, coefficient in terms:
        result[key] = result.get(key, Polynomial()) + coefficient
    return {key: c for key, c in result.items() if len(c)}
