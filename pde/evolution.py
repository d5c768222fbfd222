"""Loss evolutions: a formula or a numerical solution that carries its own proof.

The leading parts of the coefficients of a regime are summed to

    E[L(t)] ~ sum over s of lead(Y_s) (t/T)^s / s!,

where lead(Y_0) contains the pure-target term unless the regime is free. A `Solution` is that sum
for symbolic sizes: how it is derived, and its exact Taylor coefficients. `Solution.at` gives it
numbers; the result is a `LossEvolution`, a function of time.

The *certificate* of a solution lists the s at which its Taylor coefficient, s! times that of
(t/T)^s, equals the leading part of the exactly enumerated Y_s as a polynomial in the sizes and
variances. It is computed from both, never declared.

>>> Y = [Polynomial.parse(text) for text in ("1/2*p", "-2*p*H", "8*p*H**2")]
>>> wrong = [Y[0], Y[1], Polynomial.parse("7*p*H**2")]
>>> certify(Y, Y).holds, certify(wrong, Y)
(True, Certificate(matched=(0, 1), compared=(0, 1, 2), left_out=()))

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from itertools import islice
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from diagrams.arguments import brief, number, number_text, shown, whole
from diagrams.display import figure, frame, picture, report, save
from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from pde.curve import Curve, Domain, FloatArray, Parameters
from pde.hierarchies import NO_HIERARCHY, HierarchyKind, HierarchySummary
from pde.short_formula import Powers, ShortFormula, short_formula
from pde.validity import within_bounds

if TYPE_CHECKING:
    import mpmath
    import sympy


__all__ = [
    "Certificate",
    "DerivationStep",
    "LossEvolution",
    "Method",
    "Origin",
    "Solution",
    "as_times",
    "certify",
]

MAXIMAL_DIGITS = 100_000
"""Most digits of one value: the time that they take grows faster than their number."""

_SHOWN = 4
"""Coefficients that give the scale of time on which a curve is searched for its bounds."""


_LEADING = (HierarchyKind.FINITE, HierarchyKind.WORDS, HierarchyKind.OPEN)
"""Hierarchies whose leading terms alone need not be a gradient flow."""


class Method(StrEnum):
    """How a loss evolution was obtained."""

    CLOSED_FORM = "closed-form"
    CHARACTERISTICS = "characteristics"
    MOMENTS = "moments"
    RESUMMED = "resummed"


class Origin(StrEnum):
    """Where the sum of a leading series comes from."""

    DERIVED = "derived"
    """Found in the enumerated coefficients, made an equation and solved, by machinery alone."""

    GIVEN = "given"
    """Typed in, with the reasons for it; the certificate lists the s for which it is confirmed."""

    RESUMMED = "resummed"
    """Approximants of the enumerated coefficients, with an error estimate."""


def as_times(values: ArrayLike) -> FloatArray:
    """Times as an array of numbers, of the same shape.

    Raises
    ------
    InvalidInputError
        If one is no finite number.

    Examples
    --------
    >>> as_times([0, "1.5"])
    array([0. , 1.5])
    """
    try:
        times = np.asarray(values, dtype=float)
    except (OverflowError, TypeError, ValueError):
        raise InvalidInputError(
            f"times: {shown(values)} is no list of numbers; give for example [0, 0.5, 1]"
        ) from None
    if not np.all(np.isfinite(times)):
        raise InvalidInputError("times: one of them is not a finite number; leave it out")
    return times


@dataclass(frozen=True, slots=True)
class DerivationStep:
    """One step of a derivation.

    Parameters
    ----------
    title : str
        What is done.
    latex : str
        Its result as display mathematics, without delimiters.
    text : str
        What supports it, in a sentence.
    """

    title: str
    latex: str
    text: str = ""

    def __repr__(self) -> str:
        return f"<DerivationStep {self.title}: {brief(self.text)}>"


Step = DerivationStep  # its former name


@dataclass(frozen=True, slots=True)
class Certificate:
    """Which Taylor coefficients of a solution equal the enumerated leading coefficients.

    Parameters
    ----------
    matched : tuple of int
        The s at which they are equal.
    compared : tuple of int
        The s at which they were compared.
    left_out : tuple of int
        The s at which the enumerated leading coefficient is of lower order than the dynamics that
        the solution follows, so that the solution does not contain it. Nothing is claimed of them.
    """

    matched: tuple[int, ...]
    compared: tuple[int, ...]
    left_out: tuple[int, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether something was compared and everything matched."""
        return bool(self.compared) and self.matched == self.compared


def certify(taylor: Sequence[Polynomial], leading: Sequence[Polynomial]) -> Certificate:
    """Compare the Taylor coefficients of a solution with the leading coefficients, exactly.

    Parameters
    ----------
    taylor : sequence of Polynomial
        s! times the coefficient of (t/T)^s, for s = 0, 1, ...
    leading : sequence of Polynomial
        lead(Y_s), for s = 0, 1, ...
    """
    compared = tuple(range(min(len(taylor), len(leading))))
    return Certificate(tuple(s for s in compared if taylor[s] == leading[s]), compared)


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """The summed leading series of a regime, for symbolic sizes.

    Parameters
    ----------
    problem : str
        Title of the problem.
    regime : str
        Name of the regime.
    method : Method
    source : str
        Where it comes from: paper and section, or "ours".
    formula : sympy.Expr or None
        E[L(t)] in positive symbols p, H, sigma2, T and the real symbol t, if there is a closed
        form.
    derivation : tuple of DerivationStep
    taylor : callable
        Gives s! times the Taylor coefficients in t/T one after the other.
    curve : callable
        From parameters to a `Curve`.
    validity : str
        In words, for which times it holds.
    certificate : Certificate
        Empty for a solution that is resummed: it is made of the coefficients it would be compared
        with.
    origin : Origin
    symbols, variances : tuple of str
        The sizes and variances of the problem, and the variances of its weights.
    is_series : bool
        Whether the curve is made of the Taylor coefficients.
    checked_terms : int
        How many coefficients the evaluated curve near t = 0 is compared with, see
        `pde.curve_check`.
    positive, descending : bool
        Whether the quantity is a loss, which is not negative, and whether the flow descends it.
        The domain of a summed series ends where its values leave these bounds.
    obeys_bounds : bool
        Whether the values cannot leave them, as averages of squares that decay.
    hierarchy : HierarchySummary
        The hierarchy of cores that it was derived from, or why there is none.
    scaled_by : tuple of monomials
        What is of order one in the regime: its formula is short in these variables.
    natural_time : monomial
        The natural T of the regime.
    decided : bool
        Whether the known coefficients decide that the regime is one for all s, see
        `expansion.regime_map`; otherwise its leading parts may be others from some s on.
    made_by : tuple of a function and its arguments, optional
        What makes it again. A pickled solution is that: its curve is code, not data.
    """

    problem: str
    regime: str
    method: Method
    source: str
    formula: sympy.Expr | None
    derivation: tuple[DerivationStep, ...]
    taylor: Callable[[], Iterator[Polynomial]]
    curve: Callable[[Parameters], Curve]
    validity: str = "all t"
    certificate: Certificate = Certificate((), ())
    origin: Origin = Origin.GIVEN
    symbols: tuple[str, ...] = ()
    variances: tuple[str, ...] = ("sigma2",)
    is_series: bool = False
    checked_terms: int = 8
    positive: bool = False
    descending: bool = False
    obeys_bounds: bool = False
    hierarchy: HierarchySummary = NO_HIERARCHY
    scaled_by: tuple[Powers, ...] = ()
    natural_time: Powers = ()
    decided: bool = True
    made_by: tuple[Callable[..., Solution], tuple[Any, ...]] | None = None

    def __reduce__(self) -> str | tuple[Any, ...]:
        return super().__reduce__() if self.made_by is None else self.made_by

    def __repr__(self) -> str:
        return f"<solution of {self.problem}, regime {self.regime}: {self.method.value}>"

    def __str__(self) -> str:
        return report("solution", self)

    def _repr_latex_(self) -> str | None:
        written: str | None = picture("solution", self)
        return written

    def short_formula(self) -> ShortFormula | None:
        """The closed form in the scaled variables of the regime, if there is one."""
        if self.formula is None:
            return None
        return short_formula(self.formula, self.scaled_by, self.natural_time)

    def coefficients(self, number: int) -> tuple[Polynomial, ...]:
        """The first Taylor coefficients, times s!."""
        return tuple(islice(self.taylor(), number))

    def certified(self, leading: Sequence[Polynomial]) -> Solution:
        """The same solution with its certificate against given leading coefficients."""
        if self.origin is Origin.RESUMMED:
            return replace(self, certificate=Certificate((), ()))
        return replace(self, certificate=certify(self.coefficients(len(leading)), leading))

    def at(self, parameters: Parameters) -> LossEvolution:
        """The solution at given numbers; T is 1 unless it is among them.

        Raises
        ------
        InvalidInputError
            If a number is missing or the solution does not exist there.
        """
        given = {name: Fraction(value) for name, value in parameters.items()}
        exact = MappingProxyType(given if "T" in given else given | {"T": Fraction(1)})
        try:
            curve = self.curve(exact)
            # What integrates a gradient flow obeys its bounds; sums of leading terms need not.
            sums = self.method is Method.CLOSED_FORM or self.is_series
            leading = self.origin is Origin.DERIVED and self.hierarchy.kind in _LEADING
            if not self.obeys_bounds and (sums or leading):
                rows = self.coefficients(_SHOWN)
                curve = within_bounds(
                    curve,
                    [row.evaluate(**{name: exact[name] for name in row.symbols}) for row in rows],
                    T=exact["T"],
                    positive=self.positive,
                    descending=self.descending,
                    error=0.0 if sums else curve.error_estimate or 0.0,
                )
        except (OverflowError, ZeroDivisionError):
            raise InvalidInputError(
                f"regime {self.regime}: at these numbers its formula leaves the range of floating "
                "point numbers; give numbers closer to 1"
            ) from None
        except (KeyError, TypeError):
            needed = {name for row in self.coefficients(_SHOWN) for name in row.symbols}
            if missing := sorted(needed - exact.keys()):
                raise InvalidInputError(
                    f"regime {self.regime}: no value for {', '.join(missing)}; give one for each "
                    f"of {', '.join(sorted(needed))}"
                ) from None
            raise
        return LossEvolution(solution=self, parameters=exact, curve=curve)


@dataclass(frozen=True, kw_only=True, eq=False)
class LossEvolution:
    """E[L(t)] at given sizes, variances and T, as a function of time.

    Parameters
    ----------
    solution : Solution
    parameters : mapping from str to Fraction
    curve : Curve
    """

    solution: Solution
    parameters: Parameters
    curve: Curve

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.solution, dict(self.parameters))

    def __repr__(self) -> str:
        solved = self.solution
        numbers = ", ".join(f"{n} = {number_text(value)}" for n, value in self.parameters.items())
        return (
            f"<loss of {solved.problem}, regime {solved.regime}: {solved.method.value}, {numbers}>"
        )

    def __str__(self) -> str:
        return report("evolution", self)

    def to_frame(self, times: ArrayLike) -> Any:
        """A data frame of pandas with the columns t and loss.

        Raises
        ------
        InvalidInputError
            If a time is outside the domain, or pandas is not installed.
        """
        t = np.asarray(times, dtype=float).ravel()
        return frame({"t": t.tolist(), "loss": self(t).tolist()})

    def __call__(self, times: ArrayLike) -> FloatArray:
        """The loss at an array of times, in the shape of the array.

        Raises
        ------
        InvalidInputError
            If a time is outside the domain; the message gives the reason.
        """
        t = as_times(times)
        if not self.domain.contains(t):
            outside = t[~self.domain.inside(t)]
            raise InvalidInputError(
                f"t = {float(outside.flat[0]):g}: the solution of regime {self.solution.regime} "
                f"holds for {self._interval()}, {self.domain.why(float(outside.flat[0]))}; give "
                "other times"
            )
        return self.curve.evaluate(t.ravel()).reshape(t.shape)

    def precise(self, t: Fraction | float | str, digits: int = 30) -> mpmath.mpf:
        """The loss at one time to a number of digits.

        Raises
        ------
        InvalidInputError
            If the time is outside the domain, or only floating point values are available.
        """
        import mpmath

        if self.curve.precise is None:
            raise InvalidInputError(
                f"regime {self.solution.regime}: its solution has floating point values only; "
                "call it with an array of times"
            )
        digits = whole(digits, "digits", least=1, most=MAXIMAL_DIGITS)
        exact = number(t, "t")
        # Of a time that is rounded the loss would not have more digits than the time.
        with mpmath.workdps(2 * digits + 60):
            time = mpmath.mpf(exact.numerator) / exact.denominator
        with mpmath.workdps(digits + 10):
            if not self.domain.contains(np.asarray([float(time)])):
                self(float(time))
            value = self.curve.precise(time, digits)
        with mpmath.workdps(digits):
            return +value

    @property
    def domain(self) -> Domain:
        """The times at which it holds."""
        return self.curve.domain

    @property
    def certificate(self) -> Certificate:
        """The s whose leading coefficients its Taylor series reproduces."""
        return self.solution.certificate

    @property
    def derivation(self) -> tuple[DerivationStep, ...]:
        """The steps of its derivation."""
        return self.solution.derivation

    @property
    def expression(self) -> sympy.Expr | None:
        """The closed form in sizes, variances, t and T, if there is one."""
        return self.solution.formula

    def formula(self) -> ShortFormula | None:
        """The closed form in the scaled variables of the regime, if there is one."""
        return self.solution.short_formula()

    @property
    def method(self) -> Method:
        """How it was obtained."""
        return self.solution.method

    @property
    def error_estimate(self) -> float | None:
        """The largest expected error, for methods that are not exact up to rounding."""
        return self.curve.error_estimate

    def error_at(self, times: ArrayLike) -> float | None:
        """The largest expected error at some times, for methods that are not exact."""
        t = as_times(times).ravel()
        if self.curve.errors is None or not t.size:
            return self.error_estimate
        return float(np.max(self.curve.errors(t)))

    def limit(self, *, past: bool = False) -> float | None:
        """The loss as t tends to infinity, or to minus infinity, if it is known."""
        return self.curve.limits[0 if past else 1]

    def plot(self) -> Any:
        """The curve, over the times at which it changes, as a figure of matplotlib.

        Raises
        ------
        InvalidInputError
            If there is no such figure.
        """
        return figure("evolution", self)

    def save(self, file: str | PathLike[str]) -> None:
        """Write the figure to an ``.svg``, ``.pdf`` or ``.png`` file, or its values to a ``.csv``.

        Raises
        ------
        InvalidInputError
            If the file has another ending or cannot be written.
        """
        save("evolution", self, file)

    def _repr_png_(self) -> bytes | None:
        drawn: bytes | None = picture("evolution", self)
        return drawn

    def _interval(self) -> str:
        start, stop = self.domain.start, self.domain.stop
        if math.isinf(start):
            return f"t <= {stop:g}" if stop == 0 else f"t < {stop:g}"
        if start == stop == 0:
            return "t = 0 only"
        if math.isinf(stop):
            return f"t >= {start:g}" if start == 0 else f"t > {start:g}"
        return f"{start:g} < t < {stop:g}"


def _again(solved: Solution, parameters: Mapping[str, Fraction]) -> LossEvolution:
    """The evolution that was pickled as its solution and its numbers."""
    return solved.at(parameters)
