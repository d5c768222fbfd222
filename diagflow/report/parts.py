"""Which parts of a report, or of a page, are finished, and which are missing.

>>> unfinished_coefficients(3, 5), unfinished_coefficients(4, 5), unfinished_coefficients(5, 5)
(['Y_4 ... Y_5: not finished'], ['Y_5: not finished'], [])

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from diagrams.errors import BudgetExceededError, DiagflowError
from pde.evolution import Method, Solution

__all__ = ["is_interrupted", "simulable", "unfinished_coefficients", "unfinished_solutions"]


def is_interrupted(stops: Iterable[BaseException]) -> bool:
    """Whether the user was among what stopped the work."""
    return any(isinstance(stop, KeyboardInterrupt) for stop in stops)


def unfinished_coefficients(last: int, wanted: int | None) -> list[str]:
    """The missing ones of Y_0 ... Y_wanted if they are known up to another one.

    Parameters
    ----------
    last : int
        The last coefficient that is known.
    wanted : int, optional
        None if as many as there was time for were asked for.
    """
    if wanted is None or last >= wanted:
        return []
    first = f"Y_{last + 1}"
    rest = first if last + 1 == wanted else f"{first} ... Y_{wanted}"
    return [f"{rest}: not finished"]


def unfinished_solutions(solved: Mapping[str, Solution | DiagflowError]) -> list[str]:
    """The missing solutions of regimes, by their names."""
    return [
        f"the solution of regime {name}"
        for name, known in solved.items()
        if isinstance(known, BudgetExceededError)
    ]


def simulable(solved: Mapping[str, Solution | DiagflowError]) -> list[str]:
    """The regimes with a solution of their own, which a simulation can be compared with."""
    return [
        name
        for name, known in solved.items()
        if not isinstance(known, DiagflowError) and known.method is not Method.RESUMMED
    ]
