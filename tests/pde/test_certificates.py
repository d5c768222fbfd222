"""Every regime of a CP problem is solved, certified for all that is known, or is resummed."""

import pytest

from expansion.models import cp
from expansion.regimes import regimes
from pde.evolution import Method, Origin
from pde.solving import solution

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
        assert solved.certificate.matched[-1] == last


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
