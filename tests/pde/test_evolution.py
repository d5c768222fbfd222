"""A solution at given numbers: what is refused, and in which words."""

import mpmath
import numpy as np
import pytest

from diagrams.errors import InvalidInputError
from pde.curve import Curve, Domain
from pde.evolution import LossEvolution, Method, Solution


def evolution(domain: Domain, *, precise: bool) -> LossEvolution:
    """The loss e^{-t}."""

    def many_digits(t: mpmath.mpf, digits: int) -> mpmath.mpf:
        return mpmath.exp(-t)

    curve = Curve(
        evaluate=lambda t: np.exp(-t), domain=domain, precise=many_digits if precise else None
    )
    solution = Solution(
        problem="problem",
        regime="A",
        method=Method.CLOSED_FORM,
        source="ours",
        formula=None,
        derivation=(),
        taylor=lambda: iter(()),
        curve=lambda parameters: curve,
    )
    return solution.at({})


def test_digits_that_are_not_there() -> None:
    with pytest.raises(InvalidInputError) as error:
        evolution(Domain(), precise=False).precise(1)
    assert str(error.value) == (
        "regime A: its solution has floating point values only; call it with an array of times"
    )


def test_times_that_are_not_finite() -> None:
    with pytest.raises(InvalidInputError, match="times: one of them is not a finite number"):
        evolution(Domain(), precise=False)([0.0, np.nan])


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        (Domain(start=-1.0, reason="because"), "t > -1"),
        (Domain(start=0.0, reason="because"), "t >= 0"),
        (Domain(stop=0.0, reason="because"), "t <= 0"),
        (Domain(stop=1.5, reason="because"), "t < 1.5"),
        (Domain(start=-1.0, stop=1.5, reason="because"), "-1 < t < 1.5"),
    ],
)
def test_times_outside_are_refused_alike(domain: Domain, words: str) -> None:
    solved = evolution(domain, precise=True)
    outside = -2.0 if domain.start > -np.inf else 2.0
    for call in (lambda t: solved([0.0, t]), solved.precise):
        with pytest.raises(InvalidInputError) as error:
            call(outside)
        assert str(error.value) == (
            f"t = {outside:g}: the solution of regime A holds for {words}, because; give other "
            "times"
        )
    assert float(solved(0)) == 1 and solved.precise(0) == 1


def test_digits_are_those_asked_for() -> None:
    value = evolution(Domain(), precise=True).precise("1/3", 40)
    with mpmath.workdps(60):
        assert 0 < abs(value - mpmath.exp(-mpmath.mpf(1) / 3)) < mpmath.mpf(10) ** -40
