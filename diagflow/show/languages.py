r"""Series and formulas in the languages of computer algebra systems.

>>> from expansion.polynomial import Polynomial
>>> Y = [Polynomial.parse("1/2*p"), Polynomial.parse("-2*p*H*sigma2")]
>>> print(series_code(Language.MATHEMATICA, Y), end="")
Y = {(1/2)*p, -2*H*p*sigma2};
>>> print(series_code(Language.JULIA, Y), end="")
using Symbolics
@variables p H sigma2
Y = [p / 2, -2 * H * p * sigma2]

Source: ours; the printers are those of sympy.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial, symbol_order

if TYPE_CHECKING:
    import sympy

__all__ = ["Language", "formula_code", "series_code"]


class Language(StrEnum):
    """A system that reads formulas."""

    SYMPY = "sympy"
    MATHEMATICA = "mathematica"
    SAGE = "sage"
    JULIA = "julia"


def series_code(language: Language, coefficients: Sequence[Polynomial]) -> str:
    """The coefficients as a list Y, after the declaration of their symbols.

    Parameters
    ----------
    language : Language
    coefficients : sequence of Polynomial
    """
    names = {name for coefficient in coefficients for name in coefficient.symbols}
    rows = [_expression(language, coefficient.to_sympy()) for coefficient in coefficients]
    if language is Language.MATHEMATICA:
        return f"Y = {{{', '.join(rows)}}};\n"
    return f"{_declared(language, names)}Y = [{', '.join(rows)}]\n"


def formula_code(language: Language, formula: sympy.Expr) -> str:
    """A formula for the expected loss, after the declaration of its symbols.

    Raises
    ------
    InvalidInputError
        If the formula has an integral and the language is `Language.JULIA`: Symbolics has none.
    """
    import sympy

    if language is Language.JULIA and formula.has(sympy.Integral):
        raise InvalidInputError(
            "format julia: the formula has an integral, which Symbolics does not write; take "
            "sympy, sage or mathematica"
        )
    names = {symbol.name for symbol in formula.atoms(sympy.Symbol)}
    end = ";" if language is Language.MATHEMATICA else ""
    return f"{_declared(language, names)}loss = {_expression(language, formula)}{end}\n"


def _declared(language: Language, names: Iterable[str]) -> str:
    ordered = sorted(names, key=lambda name: (name in ("t", "T"), symbol_order(name)))
    if not ordered or language is Language.MATHEMATICA:
        return ""
    shown = [_safe(language, name) for name in ordered]
    if language is Language.JULIA:
        return f"using Symbolics\n@variables {' '.join(shown)}\n"
    if language is Language.SAGE:
        return f"var({' '.join(shown)!r})\n"
    lines = [
        f"{written} = Symbol({name!r}, {'real' if name == 't' else 'positive'}=True)"
        for name, written in zip(ordered, shown, strict=True)
    ]
    return "from sympy import *\n" + "\n".join(lines) + "\n"


def _expression(language: Language, formula: sympy.Expr) -> str:
    import sympy
    from sympy.printing.mathematica import MCodePrinter
    from sympy.printing.str import StrPrinter

    renamed = {
        symbol: sympy.Symbol(_safe(language, symbol.name), positive=True)
        for symbol in formula.atoms(sympy.Symbol)
    }
    plain = formula.xreplace(renamed)
    if language is Language.MATHEMATICA:

        class Evaluated(MCodePrinter):  # type: ignore[misc]
            """Integrals are not held back."""

            def _print_Integral(self, value: sympy.Integral) -> str:  # noqa: N802
                return str(super()._print_Integral(value)).removeprefix("Hold[").removesuffix("]")

        return str(Evaluated().doprint(plain))
    if language is Language.JULIA:
        return re.sub(r" \.([*/^]) ", r" \1 ", str(sympy.julia_code(plain)))  # of scalars
    if language is Language.SAGE:
        return str(plain).replace("Integral(", "integral(")

    class Exact(StrPrinter):  # type: ignore[misc]
        """In Python 1/2 is a number of floating point."""

        def _print_Rational(self, value: sympy.Rational) -> str:  # noqa: N802
            return str(value) if value.q == 1 else f"Rational({value.p}, {value.q})"

    return str(Exact().doprint(plain))


def _safe(language: Language, name: str) -> str:
    """A name that the language takes: Mathematica has no underscores, Python some words."""
    if language is Language.MATHEMATICA:
        return name.replace("_", "")
    return f"{name}_" if keyword.iskeyword(name) and language is not Language.JULIA else name
