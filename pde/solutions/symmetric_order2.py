r"""SYM of order 2, the weight-tied linear autoencoder: the whole triangle A-B-E and its faces.

With y = H/p, z = p σ², τ = t/T and u = z (e^{4τ} - 1), S = √(1 + 2u(1 + y) + u²(1 - y)²),
D = 1 + u(1 + y) + S and q = 1 + S + u(1 - y),

    E[L(t)] ~ p/(2DS) · [ q²/2 - 4zy + 2z²y (2(1 + y) + u(1 - y)²)/(S + 1) ].

This is half the sum of (1 - μ)²/(1 - μ + μ e^{4τ})² over the eigenvalues μ of WᵀW, which follow the
Marchenko-Pastur law: the three terms are the averages of 1, -2μ and μ² over (1 + (e^{4τ} - 1) μ)².
Each of them is positive and free of cancellation for τ >= 0, and for the first one, where the
largest y cancels, q = 4uy/(S + u(y - 1) - 1). Products of u are scaled by 1/u when it is large.

The faces are the limits of the triangle: y → 0 (E-A), y → ∞ at fixed κ = Hσ² (B-E), z → ∞ at fixed
zτ (A-B, where the target drops out), and their intersections.

Source: Yarotsky, Golikov, Gusev 2026, section 9, for the triangle as a Hadamard product; the form
without cancellation is ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from expansion.leading import LeadingSeries
from expansion.problem import Problem
from pde.closed_form import EARLY_TIMES, UNTIL_BLOW_UP, closed_form
from pde.curve import Domain, FloatArray, Parameters
from pde.evolution import Origin, Solution
from pde.numerics.logistic import logistic_rest
from pde.solver import CpModel, Solver, cp_model
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["SOLVERS", "triangle_loss"]

_BLOW_UP = "before it gradient ascent has blown up"
_LARGE = 1e8
"""Beyond this u the formula is evaluated in powers of 1/u."""


def triangle_loss(y: float, z: float, tau: FloatArray) -> FloatArray:
    """E[L]/p on the whole triangle, accurate to rounding for every τ >= 0.

    Parameters
    ----------
    y, z : float
        H/p and p σ².
    tau : numpy.ndarray
        Times t/T; negative ones down to the blow-up.

    Examples
    --------
    >>> bool(abs(triangle_loss(1.0, 1.0, np.array([0.0]))[0] - 0.5) < 1e-15)
    True
    """
    tau = np.asarray(tau, dtype=float)
    result = np.empty_like(tau)
    with np.errstate(over="ignore"):
        u = z * np.expm1(4 * tau)
    large = u > _LARGE
    result[~large] = _moderate(y, z, u[~large])
    # 1/√u from the exponential of -2τ, which underflows where u would overflow.
    decayed = np.exp(-2 * tau[large])
    root = decayed / np.sqrt(z * -np.expm1(-4 * tau[large]))
    result[large] = _late_critical(z, root) if y == 1 else _late(y, z, root**2)
    return result


def _moderate(y: float, z: float, u: FloatArray) -> FloatArray:
    v = u * (y - 1)
    S = np.sqrt((1 - v) ** 2 + 4 * u * y)
    D = 1 + u * (1 + y) + S
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(v > 1, 4 * u * y / (S + v - 1), 1 + S - v)
    first = q**2 / 2 - 4 * z * y
    second = 2 * z**2 * y * (2 * (1 + y) + u * (1 - y) ** 2) / (S + 1)
    value: FloatArray = (first + second) / (2 * D * S)
    return value


def _late(y: float, z: float, r: FloatArray) -> FloatArray:
    """The same with S, D and q divided by u = 1/r."""
    s = np.sqrt((r - (y - 1)) ** 2 + 4 * r * y)
    d = r + 1 + y + s
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.where(y - 1 > r, 4 * r * y / (s + (y - 1) - r), r + s - (y - 1))
        first = k**2 / 2 - 4 * z * y * r**2
        second = 2 * z**2 * y * r**2 * (2 * (1 + y) * r + (1 - y) ** 2) / (s + r)
        value: FloatArray = (first + second) / (2 * d * s)
    return np.where(d * s > 0, value, 0.0)


def _late_critical(z: float, root: FloatArray) -> FloatArray:
    """The same for y = 1, where S/u and q/u are multiples of root = 1/√u."""
    r = root**2
    s = np.sqrt(r + 4)
    d = r + 2 + root * s
    first = root * (root + s) ** 2 / (4 * d * s)
    second = (4 * z**2 * root**4 / (s + root) - 2 * z * root**3) / (d * s)
    value: FloatArray = first + second
    return value


@dataclass(frozen=True, slots=True)
class _Face:
    """One face: formula, evaluator, domain and limit."""

    formula: Callable[[], sympy.Expr]
    evaluate: Callable[[Parameters, FloatArray], FloatArray]
    domain: Callable[[Parameters], Domain]
    late: Callable[[Parameters], float | None]


def _numbers(parameters: Parameters) -> tuple[float, float, float, float]:
    """p, y, z and T."""
    p, H = parameters["p"], parameters["H"]
    return (
        float(p),
        float(H / p),
        float(p * parameters["sigma2"]),
        float(parameters["T"]),
    )


def _symbols() -> tuple[sympy.Expr, ...]:
    """p, H, sigma2 and τ."""
    p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))
    return p, H, sigma2, t / T


def _triangle_formula() -> sympy.Expr:
    import sympy

    p, H, sigma2, tau = _symbols()
    y, z = H / p, p * sigma2
    u = z * (sympy.exp(4 * tau) - 1)
    S = sympy.sqrt(1 + 2 * u * (1 + y) + u**2 * (1 - y) ** 2)
    D = 1 + u * (1 + y) + S
    q = 1 + S + u * (1 - y)
    last = 2 * z**2 * y * (2 * (1 + y) + u * (1 - y) ** 2) / (S + 1)
    return p / (2 * D * S) * (q**2 / 2 - 4 * z * y + last)


def _triangle(parameters: Parameters, t: FloatArray) -> FloatArray:
    p, y, z, T = _numbers(parameters)
    return p * triangle_loss(y, z, t / T)


def _free_formula() -> sympy.Expr:
    import sympy

    p, H, sigma2, tau = _symbols()
    y, z = H / p, p * sigma2
    u = 4 * z * tau
    S = sympy.sqrt(1 + 2 * u * (1 + y) + u**2 * (1 - y) ** 2)
    D = 1 + u * (1 + y) + S
    return p * z**2 * y * (2 * (1 + y) + u * (1 - y) ** 2) / (D * S * (S + 1))


def _free(parameters: Parameters, t: FloatArray) -> FloatArray:
    p, y, z, T = _numbers(parameters)
    u = 4 * z * t / T
    S = np.sqrt((1 - u * (y - 1)) ** 2 + 4 * u * y)
    D = 1 + u * (1 + y) + S
    value: FloatArray = p * z**2 * y * (2 * (1 + y) + u * (1 - y) ** 2) / (D * S * (S + 1))
    return value


def _logistic_domain(start: float, T: float) -> Domain:
    if start <= 1:
        return Domain()
    return Domain(start=T * math.log1p(-1 / start) / 4, reason=_BLOW_UP)


def _narrow_formula() -> sympy.Expr:
    import sympy

    p, H, sigma2, tau = _symbols()
    grown = p * sigma2 * sympy.exp(4 * tau)
    b = grown / (1 - p * sigma2 + grown)
    return p / 2 + H * (b**2 / 2 - b)


def _narrow(parameters: Parameters, t: FloatArray) -> FloatArray:
    p, y, z, T = _numbers(parameters)
    # b²/2 - b = ((1 - b)² - 1)/2
    value: FloatArray = p / 2 + p * y * (logistic_rest(z, 4 * t / T) ** 2 - 1) / 2
    return value


def _wide_formula() -> sympy.Expr:
    import sympy

    p, H, sigma2, tau = _symbols()
    kappa = H * sigma2
    return p / 2 * ((1 - kappa) / (1 - kappa + kappa * sympy.exp(4 * tau))) ** 2


def _wide(parameters: Parameters, t: FloatArray) -> FloatArray:
    p, y, z, T = _numbers(parameters)
    value: FloatArray = p / 2 * logistic_rest(y * z, 4 * t / T) ** 2
    return value


def _small_formula() -> sympy.Expr:
    import sympy

    p, H, sigma2, tau = _symbols()
    return p / 2 - p * H * sigma2 * sympy.exp(4 * tau)


def _small(parameters: Parameters, t: FloatArray) -> FloatArray:
    p, y, z, T = _numbers(parameters)
    with np.errstate(over="ignore"):
        value: FloatArray = p / 2 - p * y * z * np.exp(4 * t / T)
    return value


def _edge_domain(parameters: Parameters) -> Domain:
    """Until the largest eigenvalue of the initial WᵀW has blown up backwards in time."""
    _, y, z, T = _numbers(parameters)
    return _logistic_domain(z * (1 + math.sqrt(y)) ** 2, T)


def _free_domain(parameters: Parameters) -> Domain:
    _, y, z, T = _numbers(parameters)
    return Domain(start=-T / (4 * z * (1 + math.sqrt(y)) ** 2), reason=_BLOW_UP)


def _learnt(parameters: Parameters) -> float:
    """What H latent dimensions cannot represent: max((p - H)/2, 0)."""
    return max(float(parameters["p"] - parameters["H"]) / 2, 0.0)


def _square_formula(size: str) -> Callable[[], sympy.Expr]:
    """A and B: one eigenvalue z or κ, without the target."""

    def formula() -> sympy.Expr:
        p, H, sigma2, tau = _symbols()
        size_symbol, other = (p, H) if size == "p" else (H, p)
        return other * (size_symbol * sigma2) ** 2 / 2 * (1 + 4 * size_symbol * sigma2 * tau) ** -2

    return formula


def _square(size: str) -> Callable[[Parameters, FloatArray], FloatArray]:
    def evaluate(parameters: Parameters, t: FloatArray) -> FloatArray:
        p, y, z, T = _numbers(parameters)
        eigenvalue, number = (z, p * y) if size == "p" else (y * z, p)
        value: FloatArray = number / 2 * (eigenvalue / (1 + 4 * eigenvalue * t / T)) ** 2
        return value

    return evaluate


def _square_domain(size: str) -> Callable[[Parameters], Domain]:
    def domain(parameters: Parameters) -> Domain:
        rate = 4 * float(parameters[size] * parameters["sigma2"])
        return Domain(start=-float(parameters["T"]) / rate, reason=_BLOW_UP)

    return domain


_FACES = {
    "A-B-E": _Face(_triangle_formula, _triangle, _edge_domain, _learnt),
    "A-B": _Face(_free_formula, _free, _free_domain, lambda parameters: 0.0),
    "E-A": _Face(
        _narrow_formula,
        _narrow,
        lambda q: _logistic_domain(_numbers(q)[2], _numbers(q)[3]),
        lambda q: float((q["p"] - q["H"]) / 2),
    ),
    "B-E": _Face(
        _wide_formula,
        _wide,
        lambda q: _logistic_domain(_numbers(q)[1] * _numbers(q)[2], _numbers(q)[3]),
        lambda parameters: 0.0,
    ),
    "E": _Face(_small_formula, _small, lambda parameters: Domain(), lambda parameters: None),
    "A": _Face(_square_formula("p"), _square("p"), _square_domain("p"), lambda parameters: 0.0),
    "B": _Face(_square_formula("H"), _square("H"), _square_domain("H"), lambda parameters: 0.0),
}


def _early(face: _Face, parameters: Parameters) -> float | None:
    """Backwards in time all weights decay, unless they blow up."""
    return float(parameters["p"] / 2) if math.isinf(face.domain(parameters).start) else None


def _applies(problem: Problem, regime: str) -> bool:
    model = cp_model(problem)
    return (
        model in {CpModel(order=2, symmetric=True, target=t) for t in ("identity", "zero")}
        and regime in _FACES
    )


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    from pde.solutions.symmetric_order2_derivation import derivation

    face = _FACES[regime]
    formula = face.formula()
    return closed_form(
        problem=problem.title,
        regime=regime,
        source="Yarotsky, Golikov, Gusev 2026, section 9; form without cancellation ours",
        formula=formula,
        derivation=derivation(regime, formula),
        origin=Origin.DERIVED,
        evaluate=face.evaluate,
        domain=face.domain,
        limits=lambda parameters: (_early(face, parameters), face.late(parameters)),
        validity=EARLY_TIMES if regime == "E" else UNTIL_BLOW_UP,
    )


SOLVERS = (
    Solver(
        title="SYM of order 2: the triangle by a Hadamard product, and its faces",
        source="Yarotsky, Golikov, Gusev 2026, section 9",
        applies=_applies,
        derive=_derive,
    ),
)
