"""A derivation leaves out what is smaller than its dynamics only if it knows the natural T."""

import pytest

from expansion.dynamics.derivation import RefusedError, derive
from expansion.problem_files.problem_file import read_problem
from expansion.problem_files.toml_document import TomlDocument
from expansion.regimes import regimes
from pde.effective import effective_solution

STUDENT = """
axes = { p = "growing", H = "growing", m = "growing" }
[tensors]
U = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }
V = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }
A = { kind = "fixed", axes = ["m", "p"], variance = "1/p" }
[losses.l]
outputs = ["i", "j"]
model = "U[k,i] V[k,j]"
target = "A[t,i] A[t,j]"
"""


def test_a_map_that_knows_no_time_lets_nothing_be_left_out() -> None:
    """Small weights grow like exp t; from Y_0 ... Y_4 alone they moved along a line for ever."""
    found = regimes(read_problem(TomlDocument.parse("student.toml", STUDENT)), terms=4)
    small = "V1-V2-V3-V4"
    assert not found[small].decided and found[small].natural_time
    certificate = derive(found, small).certificate
    assert certificate.doubtful == (2, 3, 4) and not certificate.failed
    assert str(certificate).startswith("refused: the map does not decide the natural T")
    with pytest.raises(RefusedError, match="leaves out s = 2, 3, 4"):
        derive(found, small).coefficients(3)
    assert effective_solution(found, small) is None
