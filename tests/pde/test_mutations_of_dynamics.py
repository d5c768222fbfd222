"""Every derived dynamics, perturbed in turn: its potential, rates, initial values and outputs.

All regimes of some problems are tried, whatever they are called; where a hierarchy does not close,
a rate is changed if it moves a coefficient that is known exactly.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from diagrams.diagram import Diagram
from expansion.dynamics import hierarchy as module
from expansion.dynamics.derivation import EffectiveDynamics, RefusedError, derive
from expansion.dynamics.hierarchy import CoreTerm, GrowthError, Hierarchy, reached
from expansion.dynamics.particle import Kind
from expansion.models import cp, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from pde import effective
from pde.effective import effective_solution

LARGER = Fraction(21, 20)
PROBLEMS: dict[str, tuple[Problem, int]] = {
    "two layers": (two_layer(), 4),
    "symmetric 2": (cp(order=2, symmetric=True), 5),
    "symmetric 3": (cp(order=3, symmetric=True), 4),
    "symmetric 4": (cp(order=4, symmetric=True), 3),
    "asymmetric 2": (cp(order=2), 5),
}


@cache
def found(name: str) -> Regimes:
    problem, terms = PROBLEMS[name]
    return regimes(problem, terms=terms)


def all_derived(name: str) -> Iterator[EffectiveDynamics]:
    """The dynamics of every regime in which some are certified."""
    for regime in found(name):
        for rate_of_change in (False, True):
            try:
                result = derive(found(name), regime.name, rate_of_change=rate_of_change)
            except GrowthError:
                continue
            if result.certificate.holds:
                yield result
                break


def refused(dynamics: EffectiveDynamics) -> bool:
    """Whether the certificate of a dynamics, computed anew, does not hold."""
    return not replace(dynamics).certificate.holds


def levels(dynamics: EffectiveDynamics) -> tuple[dict[Diagram, int], int]:
    """The cores that move the coefficients known exactly, by the first of these, and the last."""
    last = len(dynamics._exact) - 1
    last = last if dynamics.depth is None else min(last, dynamics.depth)
    start = sorted({core for term in dynamics.output for core in term.cores})
    return reached(dynamics._hierarchy, start, last), last


def larger(term: CoreTerm) -> CoreTerm:
    return replace(term, coefficient=term.coefficient * LARGER)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_term_is_certified(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0
    for dynamics in all_derived(name):
        for place, term in enumerate(dynamics.output):
            output = list(dynamics.output)
            output[place] = larger(term)
            assert refused(replace(dynamics, output=tuple(output))), (dynamics, term)
            tried += 1
        if dynamics.kind is Kind.WORDS:
            continue  # Hundreds of long cycles; their potential is perturbed below.
        depths, last = levels(dynamics)
        rate, initial, covariance = Hierarchy.rate, Hierarchy.initial, Hierarchy.covariance
        for core, level in depths.items():
            for place in range(len(dynamics.rate(core)) if level < last else 0):

                def changed(
                    self: Hierarchy,
                    other: Diagram,
                    core: Diagram = core,
                    place: int = place,
                    rate: Any = rate,
                ) -> tuple[CoreTerm, ...]:
                    rows = list(rate(self, other))
                    if other == core:
                        rows[place] = larger(rows[place])
                    return tuple(rows)

                monkeypatch.setattr(Hierarchy, "rate", changed)
                assert refused(dynamics), (dynamics, core, place)
                tried += 1
            monkeypatch.setattr(Hierarchy, "rate", rate)
            if len(initial(dynamics._hierarchy, core)):

                def moved(
                    self: Hierarchy, other: Diagram, core: Diagram = core, initial: Any = initial
                ) -> Polynomial:
                    return initial(self, other) * (LARGER if other == core else 1)

                monkeypatch.setattr(Hierarchy, "initial", moved)
                assert refused(dynamics), (dynamics, core)
                tried += 1
            monkeypatch.setattr(Hierarchy, "initial", initial)
        if dynamics.random:
            monkeypatch.setattr(Hierarchy, "covariance", lambda *a, c=covariance: c(*a) * LARGER)
            assert refused(dynamics), (dynamics, "covariance")
            monkeypatch.setattr(Hierarchy, "covariance", covariance)
            tried += 1
    assert tried > 10


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_term_of_every_reduced_potential_is_certified(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Perturbed before the hierarchy is derived from it, so that all that follows is consistent."""
    tried = 0
    for dynamics in all_derived(name):
        terms = {
            (term.cores, powers) for term in dynamics.potential for powers, _ in term.coefficient
        }
        assert terms
        for product in sorted(terms, key=str):
            make = Hierarchy.__init__

            def perturbed(
                self: Hierarchy,
                *a: object,
                product: object = product,
                make: Any = make,
                **k: object,
            ) -> None:
                make(self, *a, **k)
                assert product in self._products
                self._products[product] *= LARGER

            with monkeypatch.context() as patch:
                patch.setattr(module.Hierarchy, "__init__", perturbed)
                try:
                    wrong = derive(
                        found(name), dynamics.regime.name, rate_of_change=dynamics.rate_of_change
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
