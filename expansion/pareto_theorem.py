"""The Pareto-optimal monomials of the CP models with the identity target, as a theorem states them.

The theorem covers the models with one weight matrix for each mode (ASYM) and those with one shared
matrix and an even order (SYM). For an odd order of SYM there is none. Its formula shares nothing
with the enumeration and is compared with it: for s, a number 0 <= s_D <= s + 1 of factors D and a
number 1 <= n <= s_D + 1 of powers of H, the monomial

    p^Q H^n σ^(ν(s_D + 1) + (ν - 2) s),
    Q = 1 + (ν - 1) s_D - (ν/2)(n - 1)     (SYM, ν even),
    Q = 1 + (ν - 1)(s_D + 1 - n)           (ASYM),

occurs and is Pareto-optimal, except, for ASYM, when s + 1 - s_D is odd or n = s + 2.

>>> pareto_theorem(order=2, symmetric=True, s=0)
((1, 1, 1), (1, 2, 2), (2, 1, 2))
>>> pareto_theorem(order=3, symmetric=False, s=0)
((3, 1, 3),)
>>> pareto_theorem(order=3, symmetric=True, s=0) is None
True

Source: Yarotsky, Golikov, Gusev 2026, theorem 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from expansion.geometry.linear_algebra import Point
from expansion.geometry.newton import pareto_optimal
from expansion.recognition import recognised
from expansion.series_exponents import SeriesExponents

__all__ = ["agreement", "pareto_theorem"]

_SYMBOLS = ("p", "H", "sigma2")
"""The order of the exponents that the theorem names."""


def pareto_theorem(*, order: int, symmetric: bool, s: int) -> tuple[Point, ...] | None:
    """The exponents of p, H and σ² that the theorem names, or None if it does not apply.

    Parameters
    ----------
    order : int
        The order ν of the model.
    symmetric : bool
        SYM or ASYM.
    s : int
        Which coefficient.
    """
    if symmetric and order % 2:
        return None
    found = _symmetric(order, s) if symmetric else _asymmetric(order, s)
    return tuple(sorted(found))


def agreement(exponents: SeriesExponents) -> tuple[int, ...] | None:
    """The s at which the Pareto-optimal monomials of a series are those of the theorem.

    Returns
    -------
    tuple of int or None
        None if the theorem does not apply to the problem.
    """
    known = None if exponents.problem is None else recognised(exponents.problem)
    if known is None or not known.keeps_exponents:
        return None
    if known.preset_symbols(exponents.symbols) != _SYMBOLS:
        return None
    if exponents.loss not in (None, *dict(known.losses)):
        return None
    options = dict(known.preset.options)
    if known.preset.family != "cp" or options["target"] != "identity":
        return None
    order, symmetric = int(options["order"]), bool(options["symmetric"])
    if symmetric and order % 2:
        return None
    return tuple(
        s
        for s in range(exponents.last + 1)
        if pareto_optimal(exponents.points(s), exponents.growing_places)
        == pareto_theorem(order=order, symmetric=symmetric, s=s)
    )


def _symmetric(order: int, s: int) -> Iterator[Point]:
    for s_D in range(s + 2):
        for n in range(1, s_D + 2):
            power = 1 + (order - 1) * s_D - (order // 2) * (n - 1)
            yield power, n, (order * (s_D + 1) + (order - 2) * s) // 2


def _asymmetric(order: int, s: int) -> Iterator[Point]:
    for s_D in range(s + 2):
        for n in range(1, s_D + 2):
            if (s + 1 - s_D) % 2 or n == s + 2:
                continue
            power = 1 + (order - 1) * (s_D + 1 - n)
            yield power, n, (order * (s_D + 1) + (order - 2) * s) // 2
