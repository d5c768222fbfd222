"""What a solution leaves out because it is smaller than its dynamics is not certified."""

import pytest

import pde.effective
from expansion.leading import LeadingSeries
from expansion.models import deep_linear
from expansion.polynomial import Polynomial
from expansion.regimes import Regimes, regimes
from pde.effective import effective_solution
from pde.solving import leading_coefficients, neglected, solution


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(deep_linear(depth=3), terms=4)


def test_only_what_is_reproduced_is_listed(found: Regimes) -> None:
    """Y_0 ~ p^2 H^2 sigma^6/2 is no part of p/2 plus an odd function of t."""
    solved = solution(found, "V4")
    assert solved.certificate.matched == solved.certificate.compared == (1, 3)
    assert solved.certificate.left_out == (0, 2, 4)
    assert solved.validity == "all t", "a linear system does not blow up"
    exact = leading_coefficients(LeadingSeries(found, found["V4"]))
    rows = solved.coefficients(5)
    assert tuple(s for s in range(5) if rows[s] == exact[s]) == solved.certificate.matched


def test_what_should_be_left_out_and_is_not_fails(
    found: Regimes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A solution with more in its Y_0 than the target is not excused."""
    monkeypatch.setattr(pde.effective._DerivedLoss, "expected", lambda self, s: Polynomial())
    pde.effective._answer.cache_clear()
    solved = effective_solution(found, "V4")
    pde.effective._answer.cache_clear()
    assert solved is not None
    assert not solved.certificate.holds and 0 in solved.certificate.compared
    assert 0 not in solved.certificate.left_out


def test_what_is_left_out_is_neglected(found: Regimes) -> None:
    """30 beside 30 at t = 0: the loss of the regime has not moved, and is off by all of it."""
    at = {"p": 60, "H": 60, "sigma2": 1 / 60}
    left_out = solution(found, "V4").certificate.left_out
    share = neglected(found, "V4", at, times=[0.0], losses=[30.0], left_out=left_out)
    assert share.largest == pytest.approx(1)
    assert neglected(found, "V4", at, times=[0.0], losses=[30.0]).largest < 0.01
