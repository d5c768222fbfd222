"""Recurrences found unaided: in enumerated coefficients, in classical arrays, in random data."""

from fractions import Fraction
from itertools import product
from math import comb, factorial, prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.regimes import regimes
from pde.recurrences.recurrence import Index, Recurrence, sequence
from pde.recurrences.search import find_recurrence
from pde.solutions.free_evolution import free_evolution
from pde.solutions.symmetric_order2_derivation import contraction_numbers, merging_numbers
from pde.solver import CpModel


def test_merging_of_cycles() -> None:
    """M_{s,m} of SYM of order 2, from its enumerated diagrams."""
    data: dict[Index, Fraction] = {
        (s, m): M / factorial(s) for (s, m), M in merging_numbers(6).items()
    }
    found = find_recurrence(data, indices=("s", "m"), max_shift=1, max_degree=1)
    # The sign of time is that of the loss, so that M_{s,m} = 4(m+1) M_{s-1,m} - 4m M_{s-1,m-1}.
    assert str(found.recurrence) == (
        "(s)*C[s, m] + (-4 - 4*m)*C[s - 1, m] + (4*m)*C[s - 1, m - 1] = 0"
    )
    assert len(found.held_out.checked) >= 6


def test_contractions_of_cycles() -> None:
    """The optimal contractions of cycles: the recurrence of the Narayana numbers."""
    data: dict[Index, Fraction] = dict(contraction_numbers(7))
    assert data == {
        (m, n): Fraction(comb(m + 1, n) * comb(m + 1, n - 1), m + 1)
        for m in range(8)
        for n in range(1, m + 2)
    }
    found = find_recurrence(data, indices=("m", "n"), max_shift=1, max_degree=2, along="m")
    assert len(found.held_out.checked) >= 4
    larger = {
        (m, n): Fraction(comb(m + 1, n) * comb(m + 1, n - 1), m + 1)
        for m in range(20)
        for n in range(1, m + 2)
    }
    confirmed = found.recurrence.check(larger)
    assert not confirmed.failures and len(confirmed.checked) > 150


def enumerated(order: int, regime: str, *, symmetric: bool, terms: int) -> dict[Index, Fraction]:
    """C_{s,n} of a free regime, from the exact series of the zero target."""
    model = CpModel(order=order, symmetric=symmetric, target="zero")
    face = free_evolution(model, regime)
    assert face is not None
    found = regimes(cp(order=order, symmetric=symmetric, target="zero"), terms=terms)
    return face.numbers(LeadingSeries(found, found[regime]))


@pytest.mark.parametrize(
    ("order", "symmetric", "terms"),
    [(4, True, 5), (2, False, 6), (3, False, 5), (4, False, 5)],
)
def test_flowers(order: int, symmetric: bool, terms: int) -> None:
    """With one H-node: s C_s = -2c(1 + (ν-1)s) C_{s-1}, c = ν for SYM and 1 for ASYM."""
    data: dict[Index, Fraction] = {
        (s,): value
        for (s, n), value in enumerated(order, "A", symmetric=symmetric, terms=terms).items()
        if n == 0
    }
    found = find_recurrence(data, indices=("s",), max_shift=1, max_degree=1)
    c = order if symmetric else 1
    expected = Recurrence(
        indices=("s",),
        terms={
            (0,): Polynomial({(("s", 1),): 1}),
            (-1,): Polynomial({(): 2 * c * order, (("s", 1),): 2 * c * (order - 1)}),
        },
    )
    assert found.recurrence == expected
    assert len(found.held_out.checked) >= 2


def test_flowers_of_order_2_are_cycles() -> None:
    """SYM of order 2 on A: the longest cycles, each with one contraction of one H-node."""
    data: dict[Index, Fraction] = {
        (s,): M / factorial(s) for (s, m), M in merging_numbers(6).items() if m == s + 1
    }
    found = find_recurrence(data, indices=("s",), max_shift=1, max_degree=1)
    assert str(found.recurrence) == "(s)*C[s] + (4 + 4*s)*C[s - 1] = 0"


def test_flowers_with_several_hubs() -> None:
    """SYM of order 4 on A-B: the recurrence in two indices."""
    data = enumerated(4, "A-B", symmetric=True, terms=4)
    found = find_recurrence(data, indices=("s", "n"), max_shift=1, max_degree=1, along="s")
    assert str(found.recurrence) == (
        "(s)*C[s, n] + (8 + 24*s)*C[s - 1, n] + (24 + 72*s)*C[s - 1, n - 1] = 0"
    )
    assert len(found.held_out.checked) >= 3


def test_classical_arrays() -> None:
    catalan = sequence([comb(2 * n, n) // (n + 1) for n in range(12)])
    found = find_recurrence(catalan, max_shift=1, max_degree=1, source=True)
    assert str(found.recurrence) == "(1 + n)*C[n] + (2 - 4*n)*C[n - 1] = [n = 0]"
    motzkin = [sum(comb(n, 2 * k) * comb(2 * k, k) // (k + 1) for k in range(9)) for n in range(16)]
    found = find_recurrence(sequence(motzkin), max_shift=2, max_degree=1, source=True)
    assert found.recurrence.check(sequence(motzkin))
    assert len(found.recurrence.shifts) == 3
    stirling: dict[Index, Fraction] = {(0, 0): Fraction(1)}
    for n, k in product(range(1, 8), range(8)):
        before = stirling.get((n - 1, k), 0) * k + stirling.get((n - 1, k - 1), 0)
        stirling[n, k] = Fraction(before)
    found = find_recurrence(stirling, max_shift=1, max_degree=1, along="n", source=True)
    assert "C[n - 1, m - 1]" in str(found.recurrence)


def test_primes_have_no_recurrence() -> None:
    primes = [n for n in range(2, 120) if all(n % k for k in range(2, n))]
    with pytest.raises(InvalidInputError, match=r"none with shifts up to \(2,\)"):
        find_recurrence(sequence(primes))


def test_one_wrong_number_among_those_held_out_is_seen() -> None:
    right = [prod(range(1, n + 1)) for n in range(12)]
    assert find_recurrence(sequence(right), source=True, max_shift=1, max_degree=1)
    for place in (10, 11):
        wrong = [value + (n == place) for n, value in enumerate(right)]
        with pytest.raises(InvalidInputError, match="none with shifts"):
            find_recurrence(sequence(wrong), source=True, max_shift=1, max_degree=1)


@given(
    st.integers(1, 5),
    st.integers(-5, 5).filter(bool),
    st.integers(1, 4),
    st.integers(-4, 4).filter(bool),
)
@settings(max_examples=40, deadline=None)
def test_random_recurrences_are_found(a: int, b: int, c: int, d: int) -> None:
    """(n + a) C_n = (b n + d) C_{n-1}/c from n = 1 on, with a source at 0."""
    values = [Fraction(1)]
    for n in range(1, 14):
        values.append(values[-1] * Fraction(b * n + d, c * (n + a)))
    assume(all(values))
    found = find_recurrence(sequence(values), max_shift=1, max_degree=1, source=True)
    initial = {(n,): values[n] for n in range(2)}
    again = found.recurrence.values(initial, upto=(13,))
    assert list(again.values()) == values


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"held_out": Fraction(0)}, "share of the numbers"),
        ({"held_out": Fraction(1)}, "share of the numbers"),
        ({"max_shift": -1}, "at least 0"),
        ({"max_shift": (1, 1)}, "give one number"),
        ({"indices": ("a", "b")}, "the numbers have 1"),
        ({"along": "k"}, "is not an index"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        find_recurrence(sequence([1, 2, 4]), **options)  # type: ignore[arg-type]


def test_bad_data() -> None:
    with pytest.raises(InvalidInputError, match="one length"):
        find_recurrence({(0,): Fraction(1), (0, 1): Fraction(1)})
    with pytest.raises(InvalidInputError, match="negative"):
        find_recurrence({(-1,): Fraction(1)})


def test_the_corner_has_to_be_known() -> None:
    """2^n from n = 3 on: a source at n = 0 would need the number there."""
    data: dict[Index, Fraction] = {(n,): Fraction(2**n) for n in range(3, 13)}
    found = find_recurrence(data, max_shift=1, max_degree=0)
    assert str(found.recurrence) == "(1)*C[n] + (-2)*C[n - 1] = 0"
    with pytest.raises(
        InvalidInputError, match=r"none with shifts up to \(1,\) and degree up to 0"
    ):
        find_recurrence(data, max_shift=1, max_degree=0, source=True)


def test_few_numbers_determine_few_boxes() -> None:
    """Two of three numbers are fitted: degrees 0 and 1 without a shift, degree 0 with one."""
    with pytest.raises(InvalidInputError) as error:
        find_recurrence(sequence([3, 1, 4]))
    assert str(error.value) == (
        "recurrence: none with shifts up to (2,) and degree up to 2 in 3 numbers (3 boxes of "
        "shifts had enough equations); give more numbers or allow more"
    )


@pytest.mark.parametrize(
    "values",
    [
        [Fraction(n) for n in range(30)],
        [Fraction(n % 3 == 1) * comb(2 * (n // 3), n // 3) for n in range(30)],
        [Fraction(n % 2 == 0, factorial(n)) for n in range(30)],
        [Fraction(comb(7, n)) for n in range(30)],
        [Fraction(n in (0, 5, 6, 7, 8, 9)) for n in range(30)],
    ],
    ids=["n", "sparse", "even", "ends", "no rule"],
)
def test_what_is_found_does_not_depend_on_where_the_numbers_are_cut(
    values: list[Fraction],
) -> None:
    found = []
    for number in range(10, 30):
        try:
            search = find_recurrence(sequence(values[:number]), max_shift=3, max_degree=2)
            found.append(search.recurrence)
        except InvalidInputError:
            assert not found
    assert len(set(found)) <= 1
    assert all(rule.check(sequence(values)) for rule in found)


def test_numbers_that_are_none() -> None:
    with pytest.raises(InvalidInputError, match="is not rational"):
        find_recurrence({(0,): Fraction(1), (1,): float("nan")})
