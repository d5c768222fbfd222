"""Every derived dynamics, perturbed in turn: its potential, rates, initial values and outputs.

All regimes of some problems are tried, whatever they are called; where a hierarchy does not close,
a rate is changed if it moves a coefficient that is known exactly.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from diagrams.diagram import Diagram
from expansion.dynamics import derivation
from expansion.dynamics.averages import Averages
from expansion.dynamics.derivation import EffectiveDynamics, RefusedError, derive
from expansion.dynamics.hierarchy import CoreTerm, GrowthError, Hierarchy, reached
from expansion.dynamics.particle import Closure
from expansion.dynamics.reduction import Product
from expansion.models import cp, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regimes
from pde import effective
from pde.effective import effective_solution
from tests.problems import regimes_of

LARGER = Fraction(21, 20)
ATTEMPTS = derivation._ATTEMPTS

PROBLEMS: dict[str, tuple[Problem, int]] = {
    "two layers": (two_layer(), 4),
    "symmetric 2": (cp(order=2, symmetric=True), 4),
    "symmetric 3": (cp(order=3, symmetric=True), 4),
    "symmetric 4": (cp(order=4, symmetric=True), 3),
    "asymmetric 2": (cp(order=2), 4),
}


def found(name: str) -> Regimes:
    return regimes_of(*PROBLEMS[name])


@cache
def tables(name: str) -> Averages:
    """Means of diagrams, which know no potential and are never perturbed."""
    return Averages(PROBLEMS[name][0].loss)


def derived(name: str, regime: str, *, rate_of_change: bool) -> EffectiveDynamics:
    shared = None if rate_of_change else tables(name)
    return derive(found(name), regime, rate_of_change=rate_of_change, averages=shared)


@cache
def all_derived(name: str) -> tuple[EffectiveDynamics, ...]:
    """The dynamics of every regime in which some are certified."""
    result = []
    for regime in found(name):
        for rate_of_change in (False, True):
            try:
                one = derived(name, regime.name, rate_of_change=rate_of_change)
            except GrowthError:
                continue
            if one.certificate.holds:
                result.append(one)
                break
    return tuple(result)


def refused(dynamics: EffectiveDynamics) -> bool:
    """Whether the certificate of a dynamics, computed anew, does not hold."""
    return not replace(dynamics).certificate.holds


def unseen(dynamics: EffectiveDynamics, last: int, before: tuple[Polynomial, ...]) -> bool:
    """Whether a hierarchy that does not close moves no coefficient that is known exactly.

    So it is with rates of which the cores vanish at time zero, by parity.
    """
    return dynamics.kind is not Closure.FINITE and dynamics._coefficients(last) == before


def levels(dynamics: EffectiveDynamics) -> tuple[dict[Diagram, int], int]:
    """The cores that move the coefficients known exactly, by the first of these, and the last."""
    last = len(dynamics._exact) - 1
    last = last if dynamics.depth is None else min(last, dynamics.depth)
    start = sorted({core for term in dynamics.output for core in term.cores})
    return reached(dynamics._hierarchy, start, last), last


def larger(term: CoreTerm) -> CoreTerm:
    return replace(term, coefficient=term.coefficient * LARGER)


def with_larger_rate(core: Diagram, place: int) -> Callable[..., tuple[CoreTerm, ...]]:
    whole = Hierarchy.rate

    def changed(self: Hierarchy, other: Diagram) -> tuple[CoreTerm, ...]:
        rows = list(whole(self, other))
        if other == core:
            rows[place] = larger(rows[place])
        return tuple(rows)

    return changed


def with_larger_start(core: Diagram) -> Callable[..., Polynomial]:
    whole = Hierarchy.initial

    def changed(self: Hierarchy, other: Diagram) -> Polynomial:
        return whole(self, other) * (LARGER if other == core else 1)

    return changed


def with_larger_covariance() -> Callable[..., Polynomial]:
    whole = Hierarchy.covariance
    return lambda *arguments: whole(*arguments) * LARGER


def with_larger_potential(product: Product) -> Callable[..., None]:
    whole = Hierarchy.__init__

    def changed(self: Hierarchy, *arguments: Any, **options: Any) -> None:
        whole(self, *arguments, **options)
        assert product in self._products
        self._products[product] *= LARGER

    return changed


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_term_is_certified(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs, rates, initial values and covariances, one after the other."""
    seen = 0
    for dynamics in all_derived(name):
        for place, term in enumerate(dynamics.output):
            output = list(dynamics.output)
            output[place] = larger(term)
            assert refused(replace(dynamics, output=tuple(output))), (dynamics, term)
        if dynamics.kind is Closure.WORDS:
            continue  # Hundreds of long cycles; their potential is perturbed below.
        depths, last = levels(dynamics)
        before = dynamics._coefficients(last)
        changes = [
            *(
                ("rate", with_larger_rate(core, place))
                for core, level in depths.items()
                if level < last
                for place in range(len(dynamics.rate(core)))
            ),
            *(
                ("initial", with_larger_start(core))
                for core in depths
                if len(dynamics._hierarchy.initial(core))
            ),
            *([("covariance", with_larger_covariance())] if dynamics.random else []),
        ]
        for what, change in changes:
            with monkeypatch.context() as patch:
                patch.setattr(Hierarchy, what, change)
                found_out = refused(dynamics)
                assert found_out or unseen(dynamics, last, before), (dynamics, what)
                seen += found_out
    assert seen > 10


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n == "asymmetric 2")) for n in PROBLEMS],
)
def test_every_term_of_every_reduced_potential_is_certified(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Perturbed before the hierarchy is derived from it, so that all that follows is consistent."""
    tried = 0
    for dynamics in all_derived(name):
        products = {(t.cores, powers) for t in dynamics.potential for powers, _ in t.coefficient}
        assert products
        # Another way to derive the regime is not perturbed by this, and may be right.
        alike = tuple(
            a
            for a in ATTEMPTS
            if (a.whole, a.derivatives) == (dynamics._hierarchy.whole, dynamics.scales.least)
        )
        for product in sorted(products, key=str):
            with monkeypatch.context() as patch:
                patch.setattr(Hierarchy, "__init__", with_larger_potential(product))
                patch.setattr(derivation, "_ATTEMPTS", alike)
                try:
                    wrong = derived(
                        name, dynamics.regime.name, rate_of_change=dynamics.rate_of_change
                    )
                    assert not wrong.certificate.holds, (dynamics, product)
                except GrowthError:
                    pass
            tried += 1
    assert tried > 4


def test_a_perturbed_dynamics_solves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the potential to `solve`: what is not certified is not used."""
    names = [regime.name for regime in found("two layers")]
    effective._answer.cache_clear()
    assert all(effective_solution(found("two layers"), name) is not None for name in names)
    rate = Hierarchy.rate
    monkeypatch.setattr(Hierarchy, "rate", lambda *a: tuple(map(larger, rate(*a))))
    effective._answer.cache_clear()
    assert all(effective_solution(found("two layers"), name) is None for name in names)
    with pytest.raises(RefusedError):
        derive(found("two layers"), names[0]).closed_system()
    monkeypatch.undo()
    effective._answer.cache_clear()
