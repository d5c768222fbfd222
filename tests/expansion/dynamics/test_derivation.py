"""Effective dynamics against exact coefficients, in every regime of many problems.

Leading parts are enumerated diagram by diagram; the hierarchy of cores knows nothing of them.
"""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from diagrams.diagram import Diagram
from diagrams.errors import BudgetExceededError, InvalidInputError
from diagrams.generator import Generator
from diagrams.sums import DiagramSum
from expansion.dynamics.averages import Averages
from expansion.dynamics.derivation import EffectiveDynamics, RefusedError, derive
from expansion.dynamics.hierarchy import GrowthError
from expansion.dynamics.particle import Closure
from expansion.leading import LeadingSeries
from expansion.models import cp, deep_linear, tied_autoencoder, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from expansion.series import Budget, LossSeries, Progress

PROBLEMS: dict[str, tuple[Problem, int]] = {
    "symmetric 2": (cp(order=2, symmetric=True), 6),
    "symmetric 3": (cp(order=3, symmetric=True), 4),
    "symmetric 4": (cp(order=4, symmetric=True), 3),
    "asymmetric 2": (cp(order=2), 6),
    "asymmetric 3": (cp(order=3), 5),
    "asymmetric 4": (cp(order=4), 4),
    "two layers": (two_layer(degree=2), 4),
    "deep": (deep_linear(depth=3), 5),
    "teacher": (cp(order=2, symmetric=True, target="teacher"), 5),
    "data": (tied_autoencoder(data=True), 4),
}

FACES = [
    *(("symmetric 2", name, Closure.FINITE) for name in ("A", "B", "E", "E-A", "B-E")),
    *(("symmetric 2", name, Closure.WORDS) for name in ("A-B", "A-B-E")),
    *(("symmetric 3", name, Closure.FINITE) for name in ("A", "A-B")),
    ("symmetric 3", "E-A", Closure.ONE_SITE),
    *(("symmetric 4", name, Closure.FINITE) for name in ("A", "B", "A-B")),
    *(("symmetric 4", name, Closure.ONE_SITE) for name in ("E", "E-A", "B-E", "A-B-E")),
    *(("asymmetric 2", name, Closure.FINITE) for name in ("A", "B", "C", "D", "E")),
    *(("asymmetric 2", name, Closure.FINITE) for name in ("E-A", "B-C", "C-D", "D-E")),
    *(("asymmetric 3", name, Closure.FINITE) for name in ("A", "B", "C")),
    *(("asymmetric 3", name, Closure.ONE_SITE) for name in ("D", "E", "E-A", "C-D", "D-E")),
    ("asymmetric 4", "A", Closure.FINITE),
    ("asymmetric 4", "E-A", Closure.ONE_SITE),
    *(("two layers", name, Closure.FINITE) for name in ("V1", "V2", "V3", "V1-V2", "V2-V3")),
    *(("deep", name, Closure.FINITE) for name in ("V2", "V4", "V5", "V4-V5")),
    *(("teacher", name, Closure.FINITE) for name in ("V1", "V2", "V3", "V4", "V1-V2", "V2-V3")),
    ("data", "large-data & narrow-latent", Closure.FINITE),
    ("data", "large-data & mean-field", Closure.FINITE),
]


@cache
def found(name: str) -> Regimes:
    problem, terms = PROBLEMS[name]
    return regimes(problem, terms=terms)


@cache
def tables(name: str) -> Averages:
    return Averages(PROBLEMS[name][0].loss)


@cache
def derived(name: str, regime: str) -> EffectiveDynamics:
    return derive(found(name), regime, averages=tables(name))


def short(core: object) -> str:
    return str(core).split("; ")[-1]


def shown(terms: object) -> dict[str, str]:
    return {
        " ".join(sorted(short(core) for core in term.cores)): str(term.coefficient)
        for term in terms  # type: ignore[attr-defined]
    }


@pytest.mark.parametrize(("problem", "regime", "kind"), FACES)
def test_coefficients_are_the_exact_ones(problem: str, regime: str, kind: Closure) -> None:
    result = derived(problem, regime)
    assert result.certificate.holds
    assert result.certificate.matched == tuple(range(PROBLEMS[problem][1] + 1))
    assert result.kind is kind


def test_a_certificate_of_zeros_is_none() -> None:
    """Beside a wall that moves no coefficient after the first has the order it should have."""
    result = derived("symmetric 3", "B")
    assert not result.certificate.failed
    assert result.certificate.weight == 0
    with pytest.raises(RefusedError):
        result.coefficients(2)


@pytest.mark.parametrize(
    ("problem", "regime"),
    [("symmetric 2", "A-B-E"), ("symmetric 4", "A-B-E"), ("asymmetric 2", "B-C")],
)
def test_coefficients_are_the_leading_series(problem: str, regime: str) -> None:
    leading = LeadingSeries(found(problem), found(problem)[regime])
    own = derived(problem, regime).coefficients(leading.last)
    assert own == tuple(leading[s] for s in range(leading.last + 1))


@pytest.mark.parametrize("regime", ["E", "A-B-E"])
def test_coefficients_beyond_the_map(regime: str) -> None:
    """A map of few coefficients certifies; more exact ones confirm what it did not see."""
    few = derive(regimes(cp(order=2, symmetric=True), terms=4), regime)
    more = LeadingSeries(found("symmetric 2"), found("symmetric 2")[regime])
    assert few.coefficients(6)[5:] == (more[5], more[6])


def test_potential_of_the_symmetric_triangle() -> None:
    result = derived("symmetric 4", "A-B-E")
    bundle = "U(H0,p0)^2"
    assert shown(result.potential) == {
        "U(H0,p0)^4": "-1",
        " ".join([bundle] * 4): "3/2*p**-2*H**-2 + 1/2*H**-3",
    }


def test_potential_of_a_mean_field() -> None:
    overlap = "U1(H0,p0) U2(H0,p0)"
    assert shown(derived("asymmetric 2", "C-D").potential) == {
        overlap: "-1",
        f"{overlap} {overlap}": "1/2*p**-1",
    }


def test_mean_field_of_order_two_is_the_known_solution() -> None:
    """f' = 2r(1 - f), r' = 2f(1 - f), f(0) = 0, r(0) = H sigma2; L = p/2 (1 - f)^2."""
    last = 12
    f, r = [Polynomial()], [Polynomial.parse("H*sigma2")]
    for k in range(last):
        left = [one * Fraction(2) for one in r]
        rates = [
            sum(
                (
                    series[i] * (Polynomial({(): int(j == 0)}) - f[j])
                    for i in range(k + 1)
                    for j in [k - i]
                ),
                Polynomial(),
            )
            for series in (left, [one * Fraction(2) for one in f])
        ]
        f.append(rates[0] * Fraction(1, k + 1))
        r.append(rates[1] * Fraction(1, k + 1))
    factorial = 1
    own = derived("asymmetric 2", "C-D").coefficients(last)
    half = Polynomial.parse("1/2*p")
    for s in range(1, last + 1):
        factorial *= s
        gap = [Polynomial({(): int(j == 0)}) - f[j] for j in range(s + 1)]
        square = sum((gap[i] * gap[s - i] for i in range(s + 1)), Polynomial())
        assert own[s] == half * square * factorial


def test_system_of_a_finite_hierarchy() -> None:
    system = derived("asymmetric 2", "C-D").closed_system()
    assert len(system.variables) == 2  # the two squares are equal by symmetry
    assert [str(value) for value in system.initial] == ["0", "p*H*sigma2"]


def test_particle_of_a_one_site_hierarchy() -> None:
    particle = derived("asymmetric 3", "E-A").particle()
    assert [str(coordinate) for coordinate in particle.coordinates] == ["U1", "U2", "U3"]
    assert not particle.still
    assert dict(particle.weight) == {"H": 1, "p": 1}
    assert {term.moments: str(term.coefficient) for term in particle.potential} == {
        (((1, 1, 1), 1),): "-1",
        (((0, 0, 2), 1), ((0, 2, 0), 1), ((2, 0, 0), 1)): "1/2*H**-2",
    }


def test_cores_that_fluctuate_are_averaged_over() -> None:
    result = derived("two layers", "V3")
    assert len(result.random) == 1
    assert str(result.covariance["g_1", "g_1"]) == "H*sigma2"
    assert any("g_1" in value.symbols for value in result.closed_system().initial)


def test_output_weights_are_numbers_of_their_own() -> None:
    """In V1-V2 all units move alike: sum a_k and sum w_ki^2 close, as a_k (w_k . w_k) alone do not.

    With sum a_k w_ki^2 and sum a_k^2 w_ki^2 as cores the fifth coefficient was wrong: the sum of
    a_k^3 w_ki^2 becomes as large, but only after three derivatives.
    """
    result = derived("two layers", "V1-V2")
    assert [short(core) for core, _ in result.cores] == ["a(H0)", "w(H0,p0)^2"]
    longer = regimes(two_layer(degree=2), terms=5)
    assert result.coefficients(5)[5] == LeadingSeries(longer, longer["V1-V2"])[5]


def test_a_loss_that_does_not_drive_the_flow() -> None:
    loss = derived("asymmetric 2", "C-D")
    alignment = derive(found("asymmetric 2"), "C-D", loss="alignment")
    assert alignment.certificate.holds
    assert alignment.coefficients(1)[1] == loss.coefficients(1)[1] * -1
    assert alignment.coefficients(2)[2] != loss.coefficients(2)[2] * -1


@pytest.mark.parametrize(("problem", "regime"), [("asymmetric 2", "C-D"), ("deep", "V2")])
def test_a_wrong_multiplicity_is_refused(
    problem: str, regime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Generator.merged

    def wrong(self: Generator, first: Diagram, second: Diagram) -> DiagramSum:
        merged = exact(self, first, second)
        terms = dict(merged.terms)
        first_term = min(terms, default=None)
        if first_term is not None and len(terms) > 1:
            terms[first_term] += 1
        return DiagramSum(terms)

    monkeypatch.setattr(Generator, "merged", wrong)
    result = derive(found(problem), regime)
    assert not result.certificate.holds
    with pytest.raises(RefusedError):
        result.coefficients(2)
    with pytest.raises(RefusedError):
        result.closed_system()


def test_a_fluctuating_block_taken_for_its_mean_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the symmetric triangle of order 2 a row's overlaps with others are no numbers."""
    from expansion.dynamics import separation

    monkeypatch.setattr(separation, "_concentrated", lambda spread: True)
    monkeypatch.setattr(separation.Separation, "_different", lambda *arguments: True)
    try:
        result = derive(found("symmetric 2"), "A-B-E")
    except GrowthError:
        return
    assert not result.certificate.holds


def test_a_fluctuating_core_taken_for_a_number_is_refused() -> None:
    """Without the average over the Gaussian core the coefficients of V3 are wrong."""
    result = derived("two layers", "V3")
    frozen = replace(result, random=())
    assert result.certificate.holds
    assert not frozen.certificate.holds
    with pytest.raises(RefusedError):
        frozen.coefficients(2)


def test_budgets_stop_a_derivation() -> None:
    result = derive(found("asymmetric 2"), "A-B", budget=Budget(diagrams=2000))
    assert result.depth is not None
    assert result.certificate.matched == tuple(range(result.depth + 1))
    with pytest.raises(BudgetExceededError):
        result.coefficients(12)


def outcome(problem: str, regime: str, shared: Averages | None, diagrams: int) -> object:
    """What a derivation finds within a budget, and what it counted."""
    counted = 0

    def follow(progress: Progress) -> None:
        nonlocal counted
        counted = progress.diagrams

    try:
        result = derive(
            found(problem),
            regime,
            budget=Budget(diagrams=diagrams),
            progress=follow,
            averages=shared,
        )
    except (BudgetExceededError, GrowthError) as error:
        return str(error)
    return result.depth, result.cores, result.certificate, counted


@pytest.mark.parametrize(
    ("problem", "diagrams"),
    [("asymmetric 2", 3000), ("symmetric 3", 2000), ("two layers", 300), ("teacher", 3000)],
)
def test_the_counted_work_does_not_depend_on_the_order_of_regimes(
    problem: str, diagrams: int
) -> None:
    """Means are shared by all regimes; each is charged what it would have done alone."""
    names = [regime.name for regime in found(problem)][:5]
    forwards, backwards = (Averages(PROBLEMS[problem][0].loss) for _ in range(2))
    first = {name: outcome(problem, name, forwards, diagrams) for name in names}
    second = {name: outcome(problem, name, backwards, diagrams) for name in names[::-1]}
    alone = {name: outcome(problem, name, None, diagrams) for name in names}
    assert first == second == alone


def test_what_was_stopped_is_charged_in_full_later() -> None:
    """A derivation that ran out of its budget leaves nothing that others get for less."""
    shared = Averages(PROBLEMS["asymmetric 2"][0].loss)
    for diagrams in (300, 1000, 2500):
        outcome("asymmetric 2", "A-B", shared, diagrams)
    late = outcome("asymmetric 2", "A-B", shared, 5000)
    assert late == outcome("asymmetric 2", "A-B", None, 5000)


def test_symmetric_weights_have_the_means_of_the_engine() -> None:
    """A factor of a symmetric tensor is merged in both orders, with half the weight each."""
    from expansion.problem_files.problem_file import read_problem_file

    problem = read_problem_file(Path("examples/symmetric_noise.toml"))
    table = Averages(problem.loss)
    series = LossSeries(problem)
    loss = [table.derivatives(diagram, 1)[1] for diagram, _ in problem.loss]
    total: dict[object, Fraction] = {}
    for value, (_, c) in zip(loss, problem.loss, strict=True):
        for powers, count in value.items():
            total[powers] = total.get(powers, Fraction(0)) + c * count
    assert Polynomial({k: c for k, c in total.items() if c}) == series[1]  # type: ignore[misc]


def test_coefficients_need_a_problem() -> None:
    bare = regimes([*found("symmetric 2").exponents.coefficients])
    with pytest.raises(InvalidInputError):
        derive(bare, bare.regimes[0].name)


def test_symmetric_tensors_change_nothing() -> None:
    """Merging exchangeable cores is a short cut: without it the coefficients are the same."""
    problem, _ = PROBLEMS["asymmetric 3"]
    apart = derive(found("asymmetric 3"), "C-D", averages=Averages(problem.loss, exchange=False))
    assert apart.coefficients(7) == derived("asymmetric 3", "C-D").coefficients(7)
    assert len(apart.cores) > len(derived("asymmetric 3", "C-D").cores)


@pytest.mark.parametrize("regime", ["C-D", "E-A"])
def test_scales_from_the_hierarchy_are_those_of_whole_diagrams(regime: str) -> None:
    result = derived("asymmetric 3", regime)
    hierarchy = result._hierarchy
    compared = [core for core, _ in result.cores if len(core.factors) <= 10]
    assert len(compared) > 5
    for core in compared:
        assert hierarchy._extended(core) == hierarchy.scales.of(core)


@pytest.mark.parametrize(
    ("regime", "fifth"),
    [
        ("B", "-11664*p**7*H**6*sigma2**13"),
        ("B-C", "-11664*p**5*H**5*sigma2**10 - 11664*p**7*H**6*sigma2**13"),
    ],
)
def test_a_small_part_of_the_potential_may_move_the_cores(regime: str, fifth: str) -> None:
    """Different components have no overlap on average; yet their overlap, not their size, moves.

    The map has Y_0 ... Y_4; the exact leading part of Y_5 is held out.
    """
    found = regimes(PROBLEMS["symmetric 3"][0], terms=4)
    dynamics = derive(found, regime, rate_of_change=True)
    assert dynamics.kind is Closure.FINITE
    assert dynamics.certificate.matched == (0, 1, 2, 3)
    assert dynamics.coefficients(4)[4] == Polynomial.parse(fifth)


@pytest.mark.parametrize(
    ("regime", "kind"),
    [
        ("V1", Closure.FINITE),
        ("V3-V4", Closure.FINITE),
        ("V4-V5", Closure.FINITE),
        ("F1", Closure.WORDS),
    ],
)
def test_a_temperature_moves_the_cores_too(regime: str, kind: Closure) -> None:
    """Langevin dynamics: the second derivatives of a core stand in its rate."""
    dynamics = derive(noisy(), regime)
    assert dynamics.kind is kind
    assert dynamics.certificate.matched == (0, 1, 2, 3, 4)
    assert any(
        "tau" in str(term.coefficient)
        for core, _ in dynamics.cores[:1]
        for term in dynamics.rate(core)
    )


def test_without_its_noise_a_noisy_regime_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    regime_set = noisy()
    monkeypatch.setattr(Generator, "noise", lambda self, total: DiagramSum())
    with pytest.raises(RefusedError):
        derive(regime_set, "V3-V4").require_certificate()


@cache
def noisy() -> Regimes:
    return regimes(cp(order=2, symmetric=True).driven_by(temperature="tau"), terms=4)
