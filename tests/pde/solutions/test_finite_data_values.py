"""Values that are written beside their formula are those of the certified evaluator."""

from fractions import Fraction

import numpy as np
import pytest

from pde.numerics.certified import Evaluator
from pde.solutions.finite_data import Numbers, Symbols
from pde.solutions.finite_data_mean_field import _SPECTRAL
from pde.taylor import symbol


@pytest.mark.parametrize("regime", _SPECTRAL)
@pytest.mark.parametrize("sigma2", [Fraction(1, 4000), Fraction(1, 40), Fraction(1, 3)])
def test_values_of_a_spectral_face(regime: str, sigma2: Fraction) -> None:
    at = {"p": Fraction(30), "H": Fraction(40), "N": Fraction(50), "T": Fraction(2)}
    at |= {"sigma2": sigma2}
    lam = np.array([0.0, 1e-9, 0.03, 1.0, 2.9])
    times = np.array([-1e-3, 0.0, 1e-12, 0.4, 7.0])
    found = _SPECTRAL[regime].values(Numbers.of(at), times[:, None], lam)
    density = _SPECTRAL[regime].density(Symbols.all(), symbol("lam"))
    for column, each in zip(found.T, lam, strict=True):
        exact = at | {"lam": Fraction(float(each))}
        np.testing.assert_allclose(column, Evaluator(density, exact)(times), rtol=1e-13)
