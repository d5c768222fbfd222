"""The search for a blow-up where there is none at a finite time."""

import pytest

from diagrams.errors import InvalidInputError
from pde.moments.particles import blow_up


@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0])
def test_a_power_is_found(exponent: float) -> None:
    found = blow_up(lambda t: (1.0, exponent / (2 - t)), start=0.0, relative_tolerance=1e-12)
    assert found.time == pytest.approx(2, rel=1e-11)
    assert found.exponent == pytest.approx(exponent, rel=1e-9)


def test_growth_for_ever_is_no_blow_up() -> None:
    """log z = t²/2 has the rate t: the line through 1/t has its zero ahead, at every time."""
    calls = []

    def evaluate(t: float) -> tuple[float, float]:
        calls.append(t)
        return 1.0, t

    with pytest.raises(InvalidInputError, match="blow-up: none is approached; start closer to it"):
        blow_up(evaluate, start=1.0, relative_tolerance=1e-9)
    assert len(calls) > 200 and calls[-1] > 1e10
