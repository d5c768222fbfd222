"""Isometries: their normal form and their sums, against sums over all indices."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.residue_sums import solutions
from diagrams.tensors import Axis, Kind, Tensor

p, n, r, q = Axis("p"), Axis("n"), Axis("r"), Axis("q")
SIZES = {p: 4, n: 5, r: 3, q: 2}
J, K, L = Tensor.isometry(p, r), Tensor.isometry(n, r), Tensor.isometry(r, q)
TENSORS = (J, K, L, Tensor.pin(p), Tensor.pin(r), Tensor.modular_sum(q))
w = Tensor("w", (p,), variance="v")


def value(tensor: Tensor, index: tuple[int, ...]) -> int:
    if tensor.kind is Kind.PIN:
        return int(index == (0,))
    if tensor.kind is Kind.MODULAR:
        return int(sum(index[:-1]) % SIZES[q] == index[-1])
    return int(len(set(index)) == 1)


def counted(nodes, factors) -> int:  # type: ignore[no-untyped-def]
    """The number of indices at which no factor vanishes."""
    return sum(
        prod(value(tensor, tuple(index[node] for node in at)) for tensor, at in factors)
        for index in product(*(range(SIZES[axis]) for axis in nodes))
    )


@st.composite
def labelled(draw: st.DrawFn):  # type: ignore[no-untyped-def]
    nodes = (p, n, r, q, *draw(st.lists(st.sampled_from([p, n, r, q]), max_size=2)))
    factors = []
    for tensor in draw(st.lists(st.sampled_from(TENSORS), max_size=5)):
        at = tuple(
            draw(st.sampled_from([j for j, axis in enumerate(nodes) if axis == own]))
            for own in tensor.axes
        )
        factors.append((tensor, at))
    return nodes, tuple(factors)


@given(labelled())
@settings(max_examples=150, deadline=None)
def test_solutions_are_counted(case) -> None:  # type: ignore[no-untyped-def]
    """Odd sizes of the axis of the sums, or the count has divisors: q = 2 is checked apart."""
    nodes, factors = case
    if any(tensor.kind is Kind.MODULAR for tensor, _ in factors):
        factors = tuple(f for f in factors if f[0].kind is not Kind.MODULAR)
    found = prod(SIZES[axis] for axis in solutions(Diagram(nodes, factors)))
    assert found == counted(nodes, factors)


@given(labelled())
@settings(max_examples=100, deadline=None)
def test_the_normal_form_is_one(case) -> None:  # type: ignore[no-untyped-def]
    nodes, factors = case
    diagram = Diagram(nodes, factors)
    assert counted(diagram.nodes, diagram.factors) == counted(nodes, factors)
    assert Diagram(diagram.nodes, diagram.factors) == diagram
    assert Diagram.parse(str(diagram)) == diagram
    seen = [(t, slot, at[slot]) for t, at in diagram.factors if t in (J, K, L) for slot in (0, 1)]
    assert len(seen) == len(set(seen))


def test_products_of_isometries() -> None:
    """J^T J is the identity; J J^T keeps the first r indices, so its trace is r."""
    assert Diagram((p, r, r), ((J, (0, 1)), (J, (0, 2)))) == Diagram((r,))
    marked = Diagram((p, p, r), ((J, (0, 2)), (J, (1, 2)), (w, (0,)), (w, (1,))))
    assert marked == Diagram((p, r), ((J, (0, 1)), (w, (0,)), (w, (0,))))


def test_a_modular_sum_on_the_smaller_axis_is_counted() -> None:
    plus = Tensor.modular_sum(q)
    diagram = Diagram((r, q, q, q), ((L, (0, 1)), (plus, (1, 2, 3))))
    assert sorted(axis.name for axis in solutions(diagram)) == ["q", "q"]


def test_numbers_that_are_no_products_of_sizes_are_refused() -> None:
    other = Tensor.isometry(p, Axis("s"))
    with pytest.raises(InvalidInputError, match=r"^isometries from the axes r and s: meet"):
        solutions(Diagram((p, r, Axis("s")), ((J, (0, 1)), (other, (0, 2)))))
    plus = Tensor.modular_sum(p)
    with pytest.raises(InvalidInputError, match=r"^tensor modular_sum_p3: a modular sum of"):
        solutions(Diagram((p, p, p, r), ((plus, (0, 1, 2)), (J, (0, 3)))))


def test_pinned_axes() -> None:
    two, three = Axis("two", pinned=2), Axis("three", pinned=3)
    first, second = Tensor.isometry(p, two), Tensor.isometry(p, three)
    meeting = Diagram((p, two, three), ((first, (0, 1)), (second, (0, 2))))
    assert solutions(meeting) == (two,)
    assert Tensor.isometry(three, two).axes == (three, two)
    for larger, smaller in ((two, three), (two, p), (p, p)):
        with pytest.raises(InvalidInputError, match=r"^tensor isometry_\w+: an isometry .*; "):
            Tensor.isometry(larger, smaller)
