"""Maps of regimes that several tests look at, made once in each process of tests."""

from __future__ import annotations

from functools import cache

from expansion.models import cp
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes


@cache
def regimes_of(problem: Problem, terms: int, loss: str | None = None) -> Regimes:
    """The regimes of a problem, from Y_0 ... Y_terms."""
    return regimes(problem, terms=terms, loss=loss)


def cp_regimes(order: int, symmetric: bool, terms: int, target: str = "identity") -> Regimes:
    """Those of a CP model."""
    return regimes_of(cp(order=order, symmetric=symmetric, target=target), terms)
