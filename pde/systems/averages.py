"""The solution of a `SiteProblem`: an average of particles where it exists, else a sum.

In a direction of time in which the average over the initial law exists, the particles are followed
on the nodes of a quadrature, and again on those of a coarser one. Where it does not, the series is
formal. Two cases differ:

- formal in both directions: the exact coefficients are summed by approximants, Borel-Padé among
  them, where these agree (`pde.numerics.resummation`); near 0 they do although the series diverges;
- formal in one direction only: from the other one the average continues analytically, but past 0 to
  two complex conjugate values, since the particles that reach infinity do so on the real axis: it
  is the Stokes line of the series. Only t = 0 is left.

Potentials whose moments close among themselves, such as quadratic ones, are finite systems and are
solved as such.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from expansion.polynomial import Polynomial
from pde.curve import Curve, FloatArray, Parameters
from pde.evolution import DerivationStep, Method, Solution
from pde.moments.hierarchy import ContractedLoss
from pde.resummed_series import resummed_curve
from pde.systems.curves import Branch, branch, joined
from pde.systems.particle import ParticleFlow
from pde.systems.site import SiteNumbers, SiteProblem
from pde.systems.solution import system_curve, system_solution

__all__ = ["site_curve", "site_solution"]

_TERMS = 24
"""Coefficients that are summed where the series is formal."""

_FORMAL = "the average is formal, it does not exist since some particles reach infinity at once,"


def site_curve(problem: SiteProblem, parameters: Parameters) -> Curve:
    """The loss of a problem at numbers, as a function of t.

    Parameters
    ----------
    problem : SiteProblem
    parameters : mapping from str to Fraction
        A value for every symbol, and T.

    Raises
    ------
    CapacityError
        If there are too many colours, or a number is beyond double precision.
    """
    system = problem.closed_system()
    if system is not None:
        return system_curve(system, parameters)
    numbers = problem.at(parameters)
    T = parameters["T"]
    flows: list[ParticleFlow] = []
    if not all(numbers.formal):
        flows = [ParticleFlow(numbers, coarse=coarse) for coarse in (False, True)]
    coefficients = numbers.taylor(_TERMS) if any(numbers.formal) else ()
    # One entry has nodes enough at any time.
    constant = float(numbers.constant) if numbers.lengths.count(False) > 1 else None
    past, future = (
        _summed(coefficients, numbers, past=direction)
        if formal
        else branch(flows, past=direction, constant=constant)
        for direction, formal in zip((True, False), numbers.formal, strict=True)
    )
    return joined(past, future, T=T)


def _summed(coefficients: Sequence[Fraction], numbers: SiteNumbers, *, past: bool) -> Branch:
    """A direction in which the series is formal."""
    side, sign = ("t < 0", -1) if past else ("t > 0", 1)
    start = float(coefficients[0])
    if not all(numbers.formal):
        return Branch(
            evaluate=lambda distance: np.full(distance.shape, start),
            unit=1.0,
            end=0.0,
            reason=f"because for {side} {_FORMAL} and the series diverges on its Stokes line",
        )
    # Both lines are Stokes lines of odd orders: near 0 the terms still determine the sum.
    curve = resummed_curve(
        list(coefficients), target=numbers.constant, T=Fraction(1), asymptotic=True
    )
    end = -curve.domain.start if past else curve.domain.stop

    def evaluate(distance: FloatArray) -> FloatArray:
        return np.where(distance == 0, start, curve.evaluate(sign * distance))

    return Branch(
        evaluate=evaluate,
        unit=1.0,
        end=end,
        reason=f"because for {side} {_FORMAL} and approximants of the series disagree beyond",
        error=curve.error_estimate or 0.0,
    )


def site_solution(
    problem: SiteProblem,
    *,
    title: str,
    regime: str,
    derivation: tuple[DerivationStep, ...] = (),
    source: str = "ours",
) -> Solution:
    """The solution of a regime whose hierarchy lives on one site.

    Parameters
    ----------
    problem : SiteProblem
    title : str
        Of the problem that it belongs to.
    regime : str
    derivation : tuple of DerivationStep
        How the reduced potential was obtained.
    source : str

    Returns
    -------
    Solution
        Without a certificate; see `Solution.certified`.
    """
    system = problem.closed_system()
    if system is not None:
        return system_solution(
            system, problem=title, regime=regime, derivation=derivation, source=source
        )
    return Solution(
        problem=title,
        regime=regime,
        method=Method.MOMENTS,
        source=source,
        formula=None,
        derivation=(*derivation, *_steps(problem)),
        taylor=problem.coefficient_rows,
        curve=lambda parameters: site_curve(problem, parameters),
        validity=(
            "t where the average over the initial values exists, until the loss blows up; "
            "elsewhere while approximants agree"
        ),
    )


def _steps(problem: SiteProblem) -> tuple[DerivationStep, ...]:
    colours = problem.loss.colours
    coefficients = dict(problem.coefficients)

    def latex(polynomial: ContractedLoss) -> str:
        terms = (
            _term(coefficients[term.parameters[0][0]], term.moments) for term in polynomial.terms
        )
        return " + ".join(terms).replace("+ -", "- ")

    several = "u_c" if colours > 1 else "u"
    own = problem.output == problem.loss
    followed = "V(z(\\tau))" if own else rf"\left({latex(problem.output)}\right)"
    paces = {rate.latex() for rate in problem.rates}
    pace = "" if paces == {"1"} else "r_c\\," if len(paces) > 1 else rf"{paces.pop()}\,"
    written = ", ".join(f"r_{c} = {rate.latex()}" for c, rate in enumerate(problem.rates, start=1))
    return (
        DerivationStep(
            "Effective potential",
            rf"V(z) = {latex(problem.loss)},\qquad z_m = w\,\mathbf{{E}}[u^m],\quad "
            rf"w = {problem.weight.latex()}",
            "Cores are sums over one site of products of its entries and squared lengths."
            if any(problem.lengths)
            else "Cores are bundles of parallel edges on one pair of nodes.",
        ),
        DerivationStep(
            "Characteristics",
            rf"\frac{{d{several}}}{{d\tau}} = -{pace}\sum_m \partial_{{{several}}} u^m\,"
            r"\frac{\partial V}{\partial z_m}",
            f"The generating function of the z_m obeys a first-order equation; its characteristics "
            f"are particles with {colours} coordinates, {problem.law.name} at the start"
            f"{f', with the rates {written}' if pace.startswith('r_c') else ''}."
            f"{_exceptions(problem)}",
        ),
        DerivationStep(
            "Average",
            rf"L = {problem.number.latex()}\,{followed} + {problem.constant.latex()}",
            "By quadrature over the initial values, with two rules, where the average exists.",
        ),
    )


def _exceptions(problem: SiteProblem) -> str:
    """What moves otherwise than the entry of a tensor."""
    sentences = [
        f" Coordinate {c} is the squared length of a vector, {value} at the start; it moves "
        f"4 u_{c} times as fast."
        for c, (value, is_length) in enumerate(
            zip(problem.variances, problem.lengths, strict=True), start=1
        )
        if is_length
    ]
    if problem.still:
        sentences.append(
            " Forces that are too small to move a coordinate by its own size are left out."
        )
    return "".join(sentences)


def _term(coefficient: Polynomial, moments: Sequence[tuple[tuple[int, ...], int]]) -> str:
    factors = "".join(
        rf"z_{{{','.join(map(str, m))}}}" + (f"^{{{power}}}" if power > 1 else "")
        for m, power in moments
    )
    latex = coefficient.latex()
    return rf"\left({latex}\right) {factors}" if len(coefficient) > 1 else f"{latex}\\, {factors}"
