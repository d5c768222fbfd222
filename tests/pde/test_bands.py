"""The band of single runs around a loss curve."""

from fractions import Fraction

import numpy as np
import pytest

from diagrams.errors import InvalidInputError
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.regimes import regimes
from pde.bands import band, variance_of

SYM = cp(order=2, symmetric=True)
FOUND = regimes(SYM, terms=4)


def test_the_band_is_the_root_of_the_variance() -> None:
    """Wide free weights: L = p a^2/2 with a' = -4a^2, and dL(t)/da(0) = p a(t)/(1 + 4 a(0) t)^2."""
    variance = variance_of(FOUND, "B").at({"p": 50, "H": 1000, "sigma2": Fraction(1, 100), "T": 1})
    times = [0.0, 0.01, 0.1]
    known = band(variance, times)
    start = 10.0
    for t, value in zip(times, known, strict=True):
        factor = 1 / (1 + 4 * start * t)
        expected = np.sqrt(2 * 50 * 1000**3 / 100**4) * factor**3
        assert value == pytest.approx(expected, rel=1e-6)


def test_nothing_is_said_beyond_the_domain() -> None:
    variance = variance_of(FOUND, "E").at({"p": 8, "H": 4, "sigma2": Fraction(1, 800), "T": 1})
    late = variance.domain.stop * 2 if np.isfinite(variance.domain.stop) else None
    if late is not None:
        assert band(variance, [0.0, late])[1] is None
    assert band(variance, [0.0]) == [0.01]


def test_what_has_no_band() -> None:
    with pytest.raises(InvalidInputError, match=r"variance of regime .*: belongs to given coeff"):
        variance_of(regimes([Polynomial.parse("p*H*sigma2")] * 5), "V1")
    with pytest.raises(InvalidInputError, match="is one of a cumulant; name a loss"):
        variance_of(regimes(SYM, loss="cumulant(train, 2)", terms=4), "E")
