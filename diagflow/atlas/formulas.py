r"""Closed forms for a page: as a tree that its script evaluates, and as code in Python.

A tree is nested lists of JSON: a symbol is its name, a number a list ``["n", "1/2"]``, and every
other list an operation followed by what it takes. There are trees of elementary functions only;
other formulas are tabulated (`diagflow.atlas.tables`).

>>> import sympy
>>> p, t = sympy.Symbol("p", positive=True), sympy.Symbol("t", real=True)
>>> tree(p * sympy.exp(-2 * t) / 2)
['*', ['n', '1/2'], 'p', ['exp', ['*', ['n', '-2'], 't']]]
>>> tree(sympy.Integral(p, p)) is None
True

Source: ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sympy

    from pde.evolution import Solution
    from pde.short_formula import ShortFormula

__all__ = ["Tree", "formula_record", "python_code", "tree"]

Tree = str | list[Any]
"""A formula as data."""

_FUNCTIONS = (
    *("exp", "log", "sinh", "cosh", "tanh", "coth", "sin", "cos", "tan"),
    *("asin", "acos", "atan", "asinh", "acosh", "atanh", "Abs"),
)
"""The functions that a script of a page evaluates; the names are those of sympy."""


def tree(formula: sympy.Expr) -> Tree | None:
    """A formula as data, or None if it is not made of elementary functions of real numbers.

    Parameters
    ----------
    formula : sympy.Expr
    """
    import sympy

    if formula.is_Symbol:
        return str(formula.name)
    if formula.is_Rational:
        return ["n", str(formula)]
    if formula in (sympy.pi, sympy.E):
        return ["n", repr(float(formula))]
    if formula.is_Add or formula.is_Mul:
        return _operation("+" if formula.is_Add else "*", formula.args)
    if formula.is_Pow:
        return _operation("^", formula.args)
    if formula.is_Function and type(formula).__name__ in _FUNCTIONS:
        return _operation(type(formula).__name__.lower(), formula.args)
    return None


def _operation(name: str, arguments: Any) -> Tree | None:
    parts = [tree(argument) for argument in arguments]
    return None if any(part is None for part in parts) else [name, *parts]


def formula_record(solved: Solution) -> dict[str, Any] | None:
    """The closed form of a solution in every form that a page offers; None if there is none."""
    from pde.formula_latex import formula_latex

    short = solved.short_formula()
    if short is None or solved.formula is None:
        return None
    return {
        "display": formula_latex(short.formula),
        "equations": list(short.equations),
        "latex": short.display(),
        "python": python_code(short, solved),
        "tree": tree(solved.formula),
    }


def python_code(short: ShortFormula, solved: Solution) -> str:
    """A function in Python that evaluates a formula, with numpy; integrals with scipy.

    Examples
    --------
    >>> from expansion.models import cp
    >>> from expansion.regimes import regimes
    >>> from pde.solving import solution
    >>> solved = solution(regimes(cp(order=2, symmetric=True), terms=4), "E")
    >>> print(python_code(solved.short_formula(), solved))
    from numpy import exp
    <BLANKLINE>
    <BLANKLINE>
    def loss(t, *, p, H, sigma2, T=1):
        tau = t/T
        return -p*(H*sigma2*exp(4*tau) - 1/2)
    """
    import sympy
    from sympy.printing.numpy import SciPyPrinter

    printer = SciPyPrinter({"fully_qualified_modules": False, "user_functions": {"sqrt": "sqrt"}})

    def written(name: str) -> str:  # what Python reserves, such as lambda, is printed otherwise
        return str(printer.doprint(sympy.Symbol(name)))

    lines = [
        f"    {written(name)} = {printer.doprint(value)}"
        for name, value in (*short.scaled, *short.letters)
    ]
    lines.append(f"    return {printer.doprint(short.formula)}")
    assert solved.formula is not None  # there is a short form of it
    used = {symbol.name for symbol in solved.formula.free_symbols}
    numbers = [name for name in solved.symbols if name in used]
    others = sorted(used - {*numbers, "t", "T"})
    arguments = ", ".join([*map(written, [*numbers, *others]), "T=1"])
    imports = [
        f"from {module} import {', '.join(sorted(names))}"
        for module, names in sorted(printer.module_imports.items())
        if names
    ]
    head = "\n".join(imports) + "\n\n\n" if imports else ""
    return f"{head}def loss(t, *, {arguments}):\n" + "\n".join(lines)
