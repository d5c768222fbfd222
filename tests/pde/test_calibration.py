"""The estimated errors of resummed series, against every sum that is known in closed form.

For each solved regime of the models of order 2, and of free evolution, the first coefficients are
resummed at random numbers, as if no solution were known, and compared with the solution at random
times in both directions. Fewer than one value in a thousand may be further away than its estimate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from diagrams.errors import InvalidInputError
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.regimes import regimes
from pde.evolution import Curve, Solution
from pde.resummed_series import resummed_curve
from pde.solutions import asymmetric_order2, symmetric_order2
from pde.solving import solution as solution_of

TIMES = 12
TERMS = (5, 6, 7, 8, 10, 13)


@dataclass(frozen=True)
class Known:
    """A solved regime, and whether its leading terms contain the target."""

    name: str
    solution: Solution
    has_target: bool


@cache
def rows_of(solution: Solution) -> tuple[Polynomial, ...]:
    return solution.coefficients(max(TERMS))


def solved() -> Iterator[Known]:
    """Every regime with a closed form of the models of order 2, and free evolution."""
    for face in symmetric_order2._FACES:
        solution = symmetric_order2.derived_face(cp(order=2, symmetric=True), face, None)
        yield Known(f"SYM 2 {face}", solution, face not in {"A", "B", "A-B"})
    for face in asymmetric_order2._FACES:
        yield Known(f"ASYM 2 {face}", asymmetric_order2.derived_face(cp(order=2), face, None), True)
    found = regimes(cp(order=3), terms=4)
    for face in ("A", "B"):
        yield Known(f"ASYM 3 {face}", solution_of(found, face), False)
    for face in ("C", "B-C"):
        yield Known(f"ASYM 3 {face}", solution_of(found, face), True)


def told(curve: Curve, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The times at which a curve has values, and the values."""
    times = times[curve.domain.inside(times)]
    try:
        return times, curve.evaluate(times)
    except InvalidInputError:
        pass
    pairs = []
    for t in times:
        try:
            pairs.append((t, curve.evaluate(np.array([t]))[0]))
        except InvalidInputError:
            continue
    return np.array([t for t, _ in pairs]), np.array([value for _, value in pairs])


def sample(known: Known, random: np.random.Generator, terms: int) -> tuple[int, int, float]:
    """How many values were given at random numbers, how many left their estimate, the worst."""
    p, H = (Fraction(int(2 ** random.uniform(0, 9))) for _ in range(2))
    sigma2 = Fraction(int(2 ** random.uniform(0, 14)), 2**14) / max(p, H)
    at = {"p": p, "H": H, "sigma2": sigma2, "T": Fraction(1)}
    rows = rows_of(known.solution)[:terms]
    values = [Fraction(row.evaluate(**{n: at[n] for n in row.symbols})) for row in rows]
    exact = known.solution.curve(at)
    target = p / 2 if known.has_target else Fraction(0)
    try:
        summed = resummed_curve(values, target=target, T=Fraction(1))
    except InvalidInputError:
        return 0, 0, 0.0
    given = left = 0
    worst = 0.0
    for end in (summed.domain.start, summed.domain.stop):
        t, values_at = told(summed, end * random.uniform(0, 1, TIMES))
        if not t.size:
            continue
        error = summed.errors(t) + 1e-13 * abs(float(values[0]))
        inside = exact.domain.inside(t)
        away = np.full(t.shape, np.inf)
        away[inside] = np.abs(values_at[inside] - exact.evaluate(t[inside])) / error[inside]
        given += t.size
        worst = max(worst, float(np.max(away)))
        left += int(np.sum(~(away <= 1)))
    return given, left, worst


def calibrate(numbers: int, seed: int) -> tuple[int, int, list[tuple[str, int, int, int, float]]]:
    random = np.random.default_rng(seed)
    given = left = 0
    offenders = []
    for known in solved():
        for terms in TERMS:
            for _ in range(numbers):
                one, out, worst = sample(known, random, terms)
                given, left = given + one, left + out
                if out:
                    offenders.append((known.name, terms, one, out, worst))
    return given, left, offenders


def test_estimates_hold_on_a_sample() -> None:
    given, left, offenders = calibrate(1, seed=1)
    assert given > 500
    assert left <= given / 1000, offenders


@pytest.mark.slow
def test_fewer_than_one_in_a_thousand_leaves_its_estimate() -> None:
    given, left, offenders = calibrate(12, seed=2)
    assert given > 5000
    assert left < given / 1000, offenders
