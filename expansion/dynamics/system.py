"""Exact polynomial systems of differential equations, what a closed hierarchy of cores amounts to.

A `PolynomialSystem` is dx_i/dτ = Σ c Π_j x_j^{k_j} with x_i(0) given, and an output of the same
form, the leading loss. Every c and every initial value is an exact polynomial in the symbols of the
problem (sizes and variances, negative powers allowed), and τ is the time of the flow divided by T.

>>> p = Polynomial.parse
>>> decay = PolynomialSystem(
...     variables=("x",),
...     rates=((SystemTerm(p("-2*eta"), ((0, 1),)),),),
...     initial=(p("p*sigma2"),),
...     output=(SystemTerm(p("1/2"), ((0, 2),)),),
... )
>>> print(decay)
dx/dτ = -2*eta x;  x(0) = p*sigma2
L = 1/2 x^2

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diagrams.arguments import brief
from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial

__all__ = ["PolynomialSystem", "SystemTerm"]


@dataclass(frozen=True)
class SystemTerm:
    """A coefficient times a product of powers of the variables.

    Parameters
    ----------
    coefficient : Polynomial
        In the symbols of the problem.
    powers : tuple of (int, int)
        Pairs of a variable's place and a positive power, by place; empty for a constant.
    """

    coefficient: Polynomial
    powers: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class PolynomialSystem:
    """An initial value problem with polynomial right-hand sides, and an output.

    Parameters
    ----------
    variables : tuple of str
        Names of the variables, all different.
    rates : tuple of tuple of SystemTerm
        dx_i/dτ of every variable.
    initial : tuple of Polynomial
        x_i(0) of every variable.
    output : tuple of SystemTerm
        What is asked for, the leading part of the loss.

    Raises
    ------
    InvalidInputError
        If names repeat, numbers of entries differ, or a term refers to no variable.
    """

    variables: tuple[str, ...]
    rates: tuple[tuple[SystemTerm, ...], ...]
    initial: tuple[Polynomial, ...]
    output: tuple[SystemTerm, ...]

    def __repr__(self) -> str:
        return f"<PolynomialSystem of {brief(', '.join(self.variables))}>"

    def __post_init__(self) -> None:
        size = len(self.variables)
        if len(set(self.variables)) != size or {len(self.rates), len(self.initial)} != {size}:
            raise InvalidInputError(
                f"system of {size} variables: needs as many different names, rates and initial "
                f"values, not {len(set(self.variables))}, {len(self.rates)} and "
                f"{len(self.initial)}; give one of each"
            )
        for term in (*(term for rate in self.rates for term in rate), *self.output):
            places = [place for place, _ in term.powers]
            if places != sorted(set(places)) or any(
                not 0 <= place < size or power < 1 for place, power in term.powers
            ):
                raise InvalidInputError(
                    f"powers {term.powers}: are pairs of places below {size}, in order, and "
                    "positive powers; correct them"
                )

    def __str__(self) -> str:
        lines = [
            f"d{name}/dτ = {self._sum(rate)};  {name}(0) = {start}"
            for name, rate, start in zip(self.variables, self.rates, self.initial, strict=True)
        ]
        return "\n".join([*lines, f"L = {self._sum(self.output)}"])

    def _sum(self, terms: Iterable[SystemTerm]) -> str:
        return " + ".join(self._product(term) for term in terms) or "0"

    def _product(self, term: SystemTerm) -> str:
        factors = [
            self.variables[place] + (f"^{power}" if power > 1 else "")
            for place, power in term.powers
        ]
        coefficient = str(term.coefficient)
        if len(term.coefficient) > 1:
            coefficient = f"({coefficient})"
        return " ".join([coefficient, *factors])
