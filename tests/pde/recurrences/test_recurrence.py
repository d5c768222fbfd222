"""Recurrences: what they say, where they are checked, and the numbers they determine."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from pde.recurrences.recurrence import Index, Recurrence, over_factorials, sequence

COEFFICIENTS = st.integers(-4, 4)


@st.composite
def first_order(draw: st.DrawFn) -> Recurrence:
    """s C_{s,m} = sum of (a + b s + c m) C_{s-1,m-k}, which determines everything from s = 0."""
    terms = {(0, 0): Polynomial.parse("s")}
    for k in (0, 1, 2):
        a, b, c = (draw(COEFFICIENTS) for _ in range(3))
        terms[-1, -k] = Polynomial({(): -a, (("s", 1),): -b, (("m", 1),): -c})
    return Recurrence(indices=("s", "m"), terms=terms)


@given(first_order(), st.lists(st.integers(-3, 3), min_size=2, max_size=2))
@settings(max_examples=50, deadline=None)
def test_the_numbers_it_determines_obey_it(rule: Recurrence, start: list[int]) -> None:
    initial = {(0, m): value for m, value in enumerate(start)} | {(0, m): 0 for m in range(2, 9)}
    data = rule.values(initial, upto=(4, 8))
    result = rule.check(data)
    assert not result.failures
    if any(start):
        assert result.checked
    # A change of one number is seen, unless every equation multiplies it by zero.
    changed = dict(data) | {(2, 1): data[2, 1] + 1}
    assert rule.check(changed).failures


@given(first_order(), st.integers(1, 5), st.integers(-3, 3), st.integers(-3, 3))
def test_multiples_and_translations_say_the_same(
    rule: Recurrence, factor: int, i: int, j: int
) -> None:
    terms = {(k[0] + i, k[1] + j): P * -factor for k, P in rule.terms}
    assert Recurrence(indices=rule.indices, terms=terms) == rule


def test_numbers_that_are_not_determined_are_named() -> None:
    rule = Recurrence(
        indices=("n",), terms={(0,): Polynomial.parse("n"), (-1,): Polynomial.parse("-3")}
    )
    with pytest.raises(InvalidInputError, match=r"C\[0\]: the recurrence multiplies it by 0"):
        rule.values({}, upto=(3,))
    with pytest.raises(InvalidInputError, match="has 2 entries"):
        rule.values({(0,): 1}, upto=(3, 3))


def test_known_and_unknown_numbers() -> None:
    """A number that is not given is unknown, not zero; off the quadrant it is zero."""
    rule = Recurrence(
        indices=("n",), terms={(0,): Polynomial.parse("1"), (-2,): Polynomial.parse("-1")}
    )
    scattered = {(0,): Fraction(1), (3,): Fraction(5)}
    assert rule.check(scattered).checked == ((0,),)
    periodic = {(0,): Fraction(0), (1,): Fraction(7), (3,): Fraction(7)}
    assert rule.check(periodic).checked == ((1,), (3,))
    assert rule.check(periodic).failures == ((1,),)


def test_factorials() -> None:
    numbers = over_factorials(sequence([4**s for s in range(6)]))
    assert numbers[5,] == Fraction(4**5, math.factorial(5))
    rule = Recurrence(
        indices=("s",), terms={(0,): Polynomial.parse("s"), (-1,): Polynomial.parse("-4")}
    )
    assert rule.check(numbers) and not rule.check(sequence([4**s for s in range(6)]))


@pytest.mark.parametrize(
    ("indices", "terms", "message"),
    [
        (("n",), {}, "has no term"),
        (("n",), {(0, 0): "1"}, "has 2 entries"),
        (("n",), {(0,): "m"}, "m is not an index"),
        (("n",), {(0,): "n**-1"}, "negative power"),
    ],
)
def test_what_is_not_a_recurrence(
    indices: tuple[str, ...], terms: dict[tuple[int, ...], str], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Recurrence(indices=indices, terms={k: Polynomial.parse(P) for k, P in terms.items()})


@pytest.mark.parametrize("shifts", [((-1, 1), (-2, 2)), ((-2, 2), (-1, 1))])
def test_numbers_that_several_others_need(shifts: tuple[Index, ...]) -> None:
    """C[n, m] = C[n - 1, m + 1] + C[n - 2, m + 2]: Fibonacci's numbers on every antidiagonal."""
    one = Polynomial({(): 1})
    rule = Recurrence(indices=("n", "m"), terms={(0, 0): one, **dict.fromkeys(shifts, one * -1)})
    found = rule.values({(0, m): Fraction(1) for m in range(9)}, upto=(7, 0))
    assert [found[n, 0] for n in range(8)] == [1, 1, 2, 3, 5, 8, 13, 21]
