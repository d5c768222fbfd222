"""Exact leading coefficients to certify solutions with, from the engine."""

from collections.abc import Callable

import pytest

from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial
from expansion.regimes import Learning
from tests.problems import cp_regimes


@pytest.fixture(scope="session")
def leading_series() -> Callable[..., LeadingSeries]:
    def make(*, order: int, symmetric: bool, terms: int, regime: str) -> LeadingSeries:
        table = cp_regimes(order, symmetric, terms)
        return LeadingSeries(table, table[regime])

    return make


@pytest.fixture(scope="session")
def leading_rows() -> Callable[[LeadingSeries], tuple[Polynomial, ...]]:
    """lead(Y_s) for all known s, with the pure-target term unless the regime is free."""

    def make(leading: LeadingSeries) -> tuple[Polynomial, ...]:
        rows = [leading[s] for s in range(leading.last + 1)]
        if leading.regime.learning is not Learning.FREE:
            rows[0] = rows[0] + leading.regimes.exponents.pure_target
        return tuple(rows)

    return make
