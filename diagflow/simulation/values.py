"""The numbers at which a problem is simulated: sizes, variances, T.

>>> from expansion.models import cp
>>> read_values(cp(order=2), {"p": 3, "H": 2, "sigma2": 0.5})
{'T': 1.0, 'p': 3.0, 'H': 2.0, 'sigma2': 0.5}

Source: ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite, nan, prod

from diagrams.arguments import number, shown
from diagrams.errors import InvalidInputError
from diagrams.generator import Amplitude
from diagrams.tensors import Tensor
from diagrams.variances import Variance
from expansion.problem import Problem

__all__ = ["amplitude_at", "factor_at", "read_values", "signed_factor_at"]


def read_values(problem: Problem, at: Mapping[str, Fraction | float]) -> dict[str, float]:
    """Check the values of all symbols of a problem, with T = 1 where it is not given.

    Raises
    ------
    InvalidInputError
        If a symbol is missing, unknown or not finite, a size is not a positive integer, a variance
        negative or no number, the smaller axis of an isometry the larger one, or T not positive.
    """
    sizes = set(problem.growing)
    # A symbol of a mean alone may be negative.
    positive = {
        name
        for tensor in problem.tensors
        for text in (tensor.variance, tensor.probability)
        for name in (Variance.parse(text).symbols if text else ())
    }
    known = sizes | {*problem.variance_symbols} | {*problem.amplitude_symbols} | {"T"}
    if not isinstance(at, Mapping):
        raise InvalidInputError(
            f"values {shown(at)}: are no mapping from symbols to numbers; give one for each of "
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
            exact = number(value, name)
            values[name] = float(exact)
        except (OverflowError, InvalidInputError):
            raise InvalidInputError(
                f"{name}={value if isinstance(value, float) else shown(value)}: is not a finite "
                "number; give one"
            ) from None
        if name in sizes and (exact.denominator != 1 or exact < 1):
            raise InvalidInputError(
                f"size {name}={value}: is not a positive integer; give 1 or more"
            )
        if name in positive and exact < 0:
            raise InvalidInputError(f"variance {name}={value}: is negative; give 0 or more")
    for small, large in problem.nested:
        least, most = (float(axis.pinned or values[axis.name]) for axis in (small, large))
        if least > most:
            raise InvalidInputError(
                f"size {small.name}={least:g}: is larger than {large.name}={most:g}, which an "
                f"isometry forbids; give a smaller {small.name}"
            )
    for tensor in problem.tensors:
        if tensor.is_random:
            _check_law(tensor, values)
    if values["T"] <= 0:
        raise InvalidInputError(f"T={given['T']}: is not positive; give T > 0")
    return values


def amplitude_at(amplitude: Amplitude, values: Mapping[str, float]) -> float:
    """The value of a number times symbols.

    Examples
    --------
    >>> from diagrams.tensors import Axis
    >>> amplitude_at(Amplitude(Fraction(1, 2), (Axis("eta"), Axis("eta"))), {"eta": 3.0})
    4.5
    """
    return float(amplitude.number) * prod(values[axis.name] for axis in amplitude.symbols)


def _check_law(tensor: Tensor, values: Mapping[str, float]) -> None:
    """Whether the entries of a tensor can be drawn at some values."""
    if tensor.cumulants:
        raise InvalidInputError(
            f"tensor {tensor.name}: a law that is given by cumulants cannot be drawn from; give "
            "one of gaussian, rademacher, uniform and bernoulli"
        )
    for title, text in (("variance", tensor.variance), ("mean", tensor.mean)):
        if text and not isfinite(signed_factor_at(text, values)):
            raise InvalidInputError(
                f"{title} {text} of {tensor.name}: is not a finite number at these values; give "
                "others"
            )
    if tensor.probability and not 0 <= factor_at(tensor.probability, values) <= 1:
        raise InvalidInputError(
            f"probability {tensor.probability} of {tensor.name}: is not between 0 and 1 at these "
            "values; give others"
        )


def factor_at(text: str, values: Mapping[str, float]) -> float:
    """The value of a number times powers of symbols; "not a number" if it divides by zero."""
    factor = Variance.parse(text)
    result = float(factor.coefficient)
    try:
        for name, power in factor.powers:
            result *= values[name] ** power
    except (OverflowError, ZeroDivisionError):
        return nan
    return result


def signed_factor_at(text: str, values: Mapping[str, float]) -> float:
    """The same where there may be a minus in front.

    Examples
    --------
    >>> signed_factor_at("-mu/2", {"mu": 3.0})
    -1.5
    """
    sign = -1 if text.startswith("-") else 1
    return sign * factor_at(text.removeprefix("-"), values)
