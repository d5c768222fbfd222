"""The numbers at which a problem is simulated: sizes, variances, T.

>>> from expansion.models import cp
>>> read_values(cp(order=2), {"p": 3, "H": 2, "sigma2": 0.5})
{'T': 1.0, 'p': 3.0, 'H': 2.0, 'sigma2': 0.5}

Source: ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite, nan

from diagrams.errors import InvalidInputError
from diagrams.tensors import UNIT_VARIANCE
from expansion.problem import Problem

__all__ = ["read_values"]


def read_values(problem: Problem, at: Mapping[str, Fraction | float]) -> dict[str, float]:
    """Check the values of all symbols of a problem, with T = 1 where it is not given.

    Raises
    ------
    InvalidInputError
        If a symbol is missing, unknown or not finite, a size is not a positive integer, a variance
        negative or T not positive.
    """
    sizes = set(problem.growing)
    variances = {tensor.variance for tensor in problem.tensors if tensor.is_random}
    variances -= {UNIT_VARIANCE}
    known = sizes | variances | {*problem.amplitude_symbols} | {"T"}
    if not isinstance(at, Mapping):
        raise InvalidInputError(
            f"values {str(at)[:40]}: are no mapping from symbols to numbers; give one for each of "
            f"{', '.join(sorted(known))}"
        )
    given = {"T": 1.0} | dict(at)
    for name in sorted(known - set(given)):
        raise InvalidInputError(f"symbol {name}: has no value; give it, for example {name}=1")
    for name in sorted(set(given) - known):
        raise InvalidInputError(
            f"symbol {name}: does not occur in {problem.title}; give {', '.join(sorted(known))}"
        )
    values: dict[str, float] = {}
    for name, value in given.items():
        try:
            values[name] = float(value)
        except (OverflowError, TypeError, ValueError):
            values[name] = nan
        if not isfinite(values[name]):
            raise InvalidInputError(f"{name}={value}: is not a finite number; give one")
        if name in sizes and (value != int(value) or value < 1):
            raise InvalidInputError(
                f"size {name}={value}: is not a positive integer; give 1 or more"
            )
        if name in variances and value < 0:
            raise InvalidInputError(f"variance {name}={value}: is negative; give 0 or more")
    if values["T"] <= 0:
        raise InvalidInputError(f"T={given['T']}: is not positive; give T > 0")
    return values
