"""The band around a loss curve in which single runs lie: the root of the leading variance.

The map of the variance over initialisations has the same scalings as that of the loss. Its regime
at the scaling of the loss's regime is solved like any other (`pde.variance`), and the root of it is
the standard deviation of one run.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
>>> variance = variance_of(regime_set, "E").at({"p": 8, "H": 4, "sigma2": 1 / 800, "T": 1})
>>> band(variance, [0.0])  # the root of 2 p H sigma^4
[0.01]

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite, sqrt

import numpy as np

from diagrams.errors import InvalidInputError
from expansion.cumulants import cumulant_name
from expansion.regime_laws import regimes_at
from expansion.regimes import Regimes, regimes
from expansion.series import Budget, Progress
from expansion.series_store import SeriesStore
from pde.evolution import LossEvolution, Solution
from pde.solving import solution

__all__ = ["band", "variance_of"]

_TERMS = 4
"""The last coefficient of the variance that is expanded, if that of the loss is not smaller."""


def variance_of(
    regime_set: Regimes,
    name: str,
    *,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
    store: SeriesStore | None = None,
) -> Solution:
    """The solution of the variance of what a map is of, at the scaling of one of its regimes.

    Parameters
    ----------
    regime_set : Regimes
    name : str
        Name of the regime.
    budget, progress, store
        For the expansion of the second moment, see `LossSeries`.

    Raises
    ------
    InvalidInputError
        If the map is of given coefficients or of a cumulant, or the variance is not solved there.
    BudgetExceededError
        If the budget does not suffice.
    """
    problem, regime = regime_set.exponents.problem, regime_set[name]
    if problem is None:
        raise InvalidInputError(
            f"variance of regime {regime.name}: belongs to given coefficients; it needs their "
            "problem"
        )
    loss = regime_set.exponents.loss or problem.loss_name
    variance = regimes(
        problem,
        loss=cumulant_name(loss, 2),
        terms=min(regime_set.exponents.last, _TERMS),
        budget=budget,
        progress=progress,
        store=store,
    )
    (place,) = regimes_at(variance, regime.scaling)
    return solution(variance, place.name)


def band(variance: LossEvolution, times: Sequence[float]) -> list[float | None]:
    """The standard deviation of one run at some times; None where it is not known.

    Parameters
    ----------
    variance : LossEvolution
    times : sequence of float
    """
    t = np.asarray(times, dtype=np.float64)
    inside = variance.domain.inside(t)
    values = np.full(t.shape, np.nan)
    if inside.any():
        values[inside] = variance(t[inside])
    # A sum that is not known better than its size is unknown.
    error = [variance.error_at([x]) if known else None for x, known in zip(t, inside, strict=True)]
    return [
        float(f"{sqrt(v):.12g}") if isfinite(v) and v >= 0 and (e or 0.0) <= v / 4 else None
        for v, e in zip(values.tolist(), error, strict=True)
    ]
