"""Solutions that are one formula: their exact Taylor series, values and many digits.

A solution is made from `RegimeFormulas`, which give its values, its domain and its limits. The
certificate is computed from the formula as well.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from expansion.polynomial import Polynomial
from pde.curve import Parameters
from pde.evolution import DerivationStep, Method, Origin, Solution
from pde.face import UNTIL_BLOW_UP, RegimeFormulas
from pde.numerics.certified import Evaluator, exact_time
from pde.taylor import taylor

if TYPE_CHECKING:
    import mpmath
    import sympy

__all__ = ["EARLY_TIMES", "UNTIL_BLOW_UP", "closed_form", "in_blocks", "precise_value"]

EARLY_TIMES = "t until the leading terms turn negative or rise, at times of order log(1/sigma)"
"""Where the initialisation is small and the leading terms grow like exponentials."""

_BLOCK = 8
"""Taylor coefficients are computed in blocks that double from this number."""


def closed_form(
    face: RegimeFormulas,
    *,
    problem: str,
    regime: str,
    source: str,
    derivation: tuple[DerivationStep, ...],
    at: Callable[[Parameters], RegimeFormulas] | None = None,
    method: Method = Method.CLOSED_FORM,
    validity: str = UNTIL_BLOW_UP,
    origin: Origin = Origin.GIVEN,
) -> Solution:
    """A solution from its formulas.

    Parameters
    ----------
    face : RegimeFormulas
        In the symbols of `pde.taylor.symbol`.
    problem, regime, source, derivation, method, validity, origin
        See `Solution`.
    at : callable, optional
        The face that holds at given numbers, where it is another one at some, as where the
        formula is zero over zero.
    """
    return Solution(
        problem=problem,
        regime=regime,
        method=method,
        source=source,
        formula=face.loss,
        derivation=derivation,
        taylor=lambda: in_blocks(lambda number: taylor(face.loss, number)),
        curve=lambda parameters: (face if at is None else at(parameters)).curve(parameters),
        validity=validity,
        origin=origin,
    )


def precise_value(
    formula: sympy.Expr, parameters: Parameters, t: mpmath.mpf | Fraction, digits: int
) -> mpmath.mpf:
    """The value of a formula at one time to a number of digits, the last one proved.

    It is computed in balls, so that cancellation in the formula costs time and not digits.

    Raises
    ------
    InvalidInputError
        If the formula has no finite value there, or its digits stay uncertain.
    """
    return Evaluator(formula, parameters).precise(exact_time(t), digits)


def in_blocks(first: Callable[[int], Sequence[Polynomial]]) -> Iterator[Polynomial]:
    """All coefficients, one after the other, of what gives so many first ones at once.

    Parameters
    ----------
    first : callable
        From a number to so many coefficients; it is asked for more and more.
    """
    done, number = 0, _BLOCK
    while True:
        yield from first(number)[done:]
        done, number = number, 2 * number
