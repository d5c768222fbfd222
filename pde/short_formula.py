r"""A formula as a person would write it: scaled variables first, then a short expression in them.

In a regime some monomials of the sizes and variances are of order one; these are its *scaled
variables* y, z, ..., and τ is the time in units of T over the natural T. A formula in sizes and
variances is rewritten in them, and what occurs in it more than once gets a letter. Every step is a
substitution; `ShortFormula.expanded` undoes them all.

>>> from sympy import exp
>>> H, p, t, T = (symbol(name) for name in ("H", "p", "t", "T"))
>>> short = short_formula(p * (1 - exp(-4 * H * t / p / T)) ** 2, [(("p", -1), ("H", 1))], ())
>>> print(short)
tau = t/T, y = H/p
p*(1 - exp(-4*tau*y))**2

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from expansion.polynomial import symbol_latex, symbol_order
from pde.formula_latex import formula_latex
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["Powers", "ShortFormula", "short_formula"]

Powers = Sequence[tuple[str, Fraction | int]]
"""A monomial, as symbols with their powers."""

_SCALED = ("y", "z", "x", "w", "r")
"""Names of scaled variables, in the order of the conditions that make them."""

_LETTERS = ("u", "S", "D", "q", "v", "A", "B", "C", "E", "F", "G")
"""Letters for what occurs more than once."""

_WORTH = 3
"""An expression of fewer operations is written out where it occurs."""


@dataclass(frozen=True)
class ShortFormula:
    """A formula in scaled variables and letters.

    Parameters
    ----------
    formula : sympy.Expr
    letters : tuple of (str, sympy.Expr)
        What the letters stand for; each may use the scaled variables and the letters before it.
    scaled : tuple of (str, sympy.Expr)
        The scaled variables as monomials of sizes, variances, t and T.
    """

    formula: sympy.Expr
    letters: tuple[tuple[str, sympy.Expr], ...]
    scaled: tuple[tuple[str, sympy.Expr], ...]

    @property
    def expanded(self) -> sympy.Expr:
        """The formula with letters and scaled variables put in."""
        result = self.formula
        for name, value in (*reversed(self.letters), *self.scaled):
            result = result.subs({s: value for s in result.free_symbols if s.name == name})
        return result

    @property
    def definitions(self) -> tuple[str, ...]:
        """A line for the scaled variables and one for the letters, where there are any."""
        parts = (self.scaled, self.letters)
        return tuple(", ".join(f"{n} = {value}" for n, value in part) for part in parts if part)

    def __str__(self) -> str:
        return "\n".join([*self.definitions, str(self.formula)])

    def latex(self) -> str:
        """The formula, then what is in it, without dollar signs."""
        return ",\\quad ".join([formula_latex(self.formula), *self.equations])

    def display(self) -> str:
        """Displayed mathematics: the scaled variables, the letters, then the loss."""
        rows = [*self.equations, f"\\mathbb{{E}}[L(t)] &\\sim {formula_latex(self.formula)}"]
        rows = [row if "&" in row else row.replace(" = ", " &= ", 1) for row in rows]
        aligned = " \\\\\n".join(rows)
        return f"\\begin{{align*}}\n{aligned}\n\\end{{align*}}"

    @property
    def equations(self) -> tuple[str, ...]:
        """The definitions, scaled variables first, in LaTeX."""
        defined = (*self.scaled, *self.letters)
        return tuple(f"{symbol_latex(name)} = {formula_latex(value)}" for name, value in defined)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


def short_formula(
    formula: sympy.Expr,
    ratios: Sequence[Powers],
    natural_time: Powers,
) -> ShortFormula:
    """A formula in scaled variables.

    Parameters
    ----------
    formula : sympy.Expr
        In sizes, variances, t and T, all positive symbols but t.
    ratios : sequence of monomials
        What is of order one in the regime, as symbols with their powers.
    natural_time : monomial
        The natural T of the regime.
    """
    import sympy

    tau = sympy.Symbol("tau", real=True)
    used = {s.name for s in formula.free_symbols}
    scaled: list[tuple[str, sympy.Expr]] = []
    rewritten = formula
    if {"t", "T"} <= used and "tau" not in used:
        time = _monomial(natural_time) * symbol("t") / symbol("T")
        rewritten = rewritten.subs(symbol("t"), tau * symbol("T") / _monomial(natural_time))
        scaled.append(("tau", time))
    names = (name for name in _SCALED if name not in used)
    gone: set[str] = set()
    for powers, name in zip(ratios, names, strict=False):
        exact = {key: Fraction(power) for key, power in powers}
        candidates = [key for key, power in exact.items() if abs(power) == 1 and key not in gone]
        if not candidates:
            continue
        # Variances go first, so that the first size is left to carry the order of the loss.
        last = max(candidates, key=symbol_order)
        rest = {key: power for key, power in exact.items() if key != last}
        value = (symbol(name) / _monomial([*rest.items()])) ** (1 / exact[last])
        rewritten = rewritten.subs(symbol(last), value)
        scaled.append((name, _monomial(powers)))
        gone.add(last)
    rewritten = sympy.powsimp(sympy.factor_terms(sympy.powdenest(rewritten)))
    letters, short = _lettered(rewritten, {*used, *(name for name, _ in scaled)})
    found = {s.name for s in short.free_symbols} | {
        s.name for _, value in letters for s in value.free_symbols
    }
    return ShortFormula(short, letters, tuple(pair for pair in scaled if pair[0] in found))


def _lettered(
    formula: sympy.Expr, used: set[str]
) -> tuple[tuple[tuple[str, sympy.Expr], ...], sympy.Expr]:
    """A formula with letters for what occurs in it more than once."""
    import sympy

    numbered = sympy.numbered_symbols("c", cls=sympy.Dummy, positive=True)
    parts, (short,) = sympy.cse(formula, symbols=numbered, optimizations="basic")
    kept: list[tuple[sympy.Symbol, sympy.Expr]] = []
    written: dict[sympy.Symbol, sympy.Expr] = {}
    for name, value in parts:
        value = value.xreplace(written)
        if sympy.count_ops(value) < _WORTH:
            written[name] = value
        else:
            kept.append((name, value))
    short = short.xreplace(written)
    free = [letter for letter in _LETTERS if letter not in used]
    if len(kept) > len(free):
        return (), formula
    renamed = {name: symbol(letter) for (name, _), letter in zip(kept, free, strict=False)}
    letters = tuple((renamed[name].name, value.xreplace(renamed)) for name, value in kept)
    return letters, short.xreplace(renamed)


def _monomial(powers: Powers) -> sympy.Expr:
    import sympy

    result = sympy.Integer(1)
    for name, power in powers:
        exact = Fraction(power)
        result *= symbol(name) ** sympy.Rational(exact.numerator, exact.denominator)
    return result
