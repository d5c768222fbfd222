"""The declaration of a file of `pde.solutions`: which regimes it solves, and how.

A solver is a value; the registry is a tuple of them, and the first that applies is used. It is
given the problem, the regime and the exact leading series, derives a `Solution` with the machinery
of this package, and proves nothing itself: the certificate is computed by `pde.solving`.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from expansion.leading import LeadingSeries
from expansion.problem import Problem
from expansion.recognition import recognised
from pde.evolution import Solution

__all__ = ["CpModel", "Solved", "Solver", "cp_model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A line of the table of what is solved.

    Parameters
    ----------
    model : str
        The problems, in a few words.
    regimes : tuple of str
        Names of the regimes of one of them.
    method : str
        How, in a few words.
    holds : str
        For which times.
    example : callable, optional
        Makes one of the problems.
    """

    model: str
    regimes: tuple[str, ...]
    method: str
    holds: str
    example: Callable[[], Problem] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solver:
    """A way to solve some regimes of some problems.

    Parameters
    ----------
    title : str
        What it solves, in a few words.
    source : str
        Paper and section, or "ours".
    applies : callable
        Whether it solves a regime, given by its name, of a problem.
    derive : callable
        Makes the solution from the problem, the name of the regime and its leading series.
    losses : tuple of str, optional
        Names of losses that it solves besides the one that drives the flow.
    solved : tuple of Solved
        Its lines of the table of what is solved.
    """

    title: str
    source: str
    applies: Callable[[Problem, str], bool]
    derive: Callable[[Problem, str, LeadingSeries], Solution]
    losses: tuple[str, ...] = ()
    solved: tuple[Solved, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CpModel:
    """The parameters of a CP model."""

    order: int
    symmetric: bool
    target: str


def cp_model(problem: Problem) -> CpModel | None:
    """The CP model that a problem is by its loss, in its own symbols; None if it is another one.

    Examples
    --------
    >>> from expansion.models import cp
    >>> cp_model(cp(order=4, symmetric=True))
    CpModel(order=4, symmetric=True, target='identity')
    """
    found = recognised(problem)
    if found is None or not found.is_itself or "order" not in dict(found.preset.options):
        return None
    options = dict(found.preset.options)
    return CpModel(
        order=int(options["order"]),
        symmetric=bool(options["symmetric"]),
        target=str(options["target"]),
    )
