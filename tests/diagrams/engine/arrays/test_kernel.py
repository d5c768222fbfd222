"""The compiled kernel does what the arrays do, to the last bit; without it everything still works.

Everything here is skipped, with a word, where no compiler built the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.engine.arrays import kernel
from diagrams.engine.arrays.carried import Ways, carried
from diagrams.engine.arrays.integration_by_parts import MATCHINGS, integrate
from diagrams.engine.arrays.packing import Packing
from diagrams.engine.arrays.row_numbers import row_numbers
from diagrams.engine.blocks import FlowDiagrams
from diagrams.errors import CapacityError
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import autoencoder, cp, deep_linear, two_layer
from expansion.series import LossSeries

p, H, TWO = Axis("p"), Axis("H"), Axis("two", pinned=2)
W, V = (Tensor(name, (H, p), variance="sigma2") for name in "WV")
S = Tensor("S", (p, p), variance="sigma2")
a = Tensor("a", (p,), variance="tau2")
C = Tensor("C", (p, H, p), variance="rho2")
B = Tensor("B", (TWO, p), variance="tau2")

CLASSES = {
    "one tensor": ((W,),),
    "two interchangeable": ((W, V),),
    "both slots on one axis": ((S,),),
    "ranks one to three": ((W,), (a,), (C,)),
    "everything": ((W, V), (a,), (B,), (C,)),
}

PROBLEMS = {
    "SYM order 2": (cp(order=2, symmetric=True), 5),
    "SYM order 3": (cp(order=3, symmetric=True), 4),
    "ASYM order 3": (cp(order=3), 4),
    "SYM order 4": (cp(order=4, symmetric=True), 3),
    "ASYM order 4": (cp(order=4), 3),
    "deep linear": (deep_linear(depth=3), 3),
    "two layers": (two_layer(degree=3), 3),
    "data": (autoencoder(data=True), 3),
    "teacher": (cp(order=3, target="teacher"), 2),
    "modular addition": (cp(order=3, symmetric=True, target="modular-addition"), 3),
    "pins": (cp(order=3, symmetric=True, target="spiked"), 2),
}

pytestmark = pytest.mark.skipif(
    not kernel.is_compiled(), reason="the compiled kernel was not built: numpy does its work"
)


@contextmanager
def numpy_alone(packing: Packing) -> Iterator[None]:
    """Without the kernel for a while."""
    compiled = packing.compiled
    packing.__dict__["compiled"] = None
    try:
        yield
    finally:
        packing.__dict__["compiled"] = compiled


def blocks_for(classes: tuple[tuple[Tensor, ...], ...], *more: Tensor) -> FlowDiagrams:
    axes = {axis for members in (*classes, more) for tensor in members for axis in tensor.axes}
    ordered = tuple(sorted(axes, key=lambda axis: axis.sort_key))
    return FlowDiagrams((), (), classes, ordered)


@st.composite
def batches(draw, even: bool = False):
    """A packing, and nodes and kinds of some diagrams with one number of factors."""
    packing = Packing(blocks_for(CLASSES[draw(st.sampled_from(sorted(CLASSES)))]))
    count = draw(st.integers(1, 6))
    factors = draw(st.integers(1, 5)) * 2 if even else draw(st.integers(1, 9))
    extents = [draw(st.integers(1, 6)) for _ in packing.axes]
    starts = packing.starts(extents)
    widths = np.diff(starts)
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    kinds = random.integers(0, len(packing.classes), (count, factors)).astype(np.uint8)
    if even:  # every tensor an even number of times: each factor twice, at places of its own
        kinds[:, 1::2] = kinds[:, ::2]
    local = np.zeros((count, factors, packing.slots), dtype=np.intp)
    for slot in range(packing.slots):
        local[:, :, slot] = random.integers(0, widths[packing.slot_axes[kinds, slot]])
    if even and packing.has_members:
        local[:, 1::2, -1] = local[:, ::2, -1]
    return packing, local + packing.offsets(kinds, starts), kinds, starts


def same(first, second) -> None:
    """Equal fields, equal types."""
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        for field in fields(one):
            ours, theirs = getattr(one, field.name), getattr(other, field.name)
            assert ours.dtype == theirs.dtype, field.name
            np.testing.assert_array_equal(ours, theirs, err_msg=field.name)


@settings(max_examples=300, deadline=None)
@given(batches())
def test_diagrams_are_labelled_as_by_arrays(batch):
    packing, nodes, kinds, starts = batch
    assert packing.compiled is not None
    codes = packing.pack(nodes, kinds, starts)
    with numpy_alone(packing):
        expected = packing.pack(nodes, kinds, starts)
    assert codes.dtype == expected.dtype
    np.testing.assert_array_equal(codes, expected)


@settings(max_examples=300, deadline=None)
@given(batches(even=True))
def test_diagrams_are_integrated_as_by_arrays(batch):
    packing, nodes, kinds, starts = batch
    codes = packing.pack(nodes, kinds, starts)
    compiled = integrate(packing, codes)
    with numpy_alone(packing):
        same(compiled, integrate(packing, codes))


@pytest.mark.parametrize("most", [1, 3, MATCHINGS])
def test_as_many_matchings_are_listed_as_asked_for(most, monkeypatch):
    from diagrams.engine.arrays import integration_by_parts

    monkeypatch.setattr(integration_by_parts, "MATCHINGS", most)
    packing = Packing(blocks_for(CLASSES["two interchangeable"]))
    starts = packing.starts((3, 3))
    nodes = np.array([[[0, 0, 0], [0, 1, 0], [1, 1, 1], [2, 1, 1]]], dtype=np.intp)
    kinds = np.zeros((1, 4), dtype=np.uint8)
    codes = packing.pack(nodes + packing.offsets(kinds, starts), kinds, starts)
    compiled = integrate(packing, codes)
    with numpy_alone(packing):
        same(compiled, integrate(packing, codes))


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_series_are_equal_with_and_without(name, monkeypatch):
    problem, terms = PROBLEMS[name]
    with_kernel = LossSeries(problem)
    compiled = [with_kernel[s] for s in range(terms + 1)]
    monkeypatch.setenv("DIAGFLOW_KERNEL", "off")
    without = LossSeries(problem)
    assert [without[s] for s in range(terms + 1)] == compiled
    costs = [(c.diagrams, c.contractions) for c in map(with_kernel.cost, range(terms + 1))]
    assert costs == [(c.diagrams, c.contractions) for c in map(without.cost, range(terms + 1))]


def test_a_diagram_with_too_many_nodes_is_refused():
    packing = Packing(blocks_for(((a,),)))
    starts = packing.starts((257,))
    nodes = np.arange(257, dtype=np.intp).reshape(1, 257, 1)
    kinds = np.zeros((1, 257), dtype=np.uint8)
    with pytest.raises(CapacityError, match="256 nodes"):
        packing.pack(nodes, kinds, starts)
    with numpy_alone(packing), pytest.raises(CapacityError, match="256 nodes"):
        packing.pack(nodes, kinds, starts)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=400))
def test_rows_get_the_numbers_of_their_first_appearance(pairs):
    packing = Packing(blocks_for(((W,),)))
    rows = row_numbers(packing, 2)
    codes = np.array(pairs, dtype=packing.dtype)
    numbers = [*rows.enter(codes[:7]).tolist(), *rows.enter(codes[7:]).tolist()]
    known: dict[tuple[int, int], int] = {}
    assert numbers == [known.setdefault(pair, len(known)) for pair in pairs]
    assert len(rows) == len(known)
    assert [tuple(row) for row in rows.rows(0, len(known)).tolist()] == list(known)
    assert rows.rows(0, 0).shape == (0, 2)


def test_many_rows_are_told_apart():
    packing = Packing(blocks_for(((W,),)))
    rows = row_numbers(packing, 2)
    codes = np.arange(200_000, dtype=packing.dtype).reshape(-1, 2)
    assert rows.enter(codes).tolist() == list(range(100_000))
    assert rows.enter(codes[::-1]).tolist() == list(range(100_000))[::-1]
    np.testing.assert_array_equal(rows.rows(99_990, 100_000), codes[99_990:])


integers = (
    st.integers(-(2**200), 2**200)
    | st.integers(-3, 3)
    | st.builds(lambda sign, power: sign * 2**power, st.sampled_from([-1, 1]), st.integers(0, 200))
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(integers, min_size=1, max_size=5),
    st.lists(integers, min_size=3, max_size=3),
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.integers(0, 2),
            st.integers(-(2**40), 2**40) | st.sampled_from([1, -1, 2**62 - 1]),
            st.integers(0, 2),
        ),
        max_size=12,
    ),
    st.lists(st.integers(0, 300), min_size=3, max_size=3),
)
def test_integers_are_passed_on_exactly(values, there, ways, shifts):
    ways = [way for way in ways if way[0] < len(values)]
    expected = list(there)
    for parent, child, multiplicity, shift in ways:
        expected[child] += values[parent] * multiplicity << shifts[shift]
    columns = np.array(ways, dtype=np.int64).reshape(-1, 4).T
    for is_compiled in (False, True):
        source = carried(len(values), is_compiled=is_compiled)
        target = carried(1, is_compiled=is_compiled)
        target.reserve(3)
        source.add(np.arange(len(values), dtype=np.int32), np.array(values, dtype=object))
        target.add(np.arange(3, dtype=np.int32), np.array(there, dtype=object))
        own = columns[2] if is_compiled else columns[2].astype(object)
        small = [column.astype(np.int32) for column in columns]
        source.pass_on(0, len(values), Ways(small[0], small[1], own, small[3], shifts), target)
        assert [target.value(n) for n in range(3)] == expected


@pytest.mark.parametrize("count", [8191, 8192, 8193, 20_000])
def test_large_levels_are_passed_on_exactly(count):
    """Levels in several blocks: they grow, become wider, and are passed on part by part."""
    draw = np.random.default_rng(count)
    source, target = (carried(1, is_compiled=True) for _ in range(2))
    there = [0] * count
    for step in range(3):
        more = draw.integers(-3, 4, count).tolist()
        numbers = np.arange(count, dtype=np.int32)
        values = [int(value) << 90 * step for value in more]
        source.reserve(count)
        source.add(numbers, np.array(values, dtype=object))
        there = [a + b for a, b in zip(there, values, strict=True)]
    assert [source.value(n) for n in range(count)] == there
    expected = [0] * count
    target.reserve(count)
    for first in range(0, count, 5000):
        last = min(count, first + 5000)
        parent = np.sort(draw.integers(0, last - first, 6000)).astype(np.int32)
        child = draw.integers(0, count, 6000).astype(np.int32)
        times, shift = draw.integers(-5, 6, 6000), draw.integers(0, 2, 6000).astype(np.int32)
        assert not source.is_silent(first, last)
        source.pass_on(first, last, Ways(parent, child, times, shift, [3, 70]), target)
        for a, b, c, d in zip(
            parent.tolist(), child.tolist(), times.tolist(), shift.tolist(), strict=True
        ):
            expected[b] += there[first + a] * c << [3, 70][d]
    assert [target.value(n) for n in range(count)] == expected
    assert carried(count, is_compiled=True).is_silent(0, count)


def test_a_library_of_another_version_is_left_alone(monkeypatch):
    monkeypatch.setattr(kernel, "_VERSION", kernel._VERSION + 1)
    kernel._library.cache_clear()
    try:
        assert not kernel.is_compiled()
        assert Packing(blocks_for(((W,),))).compiled is None
    finally:
        monkeypatch.undo()
        kernel._library.cache_clear()
    assert kernel.is_compiled()


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor("R", (H, p), variance="sigma2", law="rademacher"),
        Tensor("Q", (p, p), Kind.FIXED, "xi2", symmetric=True),
    ],
    ids=["a law of its own", "symmetric"],
)
def test_tensors_it_does_not_know_are_left_to_arrays(tensor):
    assert Packing(blocks_for(((tensor,),))).compiled is None
    assert Packing(blocks_for(((W,), (tensor,)))).compiled is None
