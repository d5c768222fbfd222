"""Every evaluator, recurrence and typed formula, perturbed in turn: each perturbation is refused.

A perturbation is small (some per mille to 5 %) and of one place. It is found by the certificate, by
the check of the evaluated curve, or by an error while the solution is derived.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy

from diagrams.errors import DiagflowError
from expansion.models import cp, tied_autoencoder
from expansion.problem import Problem
from expansion.regimes import Regimes
from pde import power_law, solving, spectral_formulas
from pde.curve import Curve
from pde.curve_check import check_solution
from pde.effective import Answer
from pde.evolution import Origin
from pde.face import RegimeFormulas
from pde.hierarchies import HierarchySummary
from pde.moments import few_data, narrow_latent
from pde.numerics import certified
from pde.solutions import (
    SOLVERS,
    asymmetric_mean_field,
    asymmetric_narrow,
    asymmetric_order2,
    finite_data_small,
    free_evolution,
    symmetric_even,
    symmetric_order2,
)
from pde.solving import solution, solver_for
from pde.taylor import symbol
from tests.problems import regimes_of

SYM2, ASYM2 = cp(order=2, symmetric=True), cp(order=2)
ASYM3, SYM4 = cp(order=3), cp(order=4, symmetric=True)
DATA = tied_autoencoder(data=True)
MODULAR = cp(order=3, target="modular-addition")


def found(problem: Problem, loss: str | None = None) -> Regimes:
    return regimes_of(problem, 4, loss)


def holds(problem: Problem, name: str, loss: str | None = None) -> bool:
    """Whether nothing objects to the solution of a regime."""
    try:
        solved = solution(found(problem, loss), name)
        certified = solved.origin is Origin.RESUMMED or solved.certificate.holds
        return certified and check_solution(solved).holds
    except DiagflowError:
        return False


def on_file() -> Iterator[tuple[Problem, str]]:
    """Every regime of these problems that a solver of the registry applies to."""
    for problem in (SYM2, ASYM2, ASYM3, SYM4, DATA, MODULAR):
        for regime in found(problem):
            if solver_for(problem, regime.name) is not None:
                yield problem, regime.name


# Sums of 24 coefficients, a pair of integrals at every time, and flows of up to 90 eigenvalues.
COSTLY = {
    *((p.title, name) for p in (ASYM3, MODULAR) for name in ("C-D", "D", "E", "E-A")),
    *((DATA.title, name) for name in ("mean-field & narrow-latent", "small-data")),
}
CASES = [(p, name) for p, name in on_file() if (p.title, name) not in COSTLY]
SLOW = [(p, name) for p, name in on_file() if (p.title, name) in COSTLY]


def test_every_solver_of_the_registry_is_perturbed() -> None:
    assert len(SLOW) == len(COSTLY)
    used = {solver_for(problem, name) for problem, name in (*CASES, *SLOW)}
    assert [solver.title for solver in SOLVERS if solver not in used] == []


def distorted(curve: Curve, change: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Curve:
    evaluate = curve.evaluate
    return replace(curve, evaluate=lambda t: change(t, evaluate(t)))


DISTORTIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "a factor": lambda t, loss: loss * 1.001,
    "a constant": lambda t, loss: loss + 1e-3,
    "what moves": lambda t, loss: np.where(t == 0, loss, loss * (1 + 1e-3 * t)),
    "not a number": lambda t, loss: np.where(t == 0, loss, np.nan),
    "a value at 0": lambda t, loss: np.where(t == 0, loss * 4 / 3, loss),
}


@pytest.mark.parametrize(
    ("problem", "name"),
    [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)],
    ids=[f"{p.title} {name}" for p, name in (*CASES, *SLOW)],
)
def test_every_distorted_evaluator_is_found(problem: Problem, name: str) -> None:
    solved = solution(found(problem), name)
    assert solved.certificate.holds and check_solution(solved).holds
    whole = solved.curve
    for words, change in DISTORTIONS.items():
        wrong = replace(solved, curve=lambda at, c=change: distorted(whole(at), c))
        assert not check_solution(wrong).holds, words
    slow = replace(solved, curve=lambda at: whole({**at, "T": at["T"] * Fraction(201, 200)}))
    assert not check_solution(slow).holds


@pytest.mark.parametrize(("problem", "name"), CASES, ids=[f"{p.title} {name}" for p, name in CASES])
def test_every_changed_coefficient_is_found(problem: Problem, name: str) -> None:
    solved = solution(found(problem), name)
    rows = solved.coefficients(5)
    for place in range(5):
        wrong = [row * Fraction(21, 20) if s == place else row for s, row in enumerate(rows)]
        assert not solved.certified(wrong).certificate.holds


def mutations() -> Iterator[tuple[str, Callable[[pytest.MonkeyPatch], None], Problem, str]]:
    """Typed formulas, recurrences, hierarchies and functions below them, each changed."""

    def scaled_formula(module: object, key: str) -> Callable[[pytest.MonkeyPatch], None]:
        def patch(monkeypatch: pytest.MonkeyPatch) -> None:
            face = module._FACES[key]()
            p = symbol("p")
            changed = RegimeFormulas(loss=face.loss.subs(p, p * sympy.Rational(101, 100)))
            monkeypatch.setitem(module._FACES, key, lambda: changed)

        return patch

    for key in sorted(symmetric_order2._FACES):
        yield f"formula SYM 2 {key}", scaled_formula(symmetric_order2, key), SYM2, key
    for key in sorted(asymmetric_order2._FACES):
        yield f"formula ASYM 2 {key}", scaled_formula(asymmetric_order2, key), ASYM2, key

    def series(module: object, name: str, field: str) -> Callable[[pytest.MonkeyPatch], None]:
        def patch(monkeypatch: pytest.MonkeyPatch) -> None:
            whole = getattr(module, name)

            def changed(*arguments: object) -> object:
                made = whole(*arguments)
                if made is None:
                    return None
                value = getattr(made, field)
                wrong = (
                    tuple((k, 2 * c) for k, c in value) if isinstance(value, tuple) else value + 1
                )
                return replace(made, **{field: wrong})

            monkeypatch.setattr(module, name, changed)

        return patch

    for field in ("rate", "beta", "gamma", "weights", "start"):
        patch = series(free_evolution, "free_evolution", field)
        yield f"recurrence of free evolution, {field}, SYM", patch, SYM4, "A-B"

    def attribute(
        module: object, name: str, change: Callable[..., object]
    ) -> Callable[[pytest.MonkeyPatch], None]:
        def patch(monkeypatch: pytest.MonkeyPatch) -> None:
            whole = getattr(module, name)
            monkeypatch.setattr(module, name, lambda *a, **k: change(whole(*a, **k)))

        return patch

    def larger(value: object) -> object:
        return value * 1.002

    def tripled(value: object) -> object:
        return type(value).parse("theta*z2**4 - z4")

    places = [
        *((certified.Evaluator, "__call__", larger, SYM2, name) for name in ("A-B-E", "E-A")),
        (certified.Evaluator, "__call__", larger, ASYM2, "C-D"),
        (certified.Evaluator, "__call__", larger, DATA, "small-data & narrow-latent"),
        (certified.Evaluator, "__call__", larger, DATA, "mean-field"),
        (spectral_formulas, "moment_in_sizes", lambda m: m * 2, DATA, "mean-field"),
        (narrow_latent, "moment_in_sizes", lambda m: m * 2, DATA, "narrow-latent"),
        (few_data, "_initial", lambda m: m * Fraction(21, 20), DATA, "small-data & free"),
        (
            finite_data_small,
            "data_moments",
            lambda pair: (pair[0] * 1.002, pair[1]),
            DATA,
            "small-data & free",
        ),
        (symmetric_even, "contracted_loss", tripled, SYM4, "A-B-E"),
        (symmetric_even, "_theta", lambda x: x * Fraction(21, 20), SYM4, "A-B-E"),
        (symmetric_even, "double_factorial", lambda x: x + 1, SYM4, "B-E"),
        (
            asymmetric_mean_field,
            "contracted_loss",
            lambda loss: type(loss).parse("z1_1_1**2 - z1_1_1"),
            ASYM3,
            "C-D",
        ),
        (
            asymmetric_narrow,
            "contracted_loss",
            lambda loss: type(loss).parse("1/2*z2_0_0*z0_2_0*z0_0_2 - 2*z1_1_1"),
            ASYM3,
            "E-A",
        ),
    ]
    for module, name, change, problem, regime in places:
        words = f"{module.__name__}.{name}, {regime}"
        yield words, attribute(module, name, change), problem, regime


MUTATIONS = list(mutations())


@pytest.mark.parametrize(
    ("patch", "problem", "name"),
    [case[1:] for case in MUTATIONS],
    ids=[case[0] for case in MUTATIONS],
)
def test_every_mutation_is_refused(
    patch: Callable[[pytest.MonkeyPatch], None],
    problem: Problem,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found(problem)
    patch(monkeypatch)
    assert not holds(problem, name)


def test_a_changed_rate_of_a_power_law_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vertices that are found: their evaluator, and their recurrence."""
    from expansion.models import two_layer

    problem = two_layer(degree=1)
    names = [regime.name for regime in found(problem) if regime.dimension == 0]
    solved = {n: solution(found(problem), n) for n in names}
    derived = [
        n
        for n, one in solved.items()
        if any(step.title.startswith("Recurrence") for step in one.derivation)
    ]
    assert derived and all(holds(problem, name) for name in derived)
    # Without it the effective dynamics would put the right solution in the place of a wrong one.
    monkeypatch.setattr(solving, "effective_answer", lambda *_: Answer(HierarchySummary()))
    whole = power_law._recurrence

    def changed(numbers: tuple[Fraction, ...]) -> tuple[object, ...]:
        return whole([c * Fraction(51, 50) ** s for s, c in enumerate(numbers)])

    monkeypatch.setattr(power_law, "_recurrence", changed)
    assert not any(holds(problem, name) for name in derived)
