"""Sites of a fixed number of rows: a particle stands for each of them."""

from fractions import Fraction

import numpy as np
import pytest

from expansion.problem_files.problem_file import read_problem
from expansion.problem_files.toml_document import TomlDocument
from expansion.regimes import regimes
from pde.solving import solve

ROWS = """
axes = { p = "growing", d = 3 }
tensors.W = { kind = "weight", axes = ["d", "p"], variance = "sigma2" }
[losses.l]
outputs = ["i", "j"]
model = "W[k,i] W[k,j]"
target = "identity"
"""


@pytest.mark.parametrize("size", [Fraction(1, 2), Fraction(1), Fraction(2)])
def test_three_rows_are_three_logistic_equations(size: Fraction) -> None:
    """|w_k|^2 = b obeys b' = 4b(1 - b), and L = p/2 + 3 (b^2/2 - b); once this was one row."""
    found = regimes(read_problem(TomlDocument.parse("rows.toml", ROWS)), terms=4)
    (edge,) = [regime.name for regime in found if regime.dimension == 1]
    evolution = solve(found, edge, at={"p": 40, "sigma2": size / 40})
    assert evolution.certificate.matched == (0, 1, 2, 3, 4)
    t = np.array([0.0, 0.2, 1.0, 3.0])
    z = float(size)
    b = z / (z + (1 - z) * np.exp(-4 * t))
    assert evolution(t) == pytest.approx(20 + 3 * (b**2 / 2 - b), rel=1e-9)
