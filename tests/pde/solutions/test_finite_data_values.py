"""Values under an average over eigenvalues are those of the formula at many digits."""

from fractions import Fraction

import numpy as np
import pytest

from pde.numerics.certified import Evaluator
from pde.solutions.finite_data import Symbols
from pde.solutions.finite_data_mean_field import SPECTRAL
from pde.spectral_formulas import SCALED, DensityValues


@pytest.mark.parametrize("regime", SPECTRAL)
@pytest.mark.parametrize("sigma2", [Fraction(1, 4000), Fraction(1, 40), Fraction(1, 3), 10**16])
def test_values_of_a_spectral_face(regime: str, sigma2: Fraction) -> None:
    at = {"p": Fraction(30), "H": Fraction(40), "N": Fraction(50), "T": Fraction(2)}
    at |= {"sigma2": Fraction(sigma2)}
    density = SPECTRAL[regime](Symbols.all(), "population").density
    x = np.array([[-1e-3, 0.0, 1e-12], [0.4, 7.0, 60.0]])
    exact = Evaluator(density, at, variable=SCALED)
    expected = [float(exact.ball(Fraction(float(each)), 20)) for each in x.flat]
    np.testing.assert_allclose(DensityValues(density, at)(x).ravel(), expected, rtol=1e-12)


@pytest.mark.parametrize("regime", ["mean-field", "mean-field & free"])
def test_what_decays_does_not_overflow(regime: str) -> None:
    at = {"p": Fraction(30), "H": Fraction(40), "N": Fraction(50), "sigma2": Fraction(1, 400)}
    density = SPECTRAL[regime](Symbols.all(), "train").density
    found = DensityValues(density, at)(np.array([200.0, 1e4, 1e9]))
    assert np.all(np.isfinite(found)) and np.all(np.diff(found) <= 0) and found[0] < 1e-3
