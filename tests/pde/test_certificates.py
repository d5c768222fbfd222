"""Every regime of a CP problem is solved, certified for all that is known, or is resummed."""

import pytest
import sympy

from expansion.models import cp
from expansion.regimes import regimes
from pde.curve_check import check_solution
from pde.evolution import Method, Origin
from pde.solving import solution
from pde.taylor import symbol

# The last coefficient that is expanded within about half a minute.
REACH = {
    (2, True): 12,
    (2, False): 10,
    (3, True): 5,
    (3, False): 6,
    (4, True): 5,
    (4, False): 5,
    (5, True): 4,
    (5, False): 4,
    (6, True): 3,
}


@pytest.mark.slow
@pytest.mark.parametrize("target", ["identity", "zero"])
@pytest.mark.parametrize(("order", "symmetric"), REACH)
def test_certificates_cover_all_known_coefficients(
    order: int, symmetric: bool, target: str
) -> None:
    last = REACH[order, symmetric]
    found = regimes(cp(order=order, symmetric=symmetric, target=target), terms=last)
    for regime in found:
        solved = solution(found, regime.name)
        assert solved.derivation
        if solved.origin is Origin.RESUMMED:
            assert solved.certificate.compared == ()
            continue
        assert solved.certificate.holds, regime.name
        assert solved.certificate.matched[0] in {0, found.start}
        # Where an odd s leads alone, those between are smaller than its dynamics.
        assert max(*solved.certificate.matched, *solved.certificate.left_out, 0) == last


@pytest.mark.parametrize(
    ("order", "symmetric", "terms", "formulas"),
    [
        (2, True, 4, {"A", "B", "E", "A-B", "B-E", "E-A", "A-B-E"}),
        (2, False, 4, {"A", "B", "C", "D", "E", "B-C", "C-D", "D-E", "E-A"}),
        (3, False, 4, {"A", "B", "C", "B-C"}),
        (4, True, 3, {"A", "B", "A-B"}),
    ],
)
def test_which_regimes_have_a_formula(
    order: int, symmetric: bool, terms: int, formulas: set[str]
) -> None:
    found = regimes(cp(order=order, symmetric=symmetric), terms=terms)
    solved = {regime.name: solution(found, regime.name) for regime in found}
    closed = {name for name, one in solved.items() if one.method is Method.CLOSED_FORM}
    assert closed == formulas
    for name, one in solved.items():
        assert (one.formula is not None) == (name in formulas)
        summed = one.origin is Origin.RESUMMED
        seen = {*one.certificate.matched, *one.certificate.left_out}
        assert seen == (set() if summed else {*range(terms + 1)})


def test_regimes_of_which_a_coefficient_is_zero() -> None:
    """The inner product of the model and the target begins at s = 1: E f(0) = 0."""
    found = regimes(cp(order=2), loss="alignment", terms=5)
    assert 0 not in found.polyhedra
    p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))
    grown = sympy.exp(2 * t / T)
    expected = {
        # A small initialisation: weights grow by each other.
        "V1": p * H * sigma2 * (grown - 1 / grown) / 2,
        # Many ranks: a kernel that stays.
        "V3": p * (1 - sympy.exp(-2 * H * sigma2 * t / T)),
    }
    for name, formula in expected.items():
        solved = solution(found, name)
        assert solved.certificate.holds and 0 not in solved.certificate.compared
        assert {1, 3, 5} <= set(solved.certificate.matched)
        assert check_solution(solved).holds
        assert sympy.expand(solved.formula - formula) == 0
