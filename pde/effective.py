r"""The solution of a regime from its effective dynamics, whatever the problem is.

`expansion.dynamics` derives the reduced potential of a regime, its cores and how they move, and
certifies it by the exact coefficients. Its kind decides how it is solved, each way once:

- *finite*: an exact system of differential equations (`pde.systems`), averaged at the end over the
  cores that are Gaussian at time zero, if there are any;
- *one site*: the moments of a particle in the effective potential;
- a potential that is that of a solved regime: its solution (`pde.reduced_twins`);
- *chains*, of which every core gives the next by one rule: the moments of a spectrum, whose points
  move as particles;
- *words* of one large matrix whose axes grow alike: its singular values, which move as particles;
- *words* of several of them: the flow of free matrices;
- other *words* and everything else: exact leading coefficients, far beyond those of the engine, in
  which an equation is sought and which are summed otherwise.

>>> from expansion.models import two_layer
>>> from expansion.regimes import regimes
>>> regime_set = regimes(two_layer(degree=2), terms=4)
>>> from fractions import Fraction
>>> solved = effective_solution(regime_set, "V1-V2")
>>> solved.method.value, [step.title for step in solved.derivation][:2]
('characteristics', ['Reduced potential', 'Effective equations'])
>>> loss = solved.at({"p": 60, "H": 60, "sigma2": Fraction(1, 60), "T": 1})
>>> print(f"{loss(3e-3):.4f}")
1280.5827

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache, partial

from diagrams.diagram import Diagram
from diagrams.errors import BudgetExceededError
from diagrams.wick import Monomial
from expansion.cumulants import read_cumulant
from expansion.dynamics.aligned import aligned_model
from expansion.dynamics.averages import Averages
from expansion.dynamics.chains import Chains, chains_of
from expansion.dynamics.derivation import EffectiveDynamics, RefusedError, derive
from expansion.dynamics.hierarchy import CoreTerm, GrowthError
from expansion.dynamics.matrix_model import matrix_model
from expansion.dynamics.particle import Closure, Particle, ParticleTerm
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regimes
from expansion.series import Budget
from pde.evolution import Certificate, DerivationStep, Origin, Solution
from pde.hierarchies import HierarchyKind, HierarchySummary
from pde.reduced_twins import shared_solution
from pde.systems import (
    GAUSSIAN,
    RADEMACHER,
    UNIFORM,
    SiteProblem,
    StartLaw,
    free_solution,
    mixed_solution,
    series_solution,
    singular_solution,
    site_solution,
    spectrum_solution,
    system_solution,
)
from pde.systems.aligned_matrices import aligned_solution
from pde.variance import variance_solution

__all__ = ["Answer", "effective_answer", "effective_solution", "longest_series"]

_LENGTHS = (6, 8, 12, 16, 24, 32, 48)
"""Numbers of coefficients that are asked of an infinite hierarchy, one after the other."""

DERIVED_DIAGRAMS = 80_000
"""Diagrams that a derivation may meet before it continues with what it has: a few seconds."""

SERIES_DIAGRAMS = 25_000
"""Diagrams that one of these lengths may meet: a second or two."""

_SHOWN = 6
"""Cores that a derivation writes out."""

_FEWEST = 6
"""Coefficients that a sum needs for an error estimate."""


def effective_solution(regime_set: Regimes, name: str) -> Solution | None:
    """The certified solution of a regime that its effective dynamics gives; see `effective_answer`.

    Examples
    --------
    >>> from expansion.models import cp
    >>> from expansion.regimes import regimes
    >>> regime_set = regimes(cp(order=2), terms=4)
    >>> print(effective_solution(regime_set, "C-D").hierarchy)
    finite system, 2 cores
    """
    return effective_answer(regime_set, name).solution


def effective_answer(regime_set: Regimes, name: str, *, diagrams: int = DERIVED_DIAGRAMS) -> Answer:
    """The effective dynamics of a regime, and the certified solution that it gives.

    Parameters
    ----------
    regime_set : Regimes
        The map of a problem; its coefficients are what the derivation is certified with.
    name : str
        A regime of it.
    diagrams : int, optional
        How many the derivation may meet.

    Notes
    -----
    There is no solution if the derivation fails, or knows no more coefficients than the map.
    The certificate compares the coefficients that are as large as the order of the dynamics asks:
    in a regime whose even and odd coefficients are of different orders only the larger ones are
    in the sum, and the others are listed as left out.
    """
    exponents = regime_set.exponents
    return _answer(
        _Question(
            exponents.problem,
            exponents.loss,
            exponents.last,
            regime_set[name].name,
            diagrams,
            regime_set,
        )
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """The hierarchy of a regime and the solution that it gives.

    Parameters
    ----------
    hierarchy : HierarchySummary
        Of kind none if the derivation failed; its remark is the reason.
    solution : Solution, optional
    """

    hierarchy: HierarchySummary
    solution: Solution | None = None


_KINDS = {
    Closure.FINITE: HierarchyKind.FINITE,
    Closure.ONE_SITE: HierarchyKind.ONE_SITE,
    Closure.WORDS: HierarchyKind.WORDS,
    Closure.OPEN: HierarchyKind.OPEN,
}


@dataclass(frozen=True, slots=True)
class _Question:
    """A regime of a map; two maps of as many terms of one problem are the same."""

    problem: Problem | None
    loss: str | None
    last: int
    name: str
    diagrams: int
    regime_set: Regimes = field(compare=False)


@lru_cache(maxsize=256)
def _answer(question: _Question) -> Answer:
    regime_set, name = question.regime_set, question.name
    if question.problem is not None and question.problem.drive.step:
        return Answer(HierarchySummary(remark="cores move in continuous time"))
    order = 1 if question.loss is None else read_cumulant(question.loss)[1]
    if order > 1:
        return Answer(*variance_solution(regime_set, name))
    target = LeadingSeries(regime_set, regime_set[name]).pure_target
    remarks = []
    for rate_of_change in (False, True):
        try:
            dynamics = _derived(
                regime_set, name, rate_of_change=rate_of_change, diagrams=question.diagrams
            )
        except (GrowthError, RefusedError, BudgetExceededError) as error:
            remarks.append(str(error))
            continue
        return _DerivedLoss(regime_set, dynamics, target).answer()
    return Answer(HierarchySummary(remark=remarks[0]))


@dataclass(frozen=True, slots=True)
class _DerivedLoss:
    """A derivation and what has to be added to what it follows to get the loss.

    Parameters
    ----------
    regime_set : Regimes
    dynamics : EffectiveDynamics
        Of the loss, or of its rate of change.
    target : Polynomial
        The part of the loss that only measures the target.
    """

    regime_set: Regimes
    dynamics: EffectiveDynamics
    target: Polynomial

    @property
    def start(self) -> Polynomial:
        """The constant part: the target, and where the rate of change is followed lead(Y_0)."""
        if not self.dynamics.rate_of_change:
            return self.target
        return self.target + self._leading(0)

    def rows(self, number: int) -> tuple[Polynomial, ...]:
        """So many coefficients of the loss, within the budget of a solution."""
        ask = partial(self.dynamics.coefficients, diagrams=SERIES_DIAGRAMS)
        if self.dynamics.rate_of_change:
            moving = ask(number - 2) if number > 1 else ()
            return (self.start, *moving)
        first, *rest = ask(number - 1)
        return (first + self.start, *rest)

    @property
    def known(self) -> int:
        """How many exact coefficients there are."""
        return len(self.regime_set.exponents.coefficients)

    def leads(self, s: int) -> bool:
        """Whether the exact leading part of s is not smaller than the dynamics."""
        if self.dynamics.rate_of_change:
            return s == 0 or self.dynamics.leads(s - 1)
        return self.dynamics.leads(s)

    def expected(self, s: int) -> Polynomial:
        """The exact leading part of s, zero where it is smaller than the dynamics."""
        whole = self._leading(s) if self.leads(s) else Polynomial()
        return whole + self.target if s == 0 else whole

    def _leading(self, s: int) -> Polynomial:
        """The exact leading part of s; of a coefficient that is zero, zero."""
        if s not in self.regime_set.polyhedra:
            return Polynomial()
        return LeadingSeries(self.regime_set, self.dynamics.regime)[s]

    def answer(self) -> Answer:
        """The solution, if there is one, and the hierarchy behind it."""
        dynamics = self.dynamics
        kind = HierarchyKind.RANDOM if dynamics.random else _KINDS[dynamics.kind]
        summary = HierarchySummary(kind, len(dynamics.cores))
        solved = _solved(self)
        if solved is not None:
            return Answer(summary, replace(self.certified(solved), hierarchy=summary))
        remark = (
            f"the derivatives that its budget allows are no more than the {self.known} "
            "coefficients of the map"
        )
        return Answer(replace(summary, remark=remark))

    def agrees(self, solved: Solution) -> bool:
        """Whether a solution has all exact coefficients that both know, at least a few."""
        rows = solved.coefficients(self.known)
        right = (row == self.expected(s) for s, row in enumerate(rows))
        return len(rows) >= min(self.known, _FEWEST) and all(right)

    def certified(self, solved: Solution) -> Solution:
        """The solution with its certificate, as one that was derived."""
        rows = solved.coefficients(self.known)
        expected = [self.expected(s) for s in range(len(rows))]
        right = [row == wanted for row, wanted in zip(rows, expected, strict=True)]
        # Where the exact leading part is left out, equality with the rest of it certifies nothing.
        left_out = tuple(
            s
            for s, is_right in enumerate(right)
            if is_right and not self.leads(s) and len(self._leading(s))
        )
        compared = tuple(
            s for s, row in enumerate(rows) if s not in left_out and (len(row) or len(expected[s]))
        )
        matched = tuple(s for s in compared if right[s])
        certificate = Certificate(matched, compared, left_out)
        return replace(solved, origin=Origin.DERIVED, certificate=certificate)


def longest_series(
    rows: Callable[[int], tuple[Polynomial, ...]],
) -> tuple[Polynomial, ...]:
    """As many leading coefficients of a hierarchy as its budget allows.

    Parameters
    ----------
    rows : callable
        From a number to so many coefficients; raises `BudgetExceededError` beyond its means.
    """
    found: tuple[Polynomial, ...] = ()
    for length in _LENGTHS:
        try:
            found = rows(length)
        except BudgetExceededError:
            break
    return found


def _derived(
    regime_set: Regimes, name: str, *, rate_of_change: bool, diagrams: int = DERIVED_DIAGRAMS
) -> EffectiveDynamics:
    problem, loss = regime_set.exponents.problem, regime_set.exponents.loss
    dynamics = derive(
        regime_set,
        name,
        rate_of_change=rate_of_change,
        budget=Budget(diagrams=diagrams),
        averages=None if problem is None else _averages(problem, loss),
    )
    dynamics.require_certificate()
    return dynamics


@lru_cache(maxsize=2)
def _averages(problem: Problem, loss: str | None) -> Averages:
    """The table of means that all regimes of a problem share."""
    return Averages(
        problem.dynamics.generator, problem.quantity(loss or problem.loss_name).diagrams
    )


def _solved(derived: _DerivedLoss) -> Solution | None:
    dynamics = derived.dynamics
    problem, regime = dynamics.problem.title, dynamics.regime.name
    steps = (_potential_step(dynamics),)
    if dynamics.kind is Closure.FINITE:
        system = dynamics.closed_system()
        system = _integrated(system, derived.start) if dynamics.rate_of_change else system
        constant = Polynomial() if dynamics.rate_of_change else derived.start
        system = _with_constant(system, constant)
        if not dynamics.random:
            return system_solution(system, problem=problem, regime=regime, derivation=steps)
        return mixed_solution(
            system,
            dynamics.covariance,
            rows=derived.rows,
            problem=problem,
            regime=regime,
            derivation=steps,
        )
    whole = not (dynamics.random or dynamics.rate_of_change)
    if dynamics.kind is Closure.ONE_SITE and whole:
        site = _site(dynamics.particle(), derived.start)
        if site is not None:
            solved = site_solution(site, title=problem, regime=regime, derivation=steps)
            moves = all(t.is_learnable for core, _ in dynamics.cores for t in core.tensors)
            if moves or derived.agrees(solved):
                return solved
    shared = shared_solution(
        dynamics, [derived.expected(s) for s in range(derived.known)], derived.target
    )
    if shared is not None:
        return replace(shared, derivation=(*steps, *shared.derivation))
    chains = _chained(derived)
    if chains is not None:
        spectral = spectrum_solution(chains, problem=problem, regime=regime, derivation=steps)
        if spectral is not None and derived.agrees(spectral):
            return spectral
    model = matrix_model(dynamics) if whole and dynamics.kind is Closure.WORDS else None
    if model is not None:
        singular = singular_solution(
            model, problem=problem, regime=regime, target=derived.target, derivation=steps
        )
        if singular is not None and derived.agrees(singular):
            return singular
    aligned = aligned_model(dynamics) if whole and dynamics.kind is Closure.WORDS else None
    if aligned is not None:
        moved = aligned_solution(
            aligned, problem=problem, regime=regime, target=derived.target, derivation=steps
        )
        if moved is not None and derived.agrees(moved):
            return moved
    rows = longest_series(derived.rows)
    if model is not None:
        exact = tuple(derived.expected(s) for s in range(derived.known))
        known = max(rows, exact, key=len)
        free = free_solution(
            model, known, problem=problem, regime=regime, target=derived.target, derivation=steps
        )
        if free is not None:
            return free
    if len(rows) < max(_FEWEST, derived.known):
        return None
    solved = series_solution(
        rows,
        number=len(rows),
        problem=problem,
        regime=regime,
        target=derived.target,
        derivation=steps,
    )
    return replace(solved, is_series=True)


def _chained(derived: _DerivedLoss) -> Chains | None:
    """The chains that the hierarchy is made of, with as many members as its budget allows."""
    dynamics = derived.dynamics
    found = chains_of(dynamics)
    if found is None:
        return None
    if dynamics.rate_of_change:
        return found.integrated(derived.start)
    return found.with_constant(derived.start) if len(derived.start) else found


def _with_constant(system: PolynomialSystem, constant: Polynomial) -> PolynomialSystem:
    """The system with a constant added to its output."""
    if not len(constant):
        return system
    return replace(system, output=(*system.output, SystemTerm(constant)))


def _integrated(system: PolynomialSystem, start: Polynomial) -> PolynomialSystem:
    """The system whose output has the output of the first one as its rate of change."""
    place = len(system.variables)
    return PolynomialSystem(
        variables=(*system.variables, "L"),
        rates=(*system.rates, system.output),
        initial=(*system.initial, start),
        output=(SystemTerm(Polynomial({(): 1}), ((place, 1),)),),
    )


def _site(particle: Particle, target: Polynomial) -> SiteProblem | None:
    """The particle as a problem on one site, if a rule averages over its start."""
    law = _law(particle)
    if law is None:
        return None
    return SiteProblem.from_potential(
        _in_moments(particle.potential),
        output=_in_moments(particle.output),
        weight=Polynomial({particle.weight: particle.copies}),
        variances=particle.starts,
        rates=particle.rates,
        lengths=tuple(coordinate.is_length for coordinate in particle.coordinates),
        still=particle.still,
        constant=target,
        law=law,
    )


def _law(particle: Particle) -> StartLaw | None:
    """The law of all entries at the start, None if no rule averages over it."""
    named = {"gaussian": GAUSSIAN, "rademacher": RADEMACHER, "uniform": UNIFORM}
    entries = [c.tensor for c in particle.coordinates if not c.is_length]
    lengths = [c.tensor for c in particle.coordinates if c.is_length]
    laws = {tensor.law for tensor in entries} or {"gaussian"}
    if len(laws) > 1 or any(tensor.mean for tensor in (*entries, *lengths)):
        return None
    return named.get(laws.pop())


def _in_moments(terms: Sequence[ParticleTerm]) -> Polynomial:
    """Their sum, with the moments named as `SiteProblem.from_potential` wants them."""
    total: dict[Monomial, Fraction] = {}
    for term in terms:
        moments = [("z" + "_".join(map(str, m)), power) for m, power in term.moments]
        for powers, c in term.coefficient:
            key = tuple(sorted((*moments, *powers)))
            total[key] = total.get(key, Fraction(0)) + c
    return Polynomial(total)


def _potential_step(dynamics: EffectiveDynamics) -> DerivationStep:
    names = {core: f"c_{{{k}}}" for k, (core, _) in enumerate(dynamics.cores, start=1)}
    for term in dynamics.potential:
        for core in term.cores:
            alias = names.get(dynamics.representative(core))
            names.setdefault(core, alias or f"c_{{{len(names) + 1}}}")
    listed = enumerate((core for core, _ in dynamics.cores[:_SHOWN]), start=1)
    shown = "; ".join(f"c{number} = {core}" for number, core in listed)
    many = len(dynamics.cores)
    count = "There is 1 core" if many == 1 else f"There are {many} cores"
    which = f"{count}, the first ones" if many > _SHOWN else count
    return DerivationStep(
        "Reduced potential",
        f"P = {_latex_sum(dynamics.potential, names)}",
        "Derived from the diagrams of the loss by separation and coincidence. Its cores make a "
        f"hierarchy that is {dynamics.kind.value}; the coefficients are {dynamics.certificate}. "
        f"{which}: {shown}.",
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
