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

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from diagrams.errors import InvalidInputError
from expansion.closest import NeglectedShare, neglected_share
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Learning, Regimes, regimes
from expansion.series import Budget, Progress
from pde.evolution import LossEvolution, Solution
from pde.solutions import SOLVERS
from pde.solutions.power_law import power_law_solution
from pde.solutions.resummed import resummed_solution
from pde.solver import Solver

__all__ = ["leading_coefficients", "neglected", "solution", "solve", "solver_for"]


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


def leading_coefficients(leading: LeadingSeries) -> tuple[Polynomial, ...]:
    """lead(Y_0), lead(Y_1), ... as they are summed: with the pure-target term unless free.

    They end before the first coefficient that is zero.
    """
    found = leading.regimes
    result = []
    for s in range(leading.last + 1):
        if s not in found.polyhedra:
            break
        whole = leading[s]
        if s == 0 and leading.regime.learning is not Learning.FREE:
            whole = whole + found.exponents.pure_target
        result.append(whole)
    return tuple(result)


def solution(found: Regimes, name: str) -> Solution:
    """The certified solution of a regime, for symbolic sizes.

    Parameters
    ----------
    found : Regimes
        The regimes of a problem; its exact coefficients are what the certificate compares with.
    name : str
        Name of the regime.

    Raises
    ------
    InvalidInputError
        If there is no such regime, the series does not come from a problem, or no solution is
        known and the regime cannot be resummed.
    """
    regime = found[name]
    problem = found.exponents.problem
    if problem is None:
        raise InvalidInputError(
            f"regime {regime.name}: belongs to given coefficients; a solution needs their problem"
        )
    leading = LeadingSeries(found, regime)
    coefficients = leading_coefficients(leading)
    solver = solver_for(problem, regime.name, loss=found.exponents.loss)
    if solver is not None:
        derived = solver.derive(problem, regime.name, leading)
    else:
        try:
            derived = power_law_solution(problem, regime, leading)
        except InvalidInputError:
            derived = resummed_solution(problem, regime, coefficients)
    return derived.certified(coefficients)


def solve(
    problem: Problem | Regimes,
    regime: str,
    *,
    at: Mapping[str, Fraction | float],
    loss: str | None = None,
    terms: int | None = None,
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
    parameters = _parameters(found, at)
    return solution(found, regime).at(parameters)


def neglected(
    found: Regimes,
    name: str,
    at: Mapping[str, Fraction | float],
    *,
    times: Sequence[float] | None = None,
    losses: Sequence[float] | None = None,
) -> NeglectedShare:
    """How far off the loss of a regime is at given numbers, see `expansion.closest`.

    Parameters
    ----------
    found : Regimes
    name : str
        Name of the regime.
    at : mapping from str to number
        Sizes and variances, and T, which is 1 unless given.
    times, losses : sequence of float, optional
        The times t that are asked for, and the losses of the regime at them if they are known.

    Examples
    --------
    >>> from expansion.models import cp
    >>> found = regimes(cp(order=2, symmetric=True), terms=5)
    >>> share = neglected(found, "A-B-E", {"p": 1, "H": 8, "sigma2": 10}, times=[0.0])
    >>> round(float(share.largest), 3)  # 3920.5 instead of 3520.5
    0.114
    """
    values = {symbol: value for symbol, value in at.items() if symbol != "T"}
    T = Fraction(at.get("T", 1))
    scaled = None if times is None else [Fraction(t) / T for t in times]
    return neglected_share(found, name, values, times=scaled, losses=losses)


def _parameters(found: Regimes, at: Mapping[str, Fraction | float]) -> dict[str, Fraction]:
    symbols: Sequence[str] = (*found.exponents.symbols, "T")
    for name in at:
        if name not in symbols:
            raise InvalidInputError(
                f"parameter {name!r}: is not a symbol of the problem; its symbols are "
                f"{', '.join(symbols)}"
            )
    missing = [name for name in found.exponents.symbols if name not in at]
    if missing:
        raise InvalidInputError(
            f"parameters: there is no value for {', '.join(missing)}; give one for each of "
            f"{', '.join(symbols)}"
        )
    values = {"T": Fraction(1)}
    for name, value in at.items():
        try:
            values[name] = Fraction(value)
        except (OverflowError, ValueError):
            values[name] = Fraction(0)
        if values[name] <= 0:
            raise InvalidInputError(f"{name} = {value}: must be a positive number")
    return values
