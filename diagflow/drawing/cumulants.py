r"""The diagrams of a cumulant: products of diagrams, with the contractions that connect them.

Along a flow without noise the s-th derivative of a product is a sum over the derivatives of its
factors. So with X_i, the diagrams of the i-th derivative of a quantity X before the expectation,

    Y_s of κ_K(X)  =  sum over i_1 + ... + i_K = s of  s!/(i_1! ... i_K!) κ(X_{i_1}, ..., X_{i_K}),

and the joint cumulant of diagrams is the sum over the contractions that connect all of them.

>>> from expansion.models import cp
>>> norm = cumulant_terms(cp(order=2, symmetric=True), "weight-norm", 2, 0)
>>> [(len(term.parts), str(term.coefficient), str(term.value)) for term in norm]
[(2, '1/4', '2*p*H*sigma2**2')]

Source: ours; that cumulants are sums over connected contractions is textbook material.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import factorial, prod

from diagflow.drawing.contractions import Contraction, connected_contractions
from diagrams.diagram import Diagram
from diagrams.errors import CapacityError, InvalidInputError
from diagrams.sums import DiagramSum
from expansion.polynomial import Polynomial
from expansion.problem import Problem

__all__ = ["CumulantTerm", "cumulant_terms"]

MAXIMAL_PRODUCTS = 20_000
"""Most products of diagrams of one order s."""


@dataclass(frozen=True, slots=True)
class CumulantTerm:
    """A product of diagrams in a cumulant.

    Parameters
    ----------
    parts : tuple of Diagram
        As many as the order of the cumulant.
    coefficient : Fraction
    """

    parts: tuple[Diagram, ...]
    coefficient: Fraction

    @property
    def diagram(self) -> Diagram:
        """The parts side by side."""
        nodes = [node for part in self.parts for node in part.nodes]
        factors, first = [], 0
        for part in self.parts:
            factors += [(tensor, tuple(first + n for n in at)) for tensor, at in part.factors]
            first += len(part.nodes)
        return Diagram(tuple(nodes), tuple(factors))

    @property
    def contractions(self) -> tuple[Contraction, ...]:
        """Those that connect all parts."""
        return connected_contractions(self.parts)

    @property
    def value(self) -> Polynomial:
        """The joint cumulant of the parts."""
        found = (Polynomial(dict(c.value)) * c.count for c in self.contractions)
        return sum(found, Polynomial())


def cumulant_terms(problem: Problem, name: str, order: int, s: int) -> tuple[CumulantTerm, ...]:
    """The products of diagrams of Y_s of a cumulant whose contractions connect them.

    Normalisations are left out: that of the quantity, once for every part, and s times that of the
    drive.

    Parameters
    ----------
    problem : Problem
    name : str
        Of a quantity.
    order : int
        Of its cumulant.
    s : int

    Raises
    ------
    InvalidInputError
        If the flow has noise, inertia or finite steps.
    CapacityError
        If there are too many products, or contractions of one.
    """
    drive = problem.drive
    if drive.temperature or drive.momentum or drive.step:
        raise InvalidInputError(
            f"diagrams of cumulants of {problem.title}: are drawn for flows without noise, inertia "
            "and finite steps; draw those of another flow"
        )
    derivatives: list[DiagramSum] = [problem.quantity(name).diagrams]
    for _ in range(s):
        derivatives.append(problem.driven.generator.applied(derivatives[-1]))
    total: Counter[tuple[Diagram, ...]] = Counter()
    for orders in combinations_with_replacement(range(s + 1), order):
        if sum(orders) != s:
            continue
        if len(total) + prod(len(derivatives[i]) for i in orders) > MAXIMAL_PRODUCTS:
            raise CapacityError(
                f"cumulant of {name}: its Y_{s} has more than {MAXIMAL_PRODUCTS} products of "
                "diagrams; draw fewer terms"
            )
        weight = _arrangements(orders) * Fraction(factorial(s), prod(map(factorial, orders)))
        for parts, coefficient in _products([derivatives[i] for i in orders]):
            total[parts] += weight * coefficient  # type: ignore[assignment]
    terms = (CumulantTerm(parts, Fraction(c)) for parts, c in sorted(total.items()) if c)
    return tuple(term for term in terms if term.contractions)


def _arrangements(orders: tuple[int, ...]) -> int:
    """In how many ways the derivatives are shared out among the factors."""
    return factorial(len(orders)) // prod(factorial(n) for n in Counter(orders).values())


def _products(sums: list[DiagramSum]) -> Iterator[tuple[tuple[Diagram, ...], Fraction]]:
    """The products of one diagram of each sum, in any order, with their coefficients."""
    for chosen in product(*sums):
        parts = tuple(sorted(diagram for diagram, _ in chosen))
        yield parts, prod((c for _, c in chosen), start=Fraction(1))
