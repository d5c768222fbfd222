"""Averages over a standard Gaussian variable, with an error estimate.

For v ~ N(0, 1) the average of f is an integral over v > 0 of f(v) + f(-v). The substitution

    v = exp(x - exp(-x))

makes the integrand vanish double exponentially at both ends of the real line, so the trapezoidal
rule converges exponentially (double-exponential quadrature). It keeps doing so when f varies over
many scales near v = 0, as (1 + c v^2)^{-1} does for large c, where Gauss-Hermite rules fail.

The error is estimated by halving the step: every second node is a node of the coarser rule.

>>> round(average(lambda v: v**4).value, 12)
3.0
>>> rule = gaussian_rule(5)
>>> bool(abs(rule.weights @ rule.nodes**6 - 15) < 1e-11)
True

Source: H. Takahasi, M. Mori, Publ. RIMS 9 (1974) 721, for the method; the choices are ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import mpmath
import numpy as np
from numpy.typing import NDArray

from diagrams.errors import DiagflowError, InvalidInputError

__all__ = [
    "Estimate",
    "GaussianRule",
    "QuadratureError",
    "average",
    "gaussian_rule",
    "precise_average",
]

FloatArray = NDArray[np.float64]

_LOWER, _UPPER = -3.75, 2.75
"""Outside, v**m exp(-v**2/2) is below 1e-17 of its integral for m = 0 ... 20."""

COARSEST, FINEST = 3, 9
"""Levels of a rule: its step is 2**-level."""


class QuadratureError(DiagflowError):
    """An integral does not reach its tolerance, as when it does not exist."""

    code = "quadrature"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and a bound on its error that was observed, not proved.

    Parameters
    ----------
    value : float
    error : float
        Absolute.
    """

    value: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class GaussianRule:
    """Positive nodes and weights that add up to one: averages of even functions of v ~ N(0, 1).

    Parameters
    ----------
    nodes : numpy.ndarray, shape (n,)
    weights : numpy.ndarray, shape (n,)
    """

    nodes: FloatArray
    weights: FloatArray


@lru_cache(maxsize=16)
def gaussian_rule(level: int) -> GaussianRule:
    """The rule of step 2**-level for even functions.

    Parameters
    ----------
    level : int
        From `COARSEST` to `FINEST`.

    Raises
    ------
    InvalidInputError
        If the level is outside.

    Examples
    --------
    >>> gaussian_rule(4).nodes.size
    105
    """
    if not COARSEST <= level <= FINEST:
        raise InvalidInputError(
            f"level {level}: is not between {COARSEST} and {FINEST}; the step is 2**-level"
        )
    x = np.arange(round(_LOWER * 2**level), round(_UPPER * 2**level) + 1) / 2.0**level
    nodes = np.exp(x - np.exp(-x))
    density = np.sqrt(2 / np.pi) * np.exp(-(nodes**2) / 2)
    weights = density * nodes * (1 + np.exp(-x)) / 2.0**level
    nodes.setflags(write=False)
    weights.setflags(write=False)
    return GaussianRule(nodes, weights)


def average(
    function: Callable[[FloatArray], FloatArray], *, relative_tolerance: float = 1e-12
) -> Estimate:
    """The average of f(v), v ~ N(0, 1).

    Parameters
    ----------
    function : callable
        f, on arrays.
    relative_tolerance : float, default 1e-12
        The step is halved until two rules agree to this.

    Returns
    -------
    Estimate
        The value of the finer rule and its distance from the coarser one.

    Raises
    ------
    QuadratureError
        If the finest rules still disagree, or a value is not finite.

    Examples
    --------
    >>> import math
    >>> result = average(np.cos)
    >>> abs(result.value - math.exp(-0.5)) <= 1e-14
    True
    >>> average(lambda v: 1 / (v - 1))
    Traceback (most recent call last):
        ...
    pde.numerics.gaussian_quadrature.QuadratureError: Gaussian average: rules of steps 2**-8 and ...
    """
    previous = difference = np.nan
    for level in range(COARSEST, FINEST + 1):
        rule = gaussian_rule(level)
        with np.errstate(all="ignore"):
            values = function(rule.nodes) + function(-rule.nodes)
            value = float(rule.weights @ values) / 2
        difference = abs(value - previous)
        if math.isfinite(value) and difference <= relative_tolerance * abs(value):
            return Estimate(value, difference)
        previous = value
    raise QuadratureError(
        f"Gaussian average: rules of steps 2**-{FINEST - 1} and 2**-{FINEST} differ by "
        f"{difference:.2g}; the integral may not exist, or raise the tolerance"
    )


def precise_average(
    function: Callable[[mpmath.mpf], mpmath.mpf], *, digits: int = 30, even: bool = False
) -> mpmath.mpf:
    """The average of f(v), v ~ N(0, 1), to many digits.

    Parameters
    ----------
    function : callable
        f, on multiple-precision numbers.
    digits : int, default 30
    even : bool, default False
        Whether f(-v) = f(v), which halves the work.

    Raises
    ------
    QuadratureError
        If the digits are not reached.

    Examples
    --------
    >>> value = precise_average(lambda v: mpmath.exp(-(v**2)), digits=25, even=True)
    >>> mpmath.nstr(value, 25)
    '0.5773502691896257645091488'
    """
    with mpmath.workdps(digits + 10):
        half = [mpmath.mpf(2) ** k for k in range(-8, 5)]
        reach = mpmath.sqrt(2 * (digits + 30) * mpmath.log(10))
        breaks = [mpmath.mpf(0), *half, reach * 2]

        def integrand(v: mpmath.mpf) -> mpmath.mpf:
            value = 2 * function(v) if even else function(v) + function(-v)
            return value * mpmath.exp(-v * v / 2)

        integral, error = mpmath.quad(integrand, breaks, error=True, maxdegree=10)
        value = integral / mpmath.sqrt(2 * mpmath.pi)
        scale = max(abs(value), mpmath.mpf(10) ** (-digits))
        if not (mpmath.isfinite(value) and error <= scale * mpmath.mpf(10) ** (-digits)):
            raise QuadratureError(
                f"Gaussian average: {digits} digits are not reached, the estimated error is "
                f"{mpmath.nstr(error, 2)}; ask for fewer digits"
            )
    with mpmath.workdps(digits):
        return +value
