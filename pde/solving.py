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
from dataclasses import replace
from fractions import Fraction

from diagrams.arguments import instance, positive, shown
from diagrams.errors import InvalidInputError
from expansion.closest_regime import NeglectedShare, neglected_share
from expansion.cumulants import read_cumulant
from expansion.dynamics.any_basis import INDEX_DIAGRAMS, TWIN_DIAGRAMS
from expansion.equivalent_maps import counterpart
from expansion.fourier import InModes, in_modes
from expansion.leading import LeadingSeries, leading_coefficients
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.recognition import recognised
from expansion.regimes import Regime, Regimes, regimes
from expansion.scaling_conditions import Relation
from expansion.series import Budget, Progress
from pde.effective import effective_answer
from pde.evolution import DerivationStep, LossEvolution, Solution
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
        model="any problem with sums modulo p",
        regimes=("regimes whose cores close in Fourier modes and not in indices",),
        method="the [twin in modes](effective-dynamics.md#kinds-of-hierarchies), by the ways above",
        holds="as there",
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
        regimes=("regimes whose cores are words of few Gaussian matrices",),
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
    twin = None if known is None or known.is_itself else counterpart(regime_set, regime, known)
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
    modes = in_modes(regime_set, regime.name)
    enough = {} if modes is None else {"diagrams": INDEX_DIAGRAMS}
    answer = effective_answer(regime_set, regime.name, **enough)
    derived = answer.solution
    if modes is not None and (derived is None or derived.is_series):
        derived = _in_modes(modes, regime.name, regime_set.exponents.loss) or derived
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


def _in_modes(modes: InModes, name: str, loss: str | None) -> Solution | None:
    """What effective dynamics gives in Fourier modes, if that is more than a series."""
    derived = effective_answer(modes.regime_set, name, diagrams=TWIN_DIAGRAMS).solution
    if derived is None or derived.is_series:
        return None
    step = DerivationStep("Fourier modes", modes.step, modes.reason)
    return translated(derived, modes.known, loss, step=step)


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
