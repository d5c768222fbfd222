"""The parts of the bulk engine, each against its definition carried out by brute force.

Labelling, packing, joining of nodes, choice of partners, and the table of contractions. Diagrams
are written into arrays here by hand, so that a test of one part does not lean on another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.counting import double_factorial
from diagrams.diagram import Diagram
from diagrams.engine.arrays import contraction_table as contraction
from diagrams.engine.arrays import integration_by_parts as integration
from diagrams.engine.arrays import kronecker
from diagrams.engine.arrays.contraction_table import Combination, ContractionTable
from diagrams.engine.arrays.kronecker import KroneckerLayout, SparseLayout
from diagrams.engine.arrays.labelling import renumber
from diagrams.engine.arrays.node_identification import free_nodes, identify, nodes_used, relabelled
from diagrams.engine.arrays.packing import (
    Packing,
    batches,
    distinct_rows,
    factor_multiplicities,
    row_runs,
)
from diagrams.engine.arrays.pairing import choose_factor, partner_counts
from diagrams.engine.arrays.representation import ArrayRepresentation
from diagrams.engine.blocks import FlowDiagrams
from diagrams.flow import Flow, represent
from diagrams.merge import merge
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation, monomial
from expansion.models import cp
from expansion.problem_files.problem_file import read_problem_file
from expansion.series import loss_series

p, H, TWO, MEMBER = Axis("p"), Axis("H"), Axis("two", pinned=2), Axis("member")
W = Tensor("W", (H, p), variance="sigma2")
V = Tensor("V", (H, p), variance="sigma2")
a = Tensor("a", (p,), variance="tau2")
C = Tensor("C", (p, H, p), variance="rho2")
B = Tensor("B", (TWO, p), variance="tau2")

SYMMETRIC = {
    "one tensor": ((W,),),
    "two interchangeable": ((W, V),),
    "ranks one to three": ((W,), (a,), (C,)),
    "everything": ((W, V), (a,), (B,), (C,)),
}
MANY = settings(max_examples=80, deadline=None)
SOME = settings(max_examples=30, deadline=None)


def packing_for(classes: Sequence[Sequence[Tensor]]) -> Packing:
    return Packing(blocks_for(classes))


def blocks_for(classes: Sequence[Sequence[Tensor]]) -> FlowDiagrams:
    axes = {axis for members in classes for tensor in members for axis in tensor.axes}
    ordered = tuple(sorted(axes, key=lambda axis: axis.sort_key))
    return FlowDiagrams((), (), tuple(map(tuple, classes)), ordered)


def arrays(packing: Packing, diagrams: Sequence[Diagram]):
    """Nodes numbered within their axes, and classes; all diagrams with one number of factors."""
    nodes = np.zeros((len(diagrams), len(diagrams[0].factors), packing.slots), dtype=np.intp)
    kinds = np.zeros(nodes.shape[:2], dtype=np.uint8)
    for row, diagram in enumerate(diagrams):
        within = [diagram.nodes[:j].count(axis) for j, axis in enumerate(diagram.nodes)]
        for column, (tensor, at) in enumerate(diagram.factors):
            [kind] = [k for k, members in enumerate(packing.classes) if tensor in members]
            kinds[row, column] = kind
            nodes[row, column, : len(at)] = [within[node] for node in at]
            if packing.has_members:
                nodes[row, column, -1] = packing.classes[kind].index(tensor)
    return nodes, kinds


def numbered_through(packing: Packing, local, kinds):
    starts = packing.starts(packing.extents(local, kinds))
    return local + packing.offsets(kinds, starts), starts


def packed(packing: Packing, diagrams: Sequence[Diagram]):
    local, kinds = arrays(packing, diagrams)
    nodes, starts = numbered_through(packing, local, kinds)
    return packing.pack(nodes, kinds, starts)


def modulo_symmetry(diagram: Diagram, classes: Sequence[Sequence[Tensor]]) -> Diagram:
    """Members of a class become nodes: equal exactly when equal up to permuting the members."""
    nodes = list(diagram.nodes)
    place = {}
    for members in classes:
        for tensor in members:
            place[tensor] = members[0], len(nodes)
            nodes.append(MEMBER)
    factors = []
    for tensor, at in diagram.factors:
        first, member = place[tensor]
        shared = Tensor(first.name, (*first.axes, MEMBER), first.kind, first.variance)
        factors.append((shared, (*at, member)))
    return Diagram(tuple(nodes), tuple(factors))


def from_rows(packing: Packing, local, kinds) -> list[Diagram]:
    """The diagrams of rows, read by hand; the nodes that occur are all there are."""
    result = []
    for row, row_kinds in zip(local.tolist(), kinds.tolist(), strict=True):
        nodes: dict[tuple[Axis, int], int] = {}
        factors = []
        for at, kind in zip(row, row_kinds, strict=True):
            tensor = packing.classes[kind][at[-1] if packing.has_members else 0]
            places = zip(tensor.axes, at, strict=False)
            factors.append((tensor, tuple(nodes.setdefault(x, len(nodes)) for x in places)))
        result.append(Diagram(tuple(axis for axis, _ in nodes), tuple(factors)))
    return result


def draw_diagrams(data, labelled, classes, *, count: int = 1, even: bool = False) -> list[Diagram]:
    """Diagrams with equally many factors and no free nodes."""
    tensors = [tensor for members in classes for tensor in members]
    size = 2 * data.draw(st.integers(1, 4)) if even else data.draw(st.integers(1, 6))
    result = []
    for _ in range(count):
        nodes, factors = data.draw(
            labelled(
                tensors, deltas=False, max_nodes=7, min_factors=size, max_factors=size, even=even
            )
        )
        used = sorted({node for _, at in factors for node in at})
        number = {node: k for k, node in enumerate(used)}
        written = tuple((t, tuple(number[node] for node in at)) for t, at in factors)
        result.append(Diagram(tuple(nodes[node] for node in used), written))
    return result


classes_of_tensors = pytest.mark.parametrize("classes", SYMMETRIC.values(), ids=SYMMETRIC.keys())


# --- labelling ------------------------------------------------------------------------------------


@MANY
@given(data=st.data())
def test_renumbered_rows_are_isomorphic(data) -> None:
    """Any numbering of the used nodes, gaps in between: a renumbering comes out, without gaps."""
    starts = [0, 5, 9]
    size = data.draw(st.integers(1, 7))
    rows = data.draw(
        st.lists(
            st.lists(st.tuples(st.integers(0, 4), st.integers(5, 8)), min_size=size, max_size=size),
            min_size=1,
            max_size=4,
        )
    )
    nodes = np.array(rows, dtype=np.intp)
    kinds = np.array(
        data.draw(
            st.lists(
                st.lists(st.integers(0, 2), min_size=size, max_size=size),
                min_size=len(rows),
                max_size=len(rows),
            )
        ),
        dtype=np.uint8,
    )
    spans = data.draw(st.sampled_from([None, [(0, 1), (1, 2)]]))
    before = nodes.copy()
    result = renumber(nodes, kinds, starts, spans)
    assert (nodes == before).all(), "the input is not changed"
    tensors = [Tensor(name, (H, p), variance="v") for name in "abc"]
    for old, new, row_kinds in zip(nodes, result, kinds, strict=True):
        for slot, first in enumerate((0, 5)):
            mapping = set(zip(old[:, slot].tolist(), new[:, slot].tolist(), strict=True))
            assert len(mapping) == len(set(old[:, slot].tolist()))
            assert {number for _, number in mapping} == set(range(len(mapping)))
            assert all(number >= first for number, _ in mapping)
        one, other = (
            Diagram(
                (H,) * 5 + (p,) * 4,
                tuple((tensors[k], (i, j)) for k, (i, j) in zip(row_kinds, pairs, strict=True)),
            )
            for pairs in (old.tolist(), (new + np.array([0, 5])).tolist())
        )
        assert one == other


@SOME
@given(data=st.data())
def test_one_form_where_colours_tell_the_nodes_apart(data) -> None:
    """A path has a symmetric structure at most: all its numberings come out the same."""
    length = data.draw(st.integers(1, 8))
    rows = data.draw(st.permutations(range(5)))
    columns = data.draw(st.permutations(range(5, 10)))
    path = [(rows[(j + 1) // 2], columns[j // 2]) for j in range(length)]
    plain = [((j + 1) // 2, 5 + j // 2) for j in range(length)]
    kinds = np.zeros((1, length), dtype=np.uint8)
    forms = [
        sorted(map(tuple, renumber(np.array([row]), kinds, [0, 5, 10])[0].tolist()))
        for row in (plain, data.draw(st.permutations(path)))
    ]
    assert forms[0] == forms[1]


CASES = [(2, 3), (3, 3), (4, 2)]


@pytest.mark.parametrize("symmetric", [True, False], ids=["sym", "asym"])
@pytest.mark.parametrize(("order", "terms"), CASES)
def test_the_diagrams_of_a_flow_are_those_of_iterated_merging(
    order: int, terms: int, symmetric: bool
) -> None:
    """With their coefficients, as linear combinations modulo permutations of the colours.

    The rows are never fewer than the canonical diagrams.
    """
    loss = cp(order, symmetric=symmetric).loss
    blocks = represent(loss).blocks
    flow = Flow(loss, loss, ArrayRepresentation(blocks))
    value = loss
    for s in range(terms + 1):
        if s:
            value = -merge(value, loss)
        even = [
            (modulo_symmetry(diagram, blocks.symmetric), c)
            for diagram, c in value
            if all(n % 2 == 0 for n in Counter(t for t, _ in diagram.factors).values())
        ]
        expected = collect(even)
        shown = flow.diagrams(s)
        assert collect((modulo_symmetry(d, blocks.symmetric), c) for d, c in shown) == expected
        assert flow.count(s) >= len(expected)


@pytest.mark.parametrize("symmetric", [True, False], ids=["sym", "asym"])
@pytest.mark.parametrize("order", [2, 3, 4])
def test_few_diagrams_are_met_twice(order: int, symmetric: bool) -> None:
    """The labelling is not canonical, but nearly: within 2 % (one diagram where there are few)."""
    loss = cp(order, symmetric=symmetric).loss
    blocks = represent(loss).blocks
    flow = Flow(loss, loss, ArrayRepresentation(blocks))
    for s in range(4):
        rows = flow.count(s)
        canonical = {modulo_symmetry(d, blocks.symmetric) for d, _ in flow.diagrams(s)}
        assert len(canonical) <= rows <= max(len(canonical) + 1, 1.02 * len(canonical))


# --- packing --------------------------------------------------------------------------------------


@classes_of_tensors
@SOME
@given(data=st.data())
def test_packed_rows_unpack_to_isomorphic_diagrams(labelled, classes, data) -> None:
    packing = packing_for(classes)
    drawn = draw_diagrams(data, labelled, classes, count=3)
    codes = packed(packing, drawn)
    assert codes.shape == (len(drawn), len(drawn[0].factors))
    assert (np.sort(codes, axis=1) == codes).all()
    local, kinds = packing.unpack(codes)
    for diagram, back in zip(drawn, from_rows(packing, local, kinds), strict=True):
        assert modulo_symmetry(back, classes) == modulo_symmetry(diagram, classes)
    extents = packing.extents(local, kinds)
    for axis, extent in zip(packing.axes, extents, strict=True):
        assert extent == max(diagram.nodes.count(axis) for diagram in drawn)
    labels = packing.tensor_labels(local, kinds)
    for row, diagram in zip(labels, from_rows(packing, local, kinds), strict=True):
        assert Counter(row.tolist()) == Counter(packing.tensor_label(t) for t, _ in diagram.factors)


@SOME
@given(data=st.data())
def test_encoding_a_sum_and_decoding_it(labelled, data) -> None:
    """Free nodes, the empty diagram and unequal sizes included; coefficients of any size."""
    classes = ((W,), (V,), (a,), (B,), (C,))
    tensors = [tensor for members in classes for tensor in members]
    representation = ArrayRepresentation(blocks_for(classes))
    terms = [
        (Diagram(*data.draw(labelled(tensors, deltas=False))), data.draw(st.integers(-(10**30), 9)))
        for _ in range(3)
    ]
    terms.append((Diagram(()), 7))
    state = representation.encode(terms)
    assert representation.decode(state) == collect(terms)
    assert representation.count(state) == len(collect(terms))
    assert representation.decode(representation.encode([*terms, *terms])) == 2 * collect(terms)
    minus = [(diagram, -coefficient) for diagram, coefficient in terms]
    assert representation.count(representation.encode([*terms, *minus])) == 0


@MANY
@given(
    rows=st.integers(1, 6).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=1, max_size=6
        )
    ),
    dtype=st.sampled_from([np.uint32, np.uint64]),
)
def test_multiplicities_and_groups_of_rows(rows, dtype) -> None:
    codes = np.sort(np.array(rows, dtype=dtype), axis=1)
    counts = factor_multiplicities(codes)
    for row, count in zip(codes.tolist(), counts.tolist(), strict=True):
        for j, code in enumerate(row):
            assert count[j] == (row.count(code) if row.index(code) == j else 0)
    order, first = row_runs(codes)
    assert sorted(order.tolist()) == list(range(len(codes)))
    parts = [codes[part].tolist() for part in np.split(order, first[1:])]
    assert all(row == part[0] for part in parts for row in part)
    assert len(parts) == len(first) == len({tuple(row) for row in codes.tolist()})


def test_rows_without_factors_are_one_row() -> None:
    for count in range(4):
        order, first = row_runs(np.zeros((count, 0), dtype=np.uint32))
        assert order.tolist() == list(range(count))
        assert first.tolist() == [0] * (count > 0)


@given(length=st.integers(0, 30), size=st.integers(1, 8))
def test_batches_cut_a_sequence(length: int, size: int) -> None:
    items = list(range(length))
    parts = [items[part] for part in batches(items, size)]
    assert [item for part in parts for item in part] == items
    assert all(0 < len(part) <= size for part in parts)


# --- joining nodes --------------------------------------------------------------------------------


@classes_of_tensors
@SOME
@given(data=st.data())
def test_nodes_are_identified_slot_by_slot(labelled, classes, data) -> None:
    """Against relabelling node by node: the least number remains, loose nodes are counted once."""
    packing = packing_for(classes)
    [diagram] = draw_diagrams(data, labelled, classes, even=True)
    chosen_tensor = data.draw(st.sampled_from(diagram.tensors))
    same = [j for j, (tensor, _) in enumerate(diagram.factors) if tensor == chosen_tensor]
    same = data.draw(st.permutations(same))[: 2 * data.draw(st.integers(1, len(same) // 2))]
    local, kinds = arrays(packing, [diagram])
    nodes, starts = numbered_through(packing, local, kinds)
    others = [j for j in range(len(diagram.factors)) if j not in same]
    rest, width = nodes[:, others], int(starts[-1])
    first, second = nodes[:, same[::2]], nodes[:, same[1::2]]
    representatives = identify(first, second, packing.rank, width)
    free = free_nodes(packing, representatives, nodes_used(rest, width), first, starts)
    rest = relabelled(representatives, rest)

    standing = list(range(int(starts[-1])))
    for one, other in zip(first[0].tolist(), second[0].tolist(), strict=True):
        for x, y in zip(one[: packing.rank], other[: packing.rank], strict=True):
            low, high = sorted((standing[x], standing[y]))
            standing = [low if node == high else node for node in standing]
    expected = [[standing[node] for node in factor] for factor in nodes[0, others].tolist()]
    assert rest[0].tolist() == expected
    used = {node for factor in expected for node in factor}
    touched = {standing[node] for node in nodes[0, same, : packing.rank].ravel().tolist()}
    counts = [0] * packing.sizes
    for node in touched - used:
        axis = int(np.searchsorted(starts, node, side="right")) - 1
        if axis < packing.sizes:
            counts[axis] += 1
    assert free.tolist() == [counts]


# --- partners -------------------------------------------------------------------------------------


def contracted(diagram: Diagram, first: int, second: int) -> Diagram:
    """Delete two factors and identify their nodes with deltas."""
    (tensor, one), (_, other) = diagram.factors[first], diagram.factors[second]
    kept = [factor for j, factor in enumerate(diagram.factors) if j not in (first, second)]
    deltas = [
        (Tensor.delta(axis), pair)
        for axis, pair in zip(tensor.axes, zip(one, other, strict=True), strict=True)
    ]
    return Diagram(diagram.nodes, (*kept, *deltas))


@classes_of_tensors
@SOME
@given(data=st.data())
def test_partner_counts_stand_for_all_partners(labelled, classes, data) -> None:
    """What is contracted with multiplicities is what all single pairings give together."""
    packing = packing_for(classes)
    drawn = draw_diagrams(data, labelled, classes, count=3, even=True)
    codes = packed(packing, drawn)
    local, kinds = packing.unpack(codes)
    nodes, _ = numbered_through(packing, local, kinds)
    labels, multiplicities = packing.tensor_labels(local, kinds), factor_multiplicities(codes)
    chosen = choose_factor(packing, nodes, labels, multiplicities)
    counts = partner_counts(packing, local, kinds, labels, multiplicities, chosen)
    for row, diagram in enumerate(rows_as_written(packing, local, kinds)):
        here = int(chosen[row])
        tensors = [tensor for tensor, _ in diagram.factors]
        assert multiplicities[row, here] > 0
        assert tensors.count(tensors[here]) == min(map(tensors.count, tensors))
        partners = [j for j, tensor in enumerate(tensors) if tensor == tensors[here] and j != here]
        assert counts[row].sum() == len(partners)
        assert set(np.flatnonzero(counts[row]).tolist()) <= set(partners)
        expected = collect((contracted(diagram, here, j), 1) for j in partners)
        found = collect(
            (contracted(diagram, here, int(j)), int(counts[row, j]))
            for j in np.flatnonzero(counts[row])
        )
        assert found == expected


class Written(Diagram):
    """A diagram whose factors keep the order in which they are written."""

    def __post_init__(self) -> None:
        """No canonical form."""


def rows_as_written(packing: Packing, local, kinds) -> list[Diagram]:
    result = []
    for row, row_kinds in zip(local.tolist(), kinds.tolist(), strict=True):
        nodes: dict[tuple[Axis, int], int] = {}
        factors = []
        for at, kind in zip(row, row_kinds, strict=True):
            tensor = packing.classes[kind][at[-1] if packing.has_members else 0]
            places = zip(tensor.axes, at, strict=False)
            factors.append((tensor, tuple(nodes.setdefault(x, len(nodes)) for x in places)))
        result.append(Written(tuple(axis for axis, _ in nodes), tuple(factors)))
    return result


@MANY
@given(data=st.data())
def test_twins_are_found_exactly(labelled, data) -> None:
    """For one matrix: partners are put together when exchanging twins maps one to the other.

    By trying all exchanges of two nodes that the chosen factor does not touch.
    """
    packing = packing_for(((W,),))
    [drawn] = draw_diagrams(data, labelled, ((W,),), even=True)
    codes = packed(packing, [drawn])
    local, kinds = packing.unpack(codes)
    nodes, _ = numbered_through(packing, local, kinds)
    labels, multiplicities = packing.tensor_labels(local, kinds), factor_multiplicities(codes)
    chosen = choose_factor(packing, nodes, labels, multiplicities)
    counts = partner_counts(packing, local, kinds, labels, multiplicities, chosen)
    [diagram] = rows_as_written(packing, local, kinds)
    factors = Counter(diagram.factors)
    fixed = diagram.factors[int(chosen[0])][1]
    twin = {}
    for node, axis in enumerate(diagram.nodes):
        twin[node] = node
        for other in range(node):
            swap = {node: other, other: node}
            if (
                not {node, other} & set(fixed)
                and diagram.nodes[other] == axis
                and Counter((t, tuple(swap.get(n, n) for n in at)) for t, at in diagram.factors)
                == factors
            ):
                twin[node] = twin[other]
                break
    groups = Counter(
        tuple(twin[node] for node in at)
        for j, (_, at) in enumerate(diagram.factors)
        if j != int(chosen[0])
    )
    assert sorted(counts[counts > 0].tolist()) == sorted(groups.values())


# --- the table of contractions --------------------------------------------------------------------


def table_for(classes) -> tuple[Packing, ContractionTable]:
    packing = packing_for(classes)
    return packing, ContractionTable(packing, lambda added: None)


def evaluated(packing: Packing, table: ContractionTable, diagram: Diagram, coefficient: int = 1):
    """The expectation from the table, free of variances, by names of axes."""
    counts = Counter(tensor for tensor, _ in diagram.factors)
    pairings = prod(double_factorial(count - 1) for count in counts.values())
    numbers = table.add(packed(packing, [diagram]))
    free = (0,) * packing.sizes
    coefficients = np.array([coefficient], dtype=object)
    [values] = table.evaluate(
        [[Combination(len(diagram.factors), numbers, coefficients, pairings, free)]]
    )
    return {
        monomial({axis.name: e for axis, e in zip(packing.axes, powers, strict=True)}): value
        for powers, value in values.items()
    }


def plain(diagram: Diagram, coefficient: int = 1):
    """The same from `expectation`."""
    names = {axis.name for axis in diagram.nodes}
    return {
        tuple(power for power in powers if power[0] in names): value * coefficient
        for powers, value in expectation(diagram).items()
    }


@classes_of_tensors
@SOME
@given(data=st.data())
def test_the_table_gives_expectations(labelled, classes, data) -> None:
    """One diagram after the other: what a table knows already must not disturb what comes later."""
    packing, table = table_for(classes)
    for _ in range(3):
        [diagram] = draw_diagrams(data, labelled, classes, even=True)
        coefficient = data.draw(st.integers(-300, 300).filter(bool))
        found = evaluated(packing, table, diagram, coefficient)
        assert found == plain(diagram, coefficient)


@pytest.mark.parametrize("matchings", [1, 3])
@pytest.mark.parametrize("rows", [0, 50])
def test_results_do_not_depend_on_how_the_work_is_cut(
    matchings: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Integrating one factor at a time or whole tensors at once, in steps of any size."""
    losses = [cp(3, symmetric=True).loss, cp(3).loss]
    expected = [Flow(loss, loss).expectation(1) for loss in losses]
    monkeypatch.setattr(integration, "MATCHINGS", matchings)
    monkeypatch.setattr(contraction, "_ROWS", rows)
    monkeypatch.setattr("diagrams.engine.arrays.representation._ROWS", 1 + rows)
    monkeypatch.setattr("diagrams.engine.arrays.representation._PORTION", 1 + rows)
    assert [Flow(loss, loss).expectation(1) for loss in losses] == expected
    assert expected[0][monomial({"H": 1, "p": 1, "sigma2": 2})] == -27


@pytest.mark.parametrize("order", [2, 7, 19, 20, 21, 22, 23, 32])
def test_many_tensors_that_are_nearly_finished(order: int) -> None:
    """Two factors of each of many tensors: they are integrated in one step, however many."""
    tensors = tuple(Tensor(f"A{mode}_", (H, p), variance=f"v{mode}") for mode in range(order))
    factors = tuple((tensor, (h, 2 + mode)) for mode, tensor in enumerate(tensors) for h in (0, 1))
    square = DiagramSum({Diagram((H, H) + (p,) * order, factors): 1})
    classes = tuple((tensor,) for tensor in tensors)
    flow = Flow(square, square, ArrayRepresentation(blocks_for(classes)))
    powers = {"H": 1, "p": order} | {tensor.variance: 1 for tensor in tensors}
    assert flow.expectation(0) == {monomial(powers): 1}


@pytest.mark.parametrize("exponent", [1, 7, 8, 9, 15, 16, 64, 200])
def test_coefficients_at_the_edge_of_a_field(exponent: int) -> None:
    """Coefficients of both signs around powers of two neither spill over nor get lost."""
    one_node = Diagram((p,), ((a, (0,)),) * 2)
    two_nodes = Diagram((p, p), ((a, (0,)), (a, (1,))))
    four = Diagram((p, p), ((a, (0,)),) * 2 + ((a, (1,)),) * 2)
    for coefficient in (2**exponent - 1, 2**exponent, 2**exponent + 1):
        for sign in (1, -1):
            packing, table = table_for(((a,),))
            assert evaluated(packing, table, one_node, sign * coefficient) == {
                (("p", 1),): sign * coefficient
            }
            assert evaluated(packing, table, two_nodes, sign * coefficient) == {
                (("p", 1),): sign * coefficient
            }
            assert evaluated(packing, table, four, sign * coefficient) == {
                (("p", 1),): 2 * sign * coefficient,
                (("p", 2),): sign * coefficient,
            }


def test_positive_and_negative_terms_of_one_combination() -> None:
    packing, table = table_for(((W,),))
    square = Diagram((H, p, H, p), ((W, (0, 1)),) * 2 + ((W, (2, 3)),) * 2)
    circle = Diagram((H, H, p, p), ((W, (0, 2)), (W, (1, 2)), (W, (1, 3)), (W, (0, 3))))
    numbers = table.add(packed(packing, [square, circle]))
    assert len(set(numbers.tolist())) == 2
    large = 10**40
    both, two, three = (np.array(c, dtype=object) for c in ([large, -large], [2], [-3]))
    combinations = [
        [Combination(4, numbers, both, 3, (0, 0))],
        [
            Combination(4, numbers[:1], two, 3, (3, 1)),
            Combination(4, numbers[:1], three, 3, (0, 0)),
        ],
        [],
    ]
    values, shifted, nothing = table.evaluate(combinations)
    # E |W|^4 = Hp (Hp + 2), E Tr (W W^T)^2 = Hp (H + p + 1); exponents of H, p.
    assert values == {
        (2, 2): large,
        (1, 1): large,
        (1, 2): -large,
        (2, 1): -large,
    }
    assert shifted == {(5, 3): 2, (4, 2): 4, (2, 2): -3, (1, 1): -6}
    assert nothing == {}


@MANY
@given(
    extents=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    width=st.sampled_from([8, 16, 24, 64]),
    data=st.data(),
)
def test_fields_hold_polynomials(extents, width, data) -> None:
    """Sum of coefficient << shift, read back: any coefficients of the width, any exponents."""
    fields = KroneckerLayout(width, tuple(extents))
    exponents = st.tuples(*(st.integers(0, extent - 1) for extent in extents))
    coefficients = st.integers(-(2 ** (width - 1)), 2 ** (width - 1) - 1).filter(bool)
    polynomial = data.draw(st.dictionaries(exponents, coefficients, max_size=8))
    value = sum(c << fields.shift(powers) for powers, c in polynomial.items())
    assert fields.unpack(value) == polynomial
    assert fields.shift((0,) * len(extents)) == 0


@SOME
@given(data=st.data())
def test_multiplying_fields_by_a_monomial_is_a_shift(data) -> None:
    fields = KroneckerLayout(16, (4, 5))
    small = st.dictionaries(
        st.tuples(st.integers(0, 1), st.integers(0, 2)), st.integers(1, 99), max_size=5
    )
    polynomial, powers = (
        data.draw(small),
        data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
    )
    value = sum(c << fields.shift(at) for at, c in polynomial.items())
    shifted = {(at[0] + powers[0], at[1] + powers[1]): c for at, c in polynomial.items()}
    assert fields.unpack(value << fields.shift(powers)) == shifted


@SOME
@given(data=st.data())
def test_sparse_polynomials_are_those_of_the_fields(data) -> None:
    sparse, fields = SparseLayout((4, 1, 5)), KroneckerLayout(32, (4, 1, 5))
    exponents = st.tuples(st.integers(0, 3), st.just(0), st.integers(0, 4))
    polynomial = data.draw(
        st.dictionaries(exponents, st.integers(-99, 99).filter(bool), max_size=5)
    )
    value = sum(c * sparse.shift(powers) for powers, c in polynomial.items())
    packed_value = sum(c << fields.shift(powers) for powers, c in polynomial.items())
    assert sparse.unpack(value) == fields.unpack(packed_value) == polynomial
    coefficients = np.array([3, -2], dtype=object)
    placed = sparse.placed(coefficients, sparse.shift((1, 0, 2)))
    expected = fields.placed(coefficients, fields.shift((1, 0, 2)))
    assert [*map(sparse.unpack, placed)] == [*map(fields.unpack, expected)]


SKEWED = """
[axes]
p = "growing"
H = "growing"
n = 3
[tensors.W]
kind = "weight"
axes = ["H", "p"]
cumulants = { 2 = "sigma2", 3 = "k3", 4 = "k4" }
[tensors.V]
kind = "weight"
axes = ["H", "n"]
variance = "tau2"
[losses.train]
outputs = ["i", "j"]
model = "W[k,i] V[k,j]"
target = "0"
"""


@pytest.mark.parametrize("fields", [0, 40, 10**9])
def test_how_polynomials_are_held_changes_nothing(
    fields: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "skewed.toml"
    path.write_text(SKEWED)
    wanted = [str(loss_series(read_problem_file(path))[s]) for s in range(4)]
    monkeypatch.setattr(kronecker, "_MOST_FIELDS", fields)
    assert [str(loss_series(read_problem_file(path))[s]) for s in range(4)] == wanted
    other = [loss_series(cp(order=3))[s] for s in range(4)]
    monkeypatch.undo()
    assert other == [loss_series(cp(order=3))[s] for s in range(4)]


@given(bound=st.integers(0, 2**80), extents=st.lists(st.integers(1, 5), max_size=3))
def test_fitting_fields_hold_their_bound(bound: int, extents: list[int]) -> None:
    fields = KroneckerLayout.fitting(bound, extents)
    assert bound < 2 ** (fields.width - 1) <= 2**8 * max(1, 2 * bound)
    assert fields.width % 8 == 0
    assert fields.extents == tuple(extents)


def test_twin_diagrams_are_counted_once() -> None:
    """Rows that a row is isomorphic to get its number, so the table does not grow."""
    packing, table = table_for(((W,),))
    rows = []
    for order in permutations(range(3)):
        star = tuple((W, (0, 1 + j)) for j in order for _ in range(1 + (j == 0)))
        rows.append(Diagram((H, p, p, p), star))
    numbers = table.add(packed(packing, rows))
    assert not numbers.any()
    before = len(table)
    table.add(packed(packing, rows))
    assert len(table) == before


def test_a_sum_may_cancel() -> None:
    """A flow whose terms cancel has the zero expectation, not a table of zeros."""
    square = Diagram((H, p), ((W, (0, 1)), (W, (0, 1))))
    fixed = Tensor("X", (H, p), Kind.GAUSSIAN, "sigma2")
    other = Diagram((H, p), ((fixed, (0, 1)), (fixed, (0, 1))))
    observable = DiagramSum({square: 1, other: -1})
    potential = DiagramSum({square: Fraction(1, 2)})
    for representation in (None, ArrayRepresentation(represent(potential, observable).blocks)):
        assert Flow(observable, potential, representation).expectation(0) == {}


@pytest.mark.parametrize("columns", [1, 3, 20, 64, 200])
def test_distinct_rows_of_any_width(columns: int) -> None:
    """More columns than a mixed-radix number of 64 bits has room for are no exception."""
    table = np.array([[(3 * i + j * j) % 5 for j in range(columns)] for i in range(17)])
    table[7] = table[2]
    rows, number = distinct_rows(table)
    assert len(set(rows)) == len(rows) == len({tuple(row) for row in table.tolist()})
    assert [rows[n] for n in number.tolist()] == [tuple(row) for row in table.tolist()]
