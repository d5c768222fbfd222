"""The engine against the independent oracle: CP models of order 2 to 5 at small integer sizes.

The oracle multiplies ordinary polynomials out and shares no code with the engine. All sizes with
p H <= 4 take part, so two polynomials of low degree in p and H can hardly agree by accident. How
far s goes is what the oracle affords; the slow tests go further.
"""

from fractions import Fraction

import pytest

from diagflow.oracle import Moments, cp_loss_derivatives
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.series import LossSeries

SIZES = [(p, H) for p in range(1, 5) for H in range(1, 5) if p * H <= 4]

# Last s by order and symmetry, and for sizes at which the oracle is slower than elsewhere.
TERMS = {
    (2, True): 10,
    (3, True): 5,
    (4, True): 4,
    (5, True): 3,
    (2, False): 6,
    (3, False): 4,
    (4, False): 4,
    (5, False): 3,
}
FEWER = {
    (3, False): {(2, 2): 3, (4, 1): 3},
    (4, False): {(1, 4): 3, (2, 2): 2, (3, 1): 2, (4, 1): 1},
    (5, False): {(2, 1): 2, (2, 2): 1, (3, 1): 1, (4, 1): 0},
}
SLOW_TERMS = {
    (2, True): 14,
    (3, True): 6,
    (4, True): 5,
    (5, True): 4,
    (2, False): 8,
    (3, False): 5,
    (4, False): 5,
    (5, False): 4,
}
SLOW_FEWER = {
    (2, False): {(2, 2): 7},
    (3, False): {(2, 2): 4, (4, 1): 4},
    (4, False): {(1, 4): 4, (2, 2): 3, (3, 1): 3, (4, 1): 2},
    (5, False): {(1, 4): 3, (2, 1): 3, (2, 2): 2, (3, 1): 2, (4, 1): 1},
}


def at_sizes(polynomial: Polynomial, p: int, H: int) -> Moments:
    """The polynomial in sigma2 that is left when the sizes are numbers."""
    values = {"p": p, "H": H}
    moments: Moments = {}
    for powers, coefficient in polynomial:
        rest = tuple(pair for pair in powers if pair[0] not in values)
        for name, power in powers:
            coefficient *= Fraction(values.get(name, 1)) ** power
        moments[rest] = moments.get(rest, Fraction(0)) + coefficient
    return {rest: value for rest, value in moments.items() if value}


def compare(
    order: int,
    symmetric: bool,
    target: str,
    terms: int,
    fewer: dict[tuple[int, int], int],
) -> None:
    engine = LossSeries(cp(order=order, symmetric=symmetric, target=target))
    for p, H in SIZES:
        last = fewer.get((p, H), terms)
        expected = cp_loss_derivatives(
            order,
            symmetric=symmetric,
            target=target,  # type: ignore[arg-type]
            p=p,
            H=H,
            terms=last,
        )
        assert len(expected) == last + 1
        for s, moments in enumerate(expected):
            assert at_sizes(engine[s], p, H) == moments, f"p={p}, H={H}, s={s}"


@pytest.mark.parametrize("target", ["identity", "zero"])
@pytest.mark.parametrize(("order", "symmetric"), TERMS)
def test_the_series_is_the_oracle_s(order: int, symmetric: bool, target: str) -> None:
    key = order, symmetric
    compare(order, symmetric, target, TERMS[key], FEWER.get(key, {}))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["identity", "zero"])
@pytest.mark.parametrize(("order", "symmetric"), SLOW_TERMS)
def test_the_series_is_the_oracle_s_further_on(order: int, symmetric: bool, target: str) -> None:
    key = order, symmetric
    compare(order, symmetric, target, SLOW_TERMS[key], SLOW_FEWER.get(key, {}))


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("symmetric", [True, False])
def test_one_weight_of_each_colour_far_out(order: int, symmetric: bool) -> None:
    """At p = H = 1 the oracle goes far: all contractions of all diagrams are counted there."""
    terms = {2: 9, 3: 4, 4: 3 if symmetric else 4}[order]
    engine = LossSeries(cp(order=order, symmetric=symmetric))
    expected = cp_loss_derivatives(
        order, symmetric=symmetric, target="identity", p=1, H=1, terms=terms
    )
    assert [at_sizes(engine[s], 1, 1) for s in range(terms + 1)] == expected
