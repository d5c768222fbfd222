r"""Correlators of a scalar model and its derivatives at initialisation, by powers of the width.

A *correlator* is the mean of a product of factors, each made of the model f by merging: f itself,
the tangent kernel Θ = f * f = sum over weights u of (df/du)^2, Θ * f, and so on. A factor of j
letters f is a *cluster* of size j. With m letters in all, n_e clusters of even and n_o of odd size,
and n all hidden widths alike, the conjecture of Dyer and Gur-Ari is

    C = O(n^s),     s = n_e + n_o/2 - m/2,

if f is normalised so that E[f f] = O(1). Here nothing is normalised: a correlator is compared with
E[f f]^{m/2}, whose exponent is subtracted.

The kernel fluctuates by Var Θ = E[ΘΘ] - E[Θ]^2, and begins to move by
T dE[Θ]/dt = -E[(f - y) Θ * f] = -E[f·Θ * f] for the loss (f - y)^2/2, since odd correlators vanish.

>>> from expansion.models import mlp_linear
>>> table = correlators(mlp_linear(3))
>>> print(table["E[ΘΘ]"].polynomial)
9*H**4*sigma2**4*c**4 + 20*H**3*sigma2**4*c**4 + 16*H**2*sigma2**4*c**4
>>> table["E[Θ*f*f]"].conjectured, table["E[Θ*f*f]"].exponent
(Fraction(-1, 1), Fraction(-1, 1))

Source: E. Dyer, G. Gur-Ari, "Asymptotics of wide networks from Feynman diagrams", 2019; the exact
polynomials, ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series import Budget, Progress, loss_series
from expansion.series_store import SeriesStore

__all__ = ["CLUSTERS", "Correlator", "Correlators", "correlators"]

CLUSTERS: tuple[tuple[str, ...], ...] = (
    ("f", "f"),
    ("f", "f", "f", "f"),
    ("Θ",),
    ("Θ", "f", "f"),
    ("Θ", "Θ"),
    ("f", "Θ*f"),
    ("Θ*f*f",),
    ("Θ*Θ",),
    ("f", "Θ*f*f*f"),
    ("Θ", "f", "Θ*f"),
)
"""The correlators of the table, by their factors."""

_FORMULAS = {
    "f": ("f", 1),
    "Θ": ("ntk", 2),
    "Θ*f": ("merge(ntk, f)", 3),
    "Θ*f*f": ("merge(merge(ntk, f), f)", 4),
    "Θ*Θ": ("merge(ntk, ntk)", 4),
    "Θ*f*f*f": ("merge(merge(merge(ntk, f), f), f)", 5),
}
"""A factor in the words of `expansion.expressions`, and the number of letters f in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlator:
    """One line of the table.

    Parameters
    ----------
    name : str
        As ``E[Θff]``.
    formula : str
        What is averaged, in the words of `expansion.expressions`.
    letters, even, odd : int
        The m, n_e and n_o of the conjecture.
    polynomial : Polynomial
        The exact mean.
    exponent : Fraction or None
        Its power of the width, all sizes alike, without that of E[ff]^{m/2}; None if it is zero.
    """

    name: str
    formula: str
    letters: int
    even: int
    odd: int
    polynomial: Polynomial
    exponent: Fraction | None

    @property
    def conjectured(self) -> Fraction:
        """The bound on the exponent."""
        return self.even + Fraction(self.odd - self.letters, 2)

    @property
    def obeys(self) -> bool:
        """Whether the exponent is not above the bound."""
        return self.exponent is None or self.exponent <= self.conjectured


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlators:
    """The table of a problem.

    Parameters
    ----------
    problem : Problem
    rows : tuple of Correlator
    """

    problem: Problem
    rows: tuple[Correlator, ...]

    def __iter__(self) -> Iterator[Correlator]:
        return iter(self.rows)

    def __getitem__(self, name: str) -> Correlator:
        """The correlator of a name.

        Raises
        ------
        InvalidInputError
            If there is none; the message lists the names.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise InvalidInputError(
            f"correlator {str(name)[:40]}: is not in the table; choose one of "
            f"{', '.join(row.name for row in self.rows)}"
        )

    @property
    def kernel_variance(self) -> Polynomial:
        """Var Θ = E[ΘΘ] - E[Θ]^2."""
        mean = self["E[Θ]"].polynomial
        return self["E[ΘΘ]"].polynomial - mean * mean

    @property
    def kernel_motion(self) -> Polynomial:
        """T dE[Θ]/dt at time zero for the loss (f - y)^2/2."""
        return self["E[f·Θ*f]"].polynomial * -1

    def relative_order(self, polynomial: Polynomial) -> Fraction | None:
        """The power of the width of a polynomial over that of E[Θ]^2."""
        mean = _degree(self["E[Θ]"].polynomial, self.problem)
        degree = _degree(polynomial, self.problem)
        return None if degree is None or mean is None else degree - 2 * mean

    def __repr__(self) -> str:
        return f"<{len(self.rows)} correlators of {self.problem.title}>"


def correlators(
    problem: Problem,
    *,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
    store: SeriesStore | None = None,
) -> Correlators:
    """The correlators of a model without open indices.

    Parameters
    ----------
    problem : Problem
    budget, progress, store
        For each of them, see `LossSeries`.

    Raises
    ------
    InvalidInputError
        If the model has open indices, is an average over inputs, or has no size that grows.
    BudgetExceededError
        If a budget does not suffice for one of them.
    """
    if problem.output_axes:
        raise InvalidInputError(
            f"correlators of {problem.title}: its model has {len(problem.output_axes)} open "
            "indices; take one with a single output, such as mlp-linear"
        )
    if problem.averaged_over:
        raise InvalidInputError(
            f"correlators of {problem.title}: its loss is an average over inputs; take a model of "
            "one input, such as mlp-linear"
        )
    if not problem.growing:
        raise InvalidInputError(
            f"correlators of {problem.title}: none of its sizes grows; declare a growing axis"
        )
    means: list[tuple[tuple[str, ...], str, Polynomial]] = []
    for factors in CLUSTERS:
        formula = "*".join(_FORMULAS[factor][0] for factor in factors)
        series = loss_series(problem, loss=formula, budget=budget, progress=progress, store=store)
        means.append((factors, formula, series[0]))
    unit = _degree(means[0][2], problem)
    if unit is None:
        raise InvalidInputError(
            f"correlators of {problem.title}: E[ff] is zero, which all others are compared with; "
            "take a model with a variance"
        )
    rows = []
    for factors, formula, mean in means:
        sizes = [_FORMULAS[factor][1] for factor in factors]
        degree = _degree(mean, problem)
        rows.append(
            Correlator(
                name=_name(factors),
                formula=formula,
                letters=sum(sizes),
                even=sum(size % 2 == 0 for size in sizes),
                odd=sum(size % 2 for size in sizes),
                polynomial=mean,
                exponent=None if degree is None else degree - Fraction(sum(sizes), 2) * unit,
            )
        )
    return Correlators(problem=problem, rows=tuple(rows))


def _name(factors: tuple[str, ...]) -> str:
    """E[ff] as letters, with dots where a factor has more than one."""
    return f"E[{('·' if any(len(factor) > 1 for factor in factors) else '').join(factors)}]"


def _degree(polynomial: Polynomial, problem: Problem) -> Fraction | None:
    """The power of a common width of all growing sizes; None for zero."""
    degrees = [
        Fraction(sum(power for name, power in powers if name in problem.growing))
        for powers, _ in polynomial
    ]
    return max(degrees, default=None)
