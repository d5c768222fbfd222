r"""Regimes whose coefficients obey a first-order recurrence after the first few.

Divided by T^s, with the natural T, the leading parts lead(Y_s)/s! are polynomials. Where only few
monomials m occur in all of them,

    lead(Y_s)/s! = T^s Σ_m m C_s^(m),

every column C^(m) is looked at by itself. It ends, or from some s_0 on

    s C_s = (β (s - 1) + γ) C_{s-1}      at all s > s_0,

so that at x = t/T, with g = (1 - βx)^{-γ/β} or e^{γx} and a = C_{s_0}/g_{s_0},

    Σ_s C_s x^s = a g(x) + Σ_{s < s_0} (C_s - a g_s) x^s.

A simple sum with the first terms apart is a polynomial plus a power law or an exponential: a part
of the loss is moved by a kernel that has one eigenvalue for most of it, and others that are smaller
by a power of a size and are seen in the first terms only. s_0, β and γ are found in the exact
coefficients; two more confirm them, and two zeros the end of a column.

>>> numbers = [Fraction(c) / factorial(s) for s, c in enumerate([2, -27, 54, -324, 1944, -11664])]
>>> found = column_law(numbers)
>>> found.start, found.beta, found.gamma, found.amplitude
(2, Fraction(0, 1), Fraction(-6, 1), Fraction(3, 2))

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

from diagrams.errors import InvalidInputError
from diagrams.wick import Monomial, monomial
from expansion.polynomial import Polynomial, quotient_latex
from expansion.regimes import Regime
from pde.closed_form import closed_form
from pde.curve import FloatArray
from pde.evolution import DerivationStep, Origin, Solution
from pde.face import RegimeFormulas
from pde.numerics.certified import Evaluator
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["ColumnLaw", "column_law", "late_law_solution"]

_MOST_COLUMNS = 12
"""More monomials than these are not few."""

_CONFIRM = 2
"""Coefficients that confirm what is found in those before."""


@dataclass(frozen=True, slots=True)
class ColumnLaw:
    """The sum of a column: some first coefficients, then a hypergeometric term.

    Parameters
    ----------
    head : tuple of Fraction
        C_s for s < s_0; all of them if the column ends.
    amplitude : Fraction
        a; 0 if the column ends.
    beta, gamma : Fraction
    """

    head: tuple[Fraction, ...]
    amplitude: Fraction = Fraction(0)
    beta: Fraction = Fraction(0)
    gamma: Fraction = Fraction(0)

    @property
    def start(self) -> int:
        """s_0."""
        return len(self.head)

    @property
    def polynomial(self) -> tuple[Fraction, ...]:
        """C_s - a g_s for s < s_0."""
        term = self.amplitude
        result = []
        for s, c in enumerate(self.head):
            result.append(c - term)
            term *= (self.beta * s + self.gamma) / (s + 1)
        return tuple(result)

    def formula(self, x: sympy.Expr) -> sympy.Expr:
        """The sum as a formula."""
        import sympy

        whole = sympy.Add(*(_exact(c) * x**s for s, c in enumerate(self.polynomial)))
        if not self.amplitude:
            return whole
        if not self.beta:
            return whole + _exact(self.amplitude) * sympy.exp(_exact(self.gamma) * x)
        power = -_exact(self.gamma / self.beta)
        return whole + _exact(self.amplitude) * (1 - _exact(self.beta) * x) ** power

    def __call__(self, x: FloatArray) -> FloatArray:
        """The sum at numbers."""
        import sympy

        return Evaluator(self.formula(sympy.Symbol("x")), {}, variable="x")(x)


def column_law(numbers: Sequence[Fraction]) -> ColumnLaw | None:
    """The law of a column C_0, C_1, ..., None if two coefficients do not confirm any.

    Parameters
    ----------
    numbers : sequence of Fraction

    Examples
    --------
    >>> column_law([Fraction(n) for n in (5, 1, 0, 0)])
    ColumnLaw(head=(Fraction(5, 1), Fraction(1, 1)), amplitude=Fraction(0, 1), ...)
    >>> column_law([Fraction(n) for n in (1, 1, 4, 27, 256, 3125)]) is None
    True
    """
    last = max((s for s, c in enumerate(numbers) if c), default=-1)
    if len(numbers) - 1 - last >= _CONFIRM:
        return ColumnLaw(tuple(numbers[: last + 1]))
    for start in range(len(numbers)):
        tail = numbers[start:]
        if not all(tail):
            continue
        # s C_s / C_{s-1}, a constant or of first degree in s.
        ratios = [c * (start + k) / tail[k - 1] for k, c in enumerate(tail) if k]
        for unknown in (1, 2):
            if len(ratios) < unknown + _CONFIRM:
                continue
            beta = ratios[1] - ratios[0] if unknown == 2 else Fraction(0)
            gamma = ratios[0] - beta * start
            if any(r != beta * (start + k) + gamma for k, r in enumerate(ratios)):
                continue
            before = Fraction(1)
            for s in range(start):
                before *= (beta * s + gamma) / (s + 1)
            # A zero here leaves a logarithm, which is not looked for.
            if before:
                return ColumnLaw(tuple(numbers[:start]), tail[0] / before, beta, gamma)
    return None


def late_law_solution(problem: str, regime: Regime, rows: Sequence[Polynomial]) -> Solution:
    """The solution of a regime all of whose columns obey laws.

    Parameters
    ----------
    problem : str
        Its title.
    regime : Regime
    rows : sequence of Polynomial
        lead(Y_0), lead(Y_1), ..., with the pure-target term unless the regime is free.

    Raises
    ------
    InvalidInputError
        If T has broken powers, there are too many columns, or one of them has no law.
    """
    import sympy

    slopes = dict(regime.natural_time)
    if any(power.denominator != 1 for power in slopes.values()):
        raise _none(regime)
    time = monomial({name: int(power) for name, power in slopes.items()})
    columns = _columns(rows, {name: int(power) for name, power in slopes.items()})
    if not columns or len(columns) > _MOST_COLUMNS:
        raise _none(regime)
    laws: list[tuple[Monomial, ColumnLaw]] = []
    for key, numbers in columns.items():
        law = column_law(numbers)
        if law is None:
            raise _none(regime)
        laws.append((key, law))
    # Ends alone are seen in any short series.
    moving = [law for _, law in laws if law.amplitude]
    if not moving:
        raise _none(regime)
    x = _product(time) * symbol("t") / symbol("T")
    formula = sympy.Add(*(_product(key) * law.formula(x) for key, law in laws))

    rate = _product(time) / symbol("T")
    blow_ups = [law for law in moving if law.beta and _blows_up(law)]
    decays = all(
        law.beta < 0 < law.gamma / law.beta or (not law.beta and law.gamma < 0) for law in moving
    ) and not any(any(law.polynomial[1:]) for _, law in laws)
    still = sympy.Add(*(_product(key) * _exact(law.polynomial[0]) for key, law in laws if law.head))
    face = RegimeFormulas(
        loss=formula,
        blow_up=tuple(1 / (_exact(law.beta) * rate) for law in blow_ups),
        late=still if decays else None,
        reason="where the sum of the leading terms diverges",
    )
    return closed_form(
        face,
        problem=problem,
        regime=regime.name,
        source="ours",
        origin=Origin.DERIVED,
        derivation=tuple(_steps(laws, time)),
        validity="times before the sum diverges, or turns negative or rises",
    )


def _columns(rows: Sequence[Polynomial], slopes: dict[str, int]) -> dict[Monomial, list[Fraction]]:
    """C_0, C_1, ... of every monomial of lead(Y_s)/(s! T^s)."""
    table: dict[Monomial, list[Fraction]] = {}
    for s, row in enumerate(rows):
        for powers, c in row:
            moved = dict(powers)
            for name, power in slopes.items():
                moved[name] = moved.get(name, 0) - s * power
            numbers = table.setdefault(monomial(moved), [Fraction(0)] * len(rows))
            numbers[s] = Fraction(c) / factorial(s)
    return table


def _steps(laws: Sequence[tuple[Monomial, ColumnLaw]], time: Monomial) -> list[DerivationStep]:
    import sympy

    C, s, x = sympy.Symbol("C_{s-1}"), sympy.Symbol("s"), sympy.Symbol("x")
    steps = []
    for key, law in laws:
        shown = quotient_latex(key) if key else "1"
        if law.amplitude:
            rate = sympy.Rational(str(law.beta)) * (s - 1) + sympy.Rational(str(law.gamma))
            steps.append(
                DerivationStep(
                    f"Recurrence from s = {law.start + 1} on",
                    f"s\\,C_s = {sympy.latex(rate * C)}\\quad\\text{{for }} {shown},"
                    f"\\quad T = {quotient_latex(time) if time else '1'}",
                    "Found in the exact coefficients of this monomial of lead(Y_s)/(s! T^s), and "
                    "confirmed by two more or all.",
                )
            )
        steps.append(
            DerivationStep(
                "Sum", f"{shown}:\\quad {sympy.latex(law.formula(x))}", "The first terms apart."
            )
        )
    return steps


def _blows_up(law: ColumnLaw) -> bool:
    power = law.gamma / law.beta
    return power > 0 or power.denominator > 1


def _product(powers: Monomial) -> sympy.Expr:
    import sympy

    return sympy.Mul(*(symbol(name) ** power for name, power in powers))


def _exact(value: Fraction) -> sympy.Rational:
    import sympy

    return sympy.Rational(value.numerator, value.denominator)


def _none(regime: Regime) -> InvalidInputError:
    return InvalidInputError(
        f"regime {regime.name}: its leading parts divided by T^s are not few monomials with "
        "first-order recurrences after the first terms; expand more terms"
    )
