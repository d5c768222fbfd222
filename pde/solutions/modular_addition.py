r"""ASYM of order 3 with the target of modular addition: particles in complex coordinates.

In the Fourier basis of Z_p the target [a + b = c mod p] is √p times the identity tensor. The
weights of a mode k are complex, a_k = p^{-1/2} Σ_i A_i e^{2πi ik/p}, with a_{-k} the conjugate of
a_k: of the p modes all but one or two are complex, E|a|² = σ² and E a² = 0. The gradient flow of
one mode is

    da/ds = b̄ c,   db/ds = ā c,   dc/ds = a b,

and with A = |a|², B = |b|², C = |c|², ρ = Re(a b c̄) it closes:

    dA/ds = dB/ds = dC/ds = 2ρ,   dρ/ds = AB + BC + CA.

At the start A, B, C are exponential and the phase of a b c̄ is uniform, so that

    E[A^α B^β C^γ ρ^{2j}] = (α+j)! (β+j)! (γ+j)! binomial(2j, j) / 4^j    at σ = 1.

A real particle, that of the identity target, has the same equations and ρ² = ABC; its moments are
larger. With g_n = E[d^n ρ/ds^n](0), at σ = 1, the first ones are 3, 72, 4608 instead of 3, 108, ...

- *C-D*, mean field: the modes decouple. With θ = √p σ τ and κ = H σ³/√p,
  E[L] ~ (p²/2)(1 - f)², f = κ Σ g_n s^n/n!, ds/dθ = 1 - f.
- *E-A*, narrow latent: the rows decouple, with a drift that all modes of a row share.
  With ω = (p σ²)^{3/2}, E[L] ~ p²/2 + H(½ω²λ⁶M³ - ωλ³G), M = 1 + 2∫G ds, ds/dθ = λ, dλ/dθ = -ωλ⁵M².
- *D*, *E*: the lowest power of σ in every coefficient, -H p^{(n+3)/2} g_n σ^{n+3}.

The averages are formal series in both directions of time, as those of the identity target.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import count
from math import comb, factorial

from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series_exponents import pure_target_of
from pde.evolution import DerivationStep, Method, Solution
from pde.moments.taylor import lowest_variance
from pde.resummed_series import series_solution
from pde.solutions.vector_particles import TERMS
from pde.solver import Solved, Solver, cp_model

__all__ = ["SOLVERS", "complex_moments", "mean_field_taylor", "narrow_latent_taylor"]

_Powers = tuple[int, int, int, int]
_Row = list[dict[int, Fraction]]
"""Coefficients of θ^n, each by the power of κ or of ω."""


@cache
def _derivative(n: int) -> dict[_Powers, int]:
    """d^n ρ/ds^n, a polynomial in A, B, C and ρ."""
    if n == 0:
        return {(0, 0, 0, 1): 1}
    result: dict[_Powers, int] = {}
    for (a, b, c, r), value in _derivative(n - 1).items():
        steps = [
            ((a - 1, b, c, r + 1), 2 * a),
            ((a, b - 1, c, r + 1), 2 * b),
            ((a, b, c - 1, r + 1), 2 * c),
            ((a + 1, b + 1, c, r - 1), r),
            ((a, b + 1, c + 1, r - 1), r),
            ((a + 1, b, c + 1, r - 1), r),
        ]
        for powers, factor in steps:
            if factor:
                result[powers] = result.get(powers, 0) + factor * value
    return result


@cache
def complex_moments(n: int) -> Fraction:
    """g_n, the mean of d^n ρ/ds^n at the start for σ = 1.

    Examples
    --------
    >>> [int(complex_moments(n)) for n in range(6)]
    [0, 3, 0, 72, 0, 4608]
    """
    total = Fraction(0)
    for (a, b, c, r), value in _derivative(n).items():
        if r % 2 == 0:
            j = r // 2
            squares = factorial(a + j) * factorial(b + j) * factorial(c + j)
            total += value * squares * Fraction(comb(r, j), 4**j)
    return total


def mean_field_taylor() -> Iterator[Polynomial]:
    """The coefficients of the loss on C-D, times s!, with the pure-target term.

    Examples
    --------
    >>> rows = mean_field_taylor()
    >>> [str(next(rows)) for _ in range(3)]
    ['1/2*p**2', '-3*p**2*H*sigma2**2', '18*p**2*H**2*sigma2**4']
    """
    rest: _Row = []  # 1 - f
    s: _Row = [{}]
    for n in count():
        f = _composed(s, n, shift=1)
        rest.append({0: Fraction(1)} if n == 0 else {})
        rest[n] = _sum(rest[n], f, Fraction(-1))
        s.append({j: c / (n + 1) for j, c in rest[n].items()})
        square = _product(rest, rest, n)
        yield _loss(square, n, lambda j, n: ((n - j) // 2 + 2, j, (3 * j + n) // 2), Fraction(1, 2))


def narrow_latent_taylor() -> Iterator[Polynomial]:
    """The coefficients of the loss on E-A, times s!, with the pure-target term.

    Examples
    --------
    >>> rows = narrow_latent_taylor()
    >>> [str(next(rows)) for _ in range(2)]
    ['1/2*p**2 + 1/2*p**3*H*sigma2**3', '-3*p**2*H*sigma2**2 - 3*p**5*H*sigma2**5']
    """
    scale: _Row = []  # λ
    s: _Row = [{}]
    overlaps: _Row = []  # G
    mean: _Row = [{0: Fraction(1)}]  # M; dM/dθ = 2 G λ
    scale.append({0: Fraction(1)})
    for n in count():
        overlaps.append(_composed(s, n, shift=0))
        free = _powered(scale, 6, mean, 3, n)
        learnt = _product(_power(scale, 3, n), overlaps, n)
        loss = {j + 2: c / 2 for j, c in free.items()}
        loss = _sum(loss, {j + 1: c for j, c in learnt.items()}, Fraction(-1))
        row = _loss(loss, n, lambda j, n: ((3 * j + n) // 2, 1, (3 * j + n) // 2), Fraction(1))
        yield row + Polynomial.parse("1/2*p**2") if n == 0 else row
        slower = {j + 1: c for j, c in _powered(scale, 5, mean, 2, n).items()}
        moved = _product(overlaps, scale, n)
        s.append({j: c / (n + 1) for j, c in scale[n].items()})
        mean.append({j: 2 * c / (n + 1) for j, c in moved.items()})
        scale.append({j: -c / (n + 1) for j, c in slower.items()})


narrow_taylor = narrow_latent_taylor
wide_taylor = mean_field_taylor
"""Former names."""


# -- series in θ ---------------------------------------------------------------------------------


def _sum(
    one: dict[int, Fraction], other: dict[int, Fraction], factor: Fraction
) -> dict[int, Fraction]:
    total = dict(one)
    for j, c in other.items():
        total[j] = total.get(j, Fraction(0)) + factor * c
    return {j: c for j, c in total.items() if c}


def _product(one: _Row, other: _Row, n: int) -> dict[int, Fraction]:
    """The coefficient of θ^n of a product."""
    total: dict[int, Fraction] = {}
    for k in range(n + 1):
        if k < len(one) and n - k < len(other):
            for i, a in one[k].items():
                for j, b in other[n - k].items():
                    total[i + j] = total.get(i + j, Fraction(0)) + a * b
    return {j: c for j, c in total.items() if c}


def _power(row: _Row, power: int, n: int) -> _Row:
    """The coefficients up to θ^n of a power."""
    result: _Row = [{0: Fraction(1)}, *({} for _ in range(n))]
    for _ in range(power):
        result = [_product(result, row, k) for k in range(n + 1)]
    return result


def _powered(one: _Row, power: int, other: _Row, second: int, n: int) -> dict[int, Fraction]:
    return _product(_power(one, power, n), _power(other, second, n), n)


def _composed(s: _Row, n: int, *, shift: int) -> dict[int, Fraction]:
    """The coefficient of θ^n of G(s), times κ to the power of the shift; s begins at θ."""
    total: dict[int, Fraction] = {}
    power: _Row = [{0: Fraction(1)}, *({} for _ in range(n))]
    for k in range(n + 1):
        c = complex_moments(k) / factorial(k)
        if c:
            total = _sum(total, power[n], c)
        power = [_product(power, s, m) for m in range(n + 1)]
    return {j + shift: c for j, c in total.items()}


def _loss(
    row: dict[int, Fraction],
    n: int,
    exponents: Callable[[int, int], tuple[int, int, int]],
    factor: Fraction,
) -> Polynomial:
    """A coefficient in p, H and sigma2, times n!."""
    terms = {}
    for j, c in row.items():
        powers = zip(("p", "H", "sigma2"), exponents(j, n), strict=True)
        key = tuple(sorted((name, power) for name, power in powers if power))
        terms[key] = c * factor * factorial(n)
    return Polynomial(terms)


# -- the solver ----------------------------------------------------------------------------------


def _applies(problem: Problem, regime: str) -> bool:
    model = cp_model(problem)
    return (
        model is not None
        and not model.symmetric
        and model.order == 3
        and model.target == "modular-addition"
        and regime in _TAYLOR
    )


_TAYLOR: dict[str, Callable[[], Iterator[Polynomial]]] = {
    "C-D": mean_field_taylor,
    "D": lambda: map(lowest_variance, mean_field_taylor()),
    "E-A": narrow_latent_taylor,
    "E": lambda: map(lowest_variance, narrow_latent_taylor()),
}


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    return series_solution(
        problem=problem.title,
        regime=regime,
        source="ours",
        derivation=_steps(regime),
        taylor=_TAYLOR[regime],
        number=TERMS,
        method=Method.MOMENTS,
        pure_target=pure_target_of(problem, problem.loss_name),
        asymptotic=True,
    )


def _steps(regime: str) -> tuple[DerivationStep, ...]:
    mean_field = regime in {"C-D", "D"}
    return (
        DerivationStep(
            "Fourier basis",
            r"a_k = p^{-1/2}\sum_i A_i e^{2\pi\mathrm{i} ik/p},\qquad "
            r"\mathbf{E}|a_k|^2 = \sigma^2,\quad \mathbf{E}a_k^2 = 0",
            "Modular addition is the identity tensor in this basis, times the root of p.",
        ),
        DerivationStep(
            "Complex particle",
            r"a' = \bar b c,\quad b' = \bar a c,\quad c' = ab,\qquad "
            r"\frac{d|a|^2}{ds} = 2\rho,\quad \frac{d\rho}{ds} = |ab|^2 + |bc|^2 + |ca|^2,\quad "
            r"\rho = \mathrm{Re}(ab\bar c)",
            "Squares are exponential at the start, and the phase is uniform.",
        ),
        DerivationStep(
            "Loss",
            r"\tfrac{p^2}{2}(1-f)^2,\quad f = \kappa\,\mathbf{E}[\rho](s),\quad "
            r"s' = 1-f,\quad \kappa = H\sigma^3p^{-1/2}"
            if mean_field
            else r"\tfrac{p^2}{2} + H(\tfrac12\omega^2\lambda^6M^3 - \omega\lambda^3G),\quad "
            r"s' = \lambda,\quad \lambda' = -\omega\lambda^5M^2,\quad \omega = (p\sigma^2)^{3/2}",
            "Modes decouple." if mean_field else "Rows decouple, their modes share a drift.",
        ),
    )


SOLVERS = (
    Solver(
        title="modular addition of order 3: complex particles, resummed",
        source="ours",
        applies=_applies,
        derive=_derive,
        solved=(
            Solved(
                model="modular addition of order 3",
                regimes=("C-D", "D", "E-A", "E"),
                method="particles in complex coordinates, resummed",
                holds="where approximants agree",
                example=lambda: cp(order=3, target="modular-addition"),
            ),
        ),
    ),
)
