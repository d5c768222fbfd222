"""ASYM, B-C and C: the neural tangent kernel limit, derived, against the published formula."""

from fractions import Fraction

import pytest

from expansion.models import cp
from expansion.regimes import regimes
from pde.evolution import Method, Origin
from pde.solving import solution, solver_for

AT = {"p": Fraction(7), "H": Fraction(5), "sigma2": Fraction(1, 30), "T": Fraction(2)}


@pytest.mark.parametrize("terms", [4, 5])
@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("name", ["B-C", "C"])
def test_the_kernel_rests_and_all_entries_decay_alike(order: int, name: str, terms: int) -> None:
    """½(p + p^ν H σ^{2ν}) exp(-2ν H σ^{2ν-2} t/T); section 8, where the rate lacks the factor ν."""
    found = regimes(cp(order=order), terms=terms)
    assert solver_for(cp(order=order), name) is None
    derived = solution(found, name)
    assert (derived.method, derived.origin) == (Method.CLOSED_FORM, Origin.DERIVED)
    assert derived.certificate.matched == tuple(range(terms + 1))
    evolution = derived.at(AT)
    noise = 7**order * 5 / 30**order if name == "B-C" else 0
    for t in (-1.0, 0.0, 0.5, 30.0):
        expected = (
            (7 + noise) / 2 * 2.718281828459045 ** (-2 * order * 5 / 30 ** (order - 1) * t / 2)
        )
        assert float(evolution(t)) == pytest.approx(expected, rel=1e-12)
        assert float(evolution.precise(t, 40)) == pytest.approx(expected, rel=1e-12)
    assert evolution.limit() == 0
    assert evolution.domain.start == -float("inf") and evolution.domain.stop == float("inf")
