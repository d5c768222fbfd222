"""Estimates of cumulants from runs, with their standard errors.

Definition. The *k-statistic* of order K is the symmetric polynomial of n independent values whose
mean is the cumulant of order K: the mean itself, the variance with n - 1 in the denominator, and so
on to order four. Its standard error is that of the jackknife, from the n estimates that leave out
one value each; of the mean it is the usual one.

>>> estimate, error = k_statistic(np.array([[1.0], [2.0], [6.0]]), 2)
>>> float(estimate[0]), round(float(error[0]), 3)
(7.0, 7.0)

Source: R. A. Fisher, "Moments and product moments of sampling distributions", 1930; the jackknife:
J. W. Tukey 1958.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError

__all__ = ["MAXIMAL_ORDER", "check_order", "k_statistic"]

MAXIMAL_ORDER = 4
"""Highest order of a cumulant that is estimated."""

Array = NDArray[np.float64]


def check_order(order: int, runs: int) -> None:
    """Reject quantities that runs do not estimate.

    Raises
    ------
    InvalidInputError
        If the order is above four, or there are too few runs for it.
    """
    if order > MAXIMAL_ORDER:
        raise InvalidInputError(
            f"cumulant {order}: is estimated from runs up to order {MAXIMAL_ORDER}; ask for a "
            "lower one"
        )
    if order > 1 and runs < order:
        raise InvalidInputError(
            f"cumulant {order}: {runs} runs do not estimate it; give {order + 1} or more"
        )


def k_statistic(values: Array, order: int) -> tuple[Array, Array]:
    """The estimate of a cumulant and its standard error, for every column.

    Parameters
    ----------
    values : array, shape (runs, times)
    order : int
        From 1 to 4.

    Returns
    -------
    tuple of array
        NaN where too few runs, or runs that are not finite, define nothing.
    """
    runs = len(values)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        center = np.mean(values, axis=0)
        if order == 1:
            if runs < 2:
                return center, np.full_like(center, np.nan)
            return center, np.asarray(np.std(values, axis=0, ddof=1) / np.sqrt(runs))
        if runs < order:
            return np.full_like(center, np.nan), np.full_like(center, np.nan)
        apart = values - center  # a cumulant of order two and more does not change by a shift
        sums = [np.sum(apart**k, axis=0) for k in range(1, order + 1)]
        estimate = _of_sums(sums, runs)
        if runs <= order:
            return estimate, np.full_like(center, np.nan)
        without = _of_sums([s - apart**k for k, s in enumerate(sums, start=1)], runs - 1)
        spread = np.sum((without - np.mean(without, axis=0)) ** 2, axis=0)
        return estimate, np.asarray(np.sqrt(spread * (runs - 1) / runs))


def _of_sums(sums: list[Array], n: int) -> Array:
    """The k-statistic from the sums of the powers of n values."""
    first, second = sums[:2]
    if len(sums) == 2:
        return np.asarray((n * second - first**2) / (n * (n - 1)))
    third = sums[2]
    if len(sums) == 3:
        total = 2 * first**3 - 3 * n * first * second + n**2 * third
        return np.asarray(total / (n * (n - 1) * (n - 2)))
    total = (
        -6 * first**4
        + 12 * n * first**2 * second
        - 3 * n * (n - 1) * second**2
        - 4 * n * (n + 1) * first * third
        + n**2 * (n + 1) * sums[3]
    )
    return np.asarray(total / (n * (n - 1) * (n - 2) * (n - 3)))
