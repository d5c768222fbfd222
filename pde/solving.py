"""From a problem and the name of a regime to a certified loss evolution.

The exact series gives the regimes; a solver derives the sum of the leading parts; its Taylor
coefficients are compared with the exact leading parts; numbers turn it into a function of time. A
regime that no solver knows is resummed from its exact leading coefficients, with an error estimate.

>>> from expansion.models import cp
>>> evolution = solve(
...     cp(order=3), "C", at={"p": 100, "H": 10**7, "sigma2": Fraction(1, 10**4)}, terms=4
... )
>>> evolution.method.value, evolution.certificate.matched
('closed-form', (0, 1, 2, 3, 4))
>>> print(f"{float(evolution(0.0)):.3f}")
50.000

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache

from diagrams.arguments import instance, positive, shown
from diagrams.errors import InvalidInputError
from expansion.closest_regime import NeglectedShare, neglected_share
from expansion.cumulants import read_cumulant
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.recognition import Recognised, recognised
from expansion.regimes import Regime, Regimes, regimes
from expansion.scaling_conditions import Relation
from expansion.series import Budget, Progress
from expansion.series_exponents import SeriesExponents
from pde.effective import effective_answer
from pde.evolution import LossEvolution, Solution
from pde.late_law import late_law_solution
from pde.power_law import power_law_solution
from pde.resummed_series import resummed_solution
from pde.solutions import SOLVERS
from pde.solver import Solved, Solver
from pde.translation import translated
from pde.vertex_sums import sum_of_solutions

__all__ = [
    "GENERAL",
    "leading_coefficients",
    "neglected",
    "solution",
    "solve",
    "solver_for",
]


GENERAL: tuple[Solved, ...] = (
    Solved(
        model="any problem",
        regimes=("vertices at which lead(Y_s) obeys a recurrence of first order from s = 0 on",),
        method="closed form",
        holds="before the sum diverges",
    ),
    Solved(
        model="any problem",
        regimes=("edges whose monomials all belong to one of their vertices",),
        method="the sum of the two",
        holds="where both hold",
    ),
    Solved(
        model="any problem",
        regimes=("regimes whose cores close, fluctuating ones included",),
        method="[effective dynamics](effective-dynamics.md): a system of equations, in "
        "closed form where there is one",
        holds="until the loss blows up",
    ),
    Solved(
        model="any problem, any loss",
        regimes=("regimes whose cores are on one site, with rates, decay and fixed factors",),
        method="the particle in the effective potential; [from bounded entries]"
        "(../reference/laws.md#descent-from-bounded-entries) under descent, too",
        holds="where its average exists",
    ),
    Solved(
        model="any problem",
        regimes=(
            "regimes whose reduced potential is that of SYM order 2 on A-B-E or A-B, or of the "
            "tied autoencoder on data where it is solved",
        ),
        method="the solution of that one, in other units",
        holds="as there",
    ),
    Solved(
        model="any problem",
        regimes=("regimes whose cores form chains",),
        method="moments of a [spectrum whose points move](effective-dynamics.md"
        "#kinds-of-hierarchies), from exact moments at time zero",
        holds="until two rules for the spectrum differ",
    ),
    Solved(
        model="any problem",
        regimes=("regimes whose matrices stay functions of one of them",),
        method="[aligned matrices](effective-dynamics.md#kinds-of-hierarchies): numbers for every "
        "singular value, averaged over its law",
        holds="until two rules for the singular values differ",
    ),
    Solved(
        model="any problem",
        regimes=(
            "regimes whose cores are words of one Gaussian matrix, with axes that grow alike",
        ),
        method="its [singular values](effective-dynamics.md#kinds-of-hierarchies), which move as "
        "particles, under inertia with velocities",
        holds="until two rules for them differ",
    ),
    Solved(
        model="any problem",
        regimes=(
            "regimes whose cores are words of few Gaussian matrices, with axes that grow alike",
        ),
        method="an equation that further coefficients confirm, or "
        "[free matrices](effective-dynamics.md#kinds-of-hierarchies)",
        holds="until more letters would change it",
    ),
    Solved(
        model="any problem",
        regimes=("regimes whose cores are other words",),
        method="an equation that further coefficients confirm, or resummed",
        holds="the domain of the equation, or where approximants agree",
    ),
    Solved(
        model="any problem",
        regimes=("few monomials with recurrences of first order after the first terms",),
        method="closed form with the first terms apart",
        holds="before the sum diverges",
    ),
    Solved(
        model="everything else",
        regimes=(),
        method="exact leading coefficients, resummed",
        holds="where approximants agree",
    ),
)
"""What is solved without a solver on file, in the order in which it is tried."""


def solver_for(problem: Problem, regime: str, *, loss: str | None = None) -> Solver | None:
    """The first solver that applies to a regime of a problem, for one of its losses.

    Parameters
    ----------
    problem : Problem
    regime : str
    loss : str, optional
        None is the loss that drives the flow; others are left to solvers that know them.
    """
    for solver in SOLVERS:
        if (loss is None or loss in solver.losses) and solver.applies(problem, regime):
            return solver
    return None


def leading_coefficients(
    leading: LeadingSeries, left_out: Collection[int] = ()
) -> tuple[Polynomial, ...]:
    """lead(Y_0), lead(Y_1), ... as they are summed: with the pure-target term unless free.

    They end with the last one that is not zero.

    Parameters
    ----------
    leading : LeadingSeries
    left_out : collection of int
        The s whose leading part a solution does not contain, see `pde.evolution.Certificate`.
    """
    found = leading.regimes
    result = []
    last = max((s for s in found.polyhedra if s <= leading.last), default=0)
    for s in range(last + 1):
        vanishes = s in left_out or s not in found.polyhedra
        whole = Polynomial() if vanishes else leading[s]
        if s == 0:
            whole = whole + leading.pure_target
        result.append(whole)
    return tuple(result)


def solution(regime_set: Regimes, name: str) -> Solution:
    """The certified solution of a regime, for symbolic sizes.

    Parameters
    ----------
    regime_set : Regimes
        The regimes of a problem; its exact coefficients are what the certificate compares with.
    name : str
        Name of the regime.

    Raises
    ------
    InvalidInputError
        If there is no such regime, the series does not come from a problem, or no solution is
        known and the regime cannot be resummed.
    """
    instance(regime_set, Regimes, "map", remedy="make one, as regimes(problem)")
    regime = regime_set[name]
    problem = regime_set.exponents.problem
    if problem is None:
        raise InvalidInputError(
            f"regime {regime.name}: belongs to given coefficients; a solution needs their problem"
        )
    if regime_set.exponents.discrete:
        raise InvalidInputError(
            f"regime {regime.name}: time is discrete, and there is no series in it to sum; the "
            "exact means after every step are its coefficients, see loss_series(problem)"
        )
    known = recognised(problem)
    twin = None if known is None or known.is_itself else _twin(regime_set, regime, known)
    derived = (
        _solution(regime_set, regime)
        if known is None or twin is None
        else translated(_solution(*twin), known, regime_set.exponents.loss)
    )
    loss = regime_set.exponents.loss
    return replace(
        derived,
        problem=problem.title,
        regime=regime.name,
        symbols=regime_set.exponents.symbols,
        variances=problem.weight_variances,
        positive=loss is None or loss in problem.losses or read_cumulant(loss)[1] == 2,
        descending=loss is None and problem.drive.is_plain,
        scaled_by=tuple(c.powers for c in regime.conditions if c.relation is Relation.CONSTANT),
        natural_time=regime.natural_time,
        decided=regime.decided,
        made_by=(solution, (regime_set, regime.name)),
    )


def _solution(regime_set: Regimes, regime: Regime) -> Solution:
    """The certified solution of a regime, in the symbols of its problem."""
    problem = regime_set.exponents.problem
    assert problem is not None
    leading = LeadingSeries(regime_set, regime)
    coefficients = leading_coefficients(leading)
    derived = _on_file(problem, regime, leading) or _power_law(problem, regime, leading)
    if derived is not None:
        return derived.certified(coefficients)
    derived = _sum_of_vertices(regime_set, regime, coefficients)
    if derived is not None:
        return derived
    answer = effective_answer(regime_set, regime.name)
    derived = answer.solution
    if derived is None or derived.is_series:
        derived = _late_law(problem, regime, coefficients) or derived
    if derived is None:
        derived = resummed_solution(problem, regime, coefficients, _still(regime_set, regime))
        derived = replace(derived, hierarchy=answer.hierarchy)
    return derived


def _sum_of_vertices(
    regime_set: Regimes, regime: Regime, coefficients: Sequence[Polynomial]
) -> Solution | None:
    """The sum of the solutions of the two vertices of an edge that has no monomial between them."""
    vertices = [vertex for vertex in regime_set if vertex.name in regime.vertices]
    if len(vertices) != 2 or not regime.is_primitive_edge:
        return None
    still = _still(regime_set, regime) - sum(
        (_still(regime_set, v) for v in vertices), Polynomial({})
    )
    assert regime_set.exponents.problem is not None
    return sum_of_solutions(
        [_solution(regime_set, vertex) for vertex in vertices],
        still,
        coefficients,
        problem=regime_set.exponents.problem.title,
        regime=regime.name,
    )


def _on_file(problem: Problem, regime: Regime, leading: LeadingSeries) -> Solution | None:
    """The solution of `pde.solutions` for a regime, if there is one.

    The problem is asked for as the preset that it is by its loss, which may have another family.
    """
    known = recognised(problem)
    loss = leading.regimes.exponents.loss
    name = problem.loss_name if loss is None else loss
    if known is None or not known.is_itself or name not in dict(known.losses):
        return None
    solver = solver_for(known.preset, regime.name, loss=loss)
    return None if solver is None else solver.derive(known.preset, regime.name, leading)


def _power_law(problem: Problem, regime: Regime, leading: LeadingSeries) -> Solution | None:
    try:
        return power_law_solution(problem, regime, leading)
    except InvalidInputError:
        return None


def _late_law(
    problem: Problem, regime: Regime, coefficients: Sequence[Polynomial]
) -> Solution | None:
    try:
        return late_law_solution(problem.title, regime, coefficients).certified(coefficients)
    except InvalidInputError:
        return None


def _still(regime_set: Regimes, regime: Regime) -> Polynomial:
    """The part of the leading series that only measures the target."""
    return LeadingSeries(regime_set, regime).pure_target


def _twin(regime_set: Regimes, regime: Regime, known: Recognised) -> tuple[Regimes, Regime] | None:
    """The regime of the preset that a problem is, which has the same leading coefficients.

    It is the one of the same name unless the scalings are restricted. None if the loss of the
    problem is none of the preset.
    """
    exponents = regime_set.exponents
    assert exponents.problem is not None
    if exponents.loss not in (None, *dict(known.losses)):
        return None
    twins = _preset_map(_Series(exponents.coefficients, exponents.pure_target, known, exponents))
    mine = leading_coefficients(LeadingSeries(regime_set, regime))
    for twin in sorted(twins, key=lambda other: other.name != regime.name):
        theirs = leading_coefficients(LeadingSeries(twins, twin))
        if len(theirs) == len(mine) and all(
            known.from_preset(c, s, exponents.loss) == mine[s] for s, c in enumerate(theirs)
        ):
            return twins, twin
    return None


@dataclass(frozen=True, slots=True)
class _Series:
    """The coefficients of a loss of a problem that is a preset under other names."""

    coefficients: tuple[Polynomial, ...]
    pure_target: Polynomial
    known: Recognised
    exponents: SeriesExponents = field(compare=False)


@lru_cache(maxsize=2)
def _preset_map(series: _Series) -> Regimes:
    """The map of the preset, which all regimes of the problem share.

    Where the variances of the problem are sizes, different monomials of the preset may be one, and
    the preset is expanded itself.
    """
    exponents, known = series.exponents, series.known
    name = dict(known.losses)[known.losses[0][0] if exponents.loss is None else exponents.loss]
    loss = None if name == known.preset.loss_name else name
    if not known.units.is_invertible:
        return regimes(SeriesExponents.of_problem(known.preset, loss=loss, terms=exponents.last))
    return regimes(exponents.in_preset(known, loss))


def solve(
    problem: Problem | Regimes,
    regime: str,
    *,
    at: Mapping[str, Fraction | float],
    loss: str | None = None,
    terms: int | None = None,
    slice: str | None = None,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> LossEvolution:
    """The loss evolution in a regime at given numbers.

    Parameters
    ----------
    problem : Problem or Regimes
    regime : str
        Name of the regime.
    at : mapping from str to number
        Sizes and variances, and the inverse learning rate T, which is 1 unless given.
    loss : str, optional
        Which loss or observable of a problem; without it the loss that drives the flow.
    terms : int, optional
        The last coefficient to expand; those known are what the certificate covers.
    slice : str, optional
        Restrict the scalings, and with them the regimes, see `Regimes.restricted`.
    budget, progress
        For the expansion, see `LossSeries`.

    Raises
    ------
    InvalidInputError
        If the problem does not have the regime, a number is missing or not positive, or there is no
        solution.
    """
    found = (
        problem
        if isinstance(problem, Regimes)
        else regimes(problem, loss=loss, terms=terms, budget=budget, progress=progress)
    )
    if slice is not None:
        found = found.restricted(slice)
    parameters = _parameters(found, at)
    return solution(found, regime).at(parameters)


def neglected(
    regime_set: Regimes,
    name: str,
    at: Mapping[str, Fraction | float],
    *,
    times: Sequence[float] | None = None,
    losses: Sequence[float] | None = None,
    left_out: Collection[int] = (),
) -> NeglectedShare:
    """How far off the loss of a regime is at given numbers, see `expansion.closest_regime`.

    Parameters
    ----------
    regime_set : Regimes
    name : str
        Name of the regime.
    at : mapping from str to number
        Sizes and variances, and T, which is 1 unless given.
    times, losses : sequence of float, optional
        The times t that are asked for, and the losses of the regime at them if they are known.
    left_out : collection of int
        The s whose leading part the solution does not contain, see `pde.evolution.Certificate`.

    Examples
    --------
    >>> from expansion.models import cp
    >>> regime_set = regimes(cp(order=2, symmetric=True), terms=5)
    >>> share = neglected(regime_set, "A-B-E", {"p": 1, "H": 8, "sigma2": 10}, times=[0.0])
    >>> round(float(share.largest), 3)  # 3920.5 instead of 3520.5
    0.114
    """
    values = {symbol: value for symbol, value in at.items() if symbol != "T"}
    T = positive(at.get("T", 1), "T")
    scaled = None if times is None else [Fraction(t) / T for t in times]
    return neglected_share(regime_set, name, values, times=scaled, losses=losses, left_out=left_out)


def _parameters(regime_set: Regimes, at: Mapping[str, Fraction | float]) -> dict[str, Fraction]:
    symbols: Sequence[str] = (*regime_set.exponents.symbols, "T")
    if not isinstance(at, Mapping):
        raise InvalidInputError(
            f"parameters {shown(at)}: are no mapping from symbols to numbers; give a number for "
            f"each of {', '.join(symbols)}"
        )
    for name in at:
        if name not in symbols:
            raise InvalidInputError(
                f"parameter {name!r}: is not a symbol of the problem; its symbols are "
                f"{', '.join(symbols)}"
            )
    missing = [name for name in regime_set.exponents.symbols if name not in at]
    if missing:
        raise InvalidInputError(
            f"parameters: there is no value for {', '.join(missing)}; give one for each of "
            f"{', '.join(regime_set.exponents.symbols)} (T is 1 unless given)"
        )
    values = {"T": Fraction(1)}
    return values | {name: positive(value, name) for name, value in at.items()}
