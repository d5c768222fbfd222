r"""The solution of a regime from its effective dynamics, whatever the problem is.

`expansion.dynamics` derives the reduced potential of a regime, its cores and how they move, and
certifies it by the exact coefficients. Its kind decides how it is solved, each way once:

- *finite*: an exact system of differential equations (`pde.systems`), averaged at the end over the
  cores that are Gaussian at time zero, if there are any;
- *one site*: the moments of a particle in the effective potential;
- *words* and everything else: exact leading coefficients, far beyond those of the engine, in which
  an equation is sought and which are summed otherwise.

>>> from expansion.models import two_layer
>>> from expansion.regimes import regimes
>>> found = regimes(two_layer(degree=2), terms=4)
>>> from fractions import Fraction
>>> solved = effective_solution(found, "V1-V2")
>>> solved.method.value, [step.title for step in solved.derivation][:2]
('characteristics', ['Reduced potential', 'Effective equations'])
>>> loss = solved.at({"p": 60, "H": 60, "sigma2": Fraction(1, 60), "T": 1})
>>> print(f"{loss(3e-3):.4f}")
1280.8724

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from diagrams.diagram import Diagram
from diagrams.errors import BudgetExceededError
from expansion.dynamics.derivation import EffectiveDynamics, RefusedError, derive
from expansion.dynamics.hierarchy import CoreTerm, GrowthError
from expansion.dynamics.particle import Kind, Particle, ParticleTerm
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.polynomial import Polynomial
from expansion.regimes import Learning, Regimes
from pde.evolution import Origin, Solution, Step
from pde.systems import (
    SiteProblem,
    mixed_solution,
    series_solution,
    site_solution,
    system_solution,
)

__all__ = ["effective_solution", "longest_series"]

_LENGTHS = (6, 8, 12, 16, 24, 32, 48)
"""Numbers of coefficients that are asked of an infinite hierarchy, one after the other."""

_SHOWN = 6
"""Cores that a derivation writes out."""

_FEWEST = 6
"""Coefficients that a sum needs for an error estimate."""


def effective_solution(found: Regimes, name: str) -> Solution | None:
    """The solution of a regime that its effective dynamics gives.

    Parameters
    ----------
    found : Regimes
        The map of a problem; its coefficients are what the derivation is certified with.
    name : str
        A regime of it.

    Returns
    -------
    Solution or None
        None if the derivation is refused, or knows no more coefficients than the map. The solution
        has no certificate yet; see `Solution.certified`.
    """
    dynamics = _derived(found, name)
    if dynamics is None:
        return None
    free = found[name].learning is Learning.FREE
    target = Polynomial() if free else found.exponents.pure_target
    solved = _solved(dynamics, target, known=len(found.exponents.coefficients))
    return None if solved is None else replace(solved, origin=Origin.DERIVED)


def longest_series(dynamics: EffectiveDynamics) -> tuple[Polynomial, ...]:
    """As many leading coefficients of an effective dynamics as its budget allows.

    Parameters
    ----------
    dynamics : EffectiveDynamics
        Of which the certificate holds.
    """
    rows: tuple[Polynomial, ...] = ()
    for length in _LENGTHS:
        try:
            rows = dynamics.coefficients(length - 1)
        except BudgetExceededError:
            break
    return rows


def _derived(found: Regimes, name: str) -> EffectiveDynamics | None:
    try:
        dynamics = derive(found, name)
        dynamics.require_certificate()
    except (GrowthError, RefusedError, BudgetExceededError):
        return None
    return dynamics


def _solved(dynamics: EffectiveDynamics, target: Polynomial, *, known: int) -> Solution | None:
    problem, regime = dynamics.problem.title, dynamics.regime.name
    steps = (_potential_step(dynamics),)
    if dynamics.kind is Kind.FINITE:
        system = _with_constant(dynamics.system(), target)
        if not dynamics.random:
            return system_solution(system, problem=problem, regime=regime, derivation=steps)
        return mixed_solution(
            system,
            dynamics.covariance,
            rows=lambda number: _with_target(dynamics.coefficients(number - 1), target),
            problem=problem,
            regime=regime,
            derivation=steps,
        )
    if dynamics.kind is Kind.ONE_SITE and not dynamics.random:
        site = _site(dynamics.particle(), target)
        if site is not None:
            return site_solution(site, title=problem, regime=regime, derivation=steps)
    rows = _with_target(longest_series(dynamics), target)
    if len(rows) < max(_FEWEST, known):
        return None
    solved = series_solution(
        rows,
        number=len(rows),
        problem=problem,
        regime=regime,
        target=target,
        derivation=steps,
    )
    return replace(solved, is_series=True)


def _with_constant(system: PolynomialSystem, target: Polynomial) -> PolynomialSystem:
    """The system with the part of the loss that only measures the target."""
    if not len(target):
        return system
    return replace(system, output=(*system.output, SystemTerm(target)))


def _with_target(rows: Sequence[Polynomial], target: Polynomial) -> tuple[Polynomial, ...]:
    return tuple(row + target if s == 0 else row for s, row in enumerate(rows))


def _site(particle: Particle, target: Polynomial) -> SiteProblem | None:
    """The particle as a problem on one site, if what is followed is its own potential."""
    potential = _collected(particle.potential)
    if _collected(particle.output) != potential:
        return None
    return SiteProblem.from_potential(
        Polynomial(
            {
                tuple(sorted((*moments, *powers))): c
                for moments, coefficient in potential.items()
                for powers, c in coefficient
            }
        ),
        weight=Polynomial({particle.weight: 1}),
        variances=tuple(Polynomial.parse(variance) for variance in particle.variances),
        constant=target,
    )


def _collected(terms: Sequence[ParticleTerm]) -> dict[tuple[tuple[str, int], ...], Polynomial]:
    """Coefficients by products of moments, named as `SiteProblem.from_potential` wants them."""
    found: dict[tuple[tuple[str, int], ...], Polynomial] = {}
    for term in terms:
        key = tuple(("z" + "_".join(map(str, m)), power) for m, power in term.moments)
        found[key] = found.get(key, Polynomial()) + term.coefficient
    return {key: value for key, value in found.items() if len(value)}


def _potential_step(dynamics: EffectiveDynamics) -> Step:
    names = {core: f"c_{{{k}}}" for k, (core, _) in enumerate(dynamics.cores, start=1)}
    for term in dynamics.potential:
        for core in term.cores:
            alias = names.get(dynamics.representative(core))
            names.setdefault(core, alias or f"c_{{{len(names) + 1}}}")
    listed = enumerate((core for core, _ in dynamics.cores[:_SHOWN]), start=1)
    shown = "; ".join(f"c{number} = {core}" for number, core in listed)
    return Step(
        "Reduced potential",
        f"P = {_latex_sum(dynamics.potential, names)}",
        "Derived from the diagrams of the loss by separation and coincidence. Its cores make a "
        f"hierarchy that is {dynamics.kind.value}; the coefficients are {dynamics.certificate}. "
        f"There are {len(dynamics.cores)} cores: {shown}.",
    )


def _latex_sum(terms: Sequence[CoreTerm], names: Mapping[Diagram, str]) -> str:
    products = []
    for term in terms:
        counts = Counter(names[core] for core in term.cores)
        factors = [name + (f"^{{{power}}}" if power > 1 else "") for name, power in counts.items()]
        written = term.coefficient.latex()
        if len(term.coefficient) > 1:
            written = f"({written})"
        products.append(" ".join([written, *factors]))
    return " + ".join(products).replace("+ -", "- ") or "0"
