"""Formulas as lists of operations, in which what depends on exact numbers alone is exact.

A *program* is a list of sums, products, powers and functions of earlier results; equal parts of a
formula are one operation. With exact numbers for some of its symbols, what depends on them alone is
computed exactly, as far as it stays rational.

>>> import sympy
>>> p, t = sympy.symbols("p t")
>>> for node in at_numbers(compiled(1 + sympy.sqrt(p) * t), {"p": Fraction(9, 4)}):
...     print(node.kind, node.number, node.name, node.parts)
number 1  ()
symbol 0 t ()
number 3/2  ()
product 0  (1, 2)
sum 0  (0, 3)

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from flint import fmpz

from diagrams.errors import InvalidInputError

if TYPE_CHECKING:
    import sympy

__all__ = ["FUNCTIONS", "Node", "Program", "at_numbers", "compiled"]

FUNCTIONS = frozenset({"Abs", "asinh", "cos", "cosh", "exp", "expm1", "log", "sin", "sinh", "tanh"})
"""The functions that are known."""

_EXACT_BITS, _EXACT_POWER = 4096, 64
"""Exact numbers are not made larger than that."""

Kind = Literal["number", "symbol", "sum", "product", "power", "max", "min", "function"]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation on results of earlier ones."""

    kind: Kind
    parts: tuple[int, ...] = ()
    number: Fraction = Fraction(0)
    name: str = ""


Program = tuple[Node, ...]
"""Operations in the order of evaluation; the last one gives the value."""


class _Compiler:
    """Operations of a formula, equal parts once."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._places: dict[Any, int] = {}

    def place(self, expression: sympy.Expr) -> int:
        if expression not in self._places:
            node = self._node(expression)
            self._places[expression] = len(self.nodes)
            self.nodes.append(node)
        return self._places[expression]

    def _node(self, e: sympy.Expr) -> Node:
        import sympy

        if e.is_Rational:
            return Node("number", number=Fraction(int(e.p), int(e.q)))
        if e.is_Float:
            rational = sympy.Rational(e)
            return Node("number", number=Fraction(int(rational.p), int(rational.q)))
        if e.is_Symbol:
            return Node("symbol", name=e.name)
        if e.is_Add:
            return Node("sum", self._all(_without_one(e)))
        if e.is_Mul:
            return Node("product", self._all(e.args))
        if isinstance(e, sympy.Max | sympy.Min):
            return Node("max" if isinstance(e, sympy.Max) else "min", self._all(e.args))
        if e.is_Pow and e.exp.is_Rational:
            power = Fraction(int(e.exp.p), int(e.exp.q))
            if power.denominator == 2 and power != Fraction(1, 2):
                root = self.place(sympy.sqrt(e.base))
                return Node("power", (root,), Fraction(power.numerator))
            return Node("power", (self.place(e.base),), power)
        name = type(e).__name__
        if name in FUNCTIONS and len(e.args) == 1:
            return Node("function", (self.place(e.args[0]),), name=name)
        raise InvalidInputError(f"formula: {e} has no evaluator; use elementary functions")

    def _all(self, expressions: Sequence[sympy.Expr]) -> tuple[int, ...]:
        return tuple(self.place(part) for part in expressions)


def _without_one(total: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The terms of a sum, with c e^x - c as c (e^x - 1), which keeps its digits for small x."""
    import sympy

    terms = list(total.args)
    for term in total.args:
        grown = [f for f in sympy.Mul.make_args(term) if isinstance(f, sympy.exp)]
        if len(grown) != 1:
            continue
        rest = term / grown[0]
        if -rest in terms:
            terms.remove(term)
            terms.remove(-rest)
            terms.append(rest * _expm1()(grown[0].args[0]))
    return tuple(terms)


@lru_cache(maxsize=1)
def _expm1() -> Any:
    import sympy

    return sympy.Function("expm1", real=True)


@lru_cache(maxsize=512)
def compiled(formula: sympy.Expr) -> Program:
    """The operations of a formula.

    Raises
    ------
    InvalidInputError
        If it has a function that is not known.
    """
    compiler = _Compiler()
    compiler.place(formula)
    return tuple(compiler.nodes)


def at_numbers(program: Program, numbers: Mapping[str, Fraction]) -> Program:
    """The operations that are left when some symbols are exact numbers.

    Parameters
    ----------
    program : tuple of Node
    numbers : mapping from str to Fraction
    """
    kept: list[Node] = []
    places: list[int] = []
    for node in program:
        parts = tuple(places[part] for part in node.parts)
        exact = None
        if node.kind == "symbol":
            exact = numbers.get(node.name)
        elif parts and all(kept[part].kind == "number" for part in parts):
            exact = _exact(node, [kept[part].number for part in parts])
        if exact is not None:
            kept.append(Node("number", number=exact))
        else:
            if node.kind in {"sum", "product"}:
                parts = _gathered(node, parts, kept)
            kept.append(Node(node.kind, parts, node.number, node.name))
        places.append(len(kept) - 1)
    return _used(kept)


def _gathered(node: Node, parts: tuple[int, ...], kept: list[Node]) -> tuple[int, ...]:
    """The parts of a sum or a product, the exact numbers among them as one."""
    known = [part for part in parts if kept[part].kind == "number"]
    if len(known) < 2:
        return parts
    exact = _exact(node, [kept[part].number for part in known])
    if exact is None:
        return parts
    kept.append(Node("number", number=exact))
    return (len(kept) - 1, *(part for part in parts if kept[part].kind != "number"))


def _used(nodes: Sequence[Node]) -> Program:
    """The operations that the last one needs."""
    needed = {len(nodes) - 1}
    for place in range(len(nodes) - 1, -1, -1):
        if place in needed:
            needed.update(nodes[place].parts)
    order = sorted(needed)
    number = {place: k for k, place in enumerate(order)}
    return tuple(
        Node(node.kind, tuple(number[part] for part in node.parts), node.number, node.name)
        for node in (nodes[place] for place in order)
    )


def _exact(node: Node, values: Sequence[Fraction]) -> Fraction | None:
    """The value of an operation on exact numbers, if it is one and not too long."""
    if sum(x.numerator.bit_length() + x.denominator.bit_length() for x in values) > _EXACT_BITS:
        return None
    match node.kind:
        case "sum":
            return sum(values, start=Fraction(0))
        case "product":
            return math.prod(values, start=Fraction(1))
        case "max":
            return max(values)
        case "min":
            return min(values)
        case "power":
            return _power(values[0], node.number)
    found: Fraction | None = _EXACT_FUNCTIONS.get((node.name, values[0]))
    return abs(values[0]) if node.name == "Abs" else found


_EXACT_FUNCTIONS = {
    ("exp", Fraction(0)): Fraction(1),
    ("expm1", Fraction(0)): Fraction(0),
    ("log", Fraction(1)): Fraction(0),
    ("cosh", Fraction(0)): Fraction(1),
    ("sinh", Fraction(0)): Fraction(0),
    ("tanh", Fraction(0)): Fraction(0),
}


def _power(base: Fraction, power: Fraction) -> Fraction | None:
    exponent = abs(power.numerator)
    if exponent > _EXACT_POWER or (power < 0 and not base):
        return None
    root = power.denominator
    if root == 1:
        return base**power.numerator
    if base < 0:
        return None
    found = Fraction(
        int(fmpz(base.numerator).root(root)), max(int(fmpz(base.denominator).root(root)), 1)
    )
    return found**power.numerator if found**root == base else None
