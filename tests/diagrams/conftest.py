"""What the tests of layer 1 share: random diagrams, and the ordinary algebra they stand for.

Two fixtures. `labelled` makes Hypothesis strategies of labelled diagrams: nodes and factors as they
are written, before any canonical form. `algebra` multiplies them out: the polynomial in the tensor
entries at integer sizes, its derivatives and its Gaussian average, monomial by monomial. The
algebra looks at nodes and factors only; it uses nothing of merging, contraction or isomorphism.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st

from diagrams.tensors import Axis, Kind, Tensor

p, H, PAIR = Axis("p"), Axis("H"), Axis("pair", pinned=2)
AXES = (p, H, PAIR)

Factor = tuple[Tensor, tuple[int, ...]]
Labelled = tuple[tuple[Axis, ...], tuple[Factor, ...]]

RANDOM = (
    Tensor("U", (H, p), variance="sigma2"),
    Tensor("V", (H, p), variance="sigma2"),
    Tensor("a", (H,), variance="tau2"),
    Tensor("S", (p, p), variance="sigma2"),
    Tensor("C", (p, H, p), variance="rho2"),
    Tensor("B", (PAIR, p), variance="tau2"),
    Tensor("X", (p, H), Kind.GAUSSIAN, "xi2"),
    Tensor("Z", (PAIR, PAIR), Kind.GAUSSIAN, "xi2"),
)
DELTAS = (Tensor.delta(p), Tensor.delta(H, rank=3), Tensor.delta(PAIR))

Entry = tuple[Tensor, tuple[int, ...]]
Polynomial = Counter[tuple[Entry, ...]]
"""Coefficients of products of entries, each product sorted."""


@st.composite
def labelled_diagrams(
    draw: st.DrawFn,
    tensors: Sequence[Tensor] = RANDOM,
    *,
    deltas: bool = True,
    max_nodes: int = 5,
    min_factors: int = 0,
    max_factors: int = 4,
    even: bool = False,
) -> Labelled:
    """Nodes and factors: parallel factors and nodes without factors occur, loops too.

    Without a minimal number of factors, the empty diagram and missing axes occur too. With
    ``deltas`` some factors are Kronecker deltas; with ``even`` every tensor occurs an even
    number of times.
    """
    tensors = (*tensors, *DELTAS) if deltas else tensors
    axes = sorted({axis for tensor in tensors for axis in tensor.axes}, key=lambda a: a.sort_key)
    nodes = draw(st.lists(st.sampled_from(axes), max_size=max_nodes - len(axes)))
    if min_factors or draw(st.integers(0, 5)):
        nodes = [*axes, *nodes]
    usable = [tensor for tensor in tensors if set(tensor.axes) <= set(nodes)]
    if not usable:
        return tuple(nodes), ()
    each = 2 if even else 1
    chosen = draw(
        st.lists(
            st.sampled_from(usable), min_size=min_factors // each, max_size=max_factors // each
        )
    )
    factors: list[Factor] = []
    for tensor in sorted(chosen * each, key=lambda t: t.sort_key):
        parallel = st.booleans() if factors and factors[-1][0] == tensor else st.just(False)
        if draw(parallel):
            factors.append(factors[-1])
        else:
            places = [[j for j, on in enumerate(nodes) if on == axis] for axis in tensor.axes]
            factors.append((tensor, tuple(draw(st.sampled_from(place)) for place in places)))
    return tuple(nodes), tuple(draw(st.permutations(factors)))


def polynomial(labelled: Labelled, sizes: Mapping[str, int]) -> Polynomial:
    """The sum over all indices of the product of the entries, multiplied out."""
    nodes, factors = labelled
    result: Polynomial = Counter()
    for index in product(*(range(axis.pinned or sizes[axis.name]) for axis in nodes)):
        entries = [(tensor, tuple(index[node] for node in at)) for tensor, at in factors]
        if all(_is_one(tensor, at, sizes) for tensor, at in entries if not tensor.is_random):
            result[_sorted([entry for entry in entries if entry[0].is_random])] += 1
    return result


def _is_one(tensor: Tensor, at: Sequence[int], sizes: Mapping[str, int]) -> bool:
    if tensor.kind is Kind.DELTA:
        return len(set(at)) == 1
    if tensor.kind is Kind.PIN:
        return at[0] == 0
    return sum(at[:-1]) % sizes[tensor.axes[0].name] == at[-1]


def gradient_product(first: Polynomial, second: Polynomial) -> Polynomial:
    """The sum over all learnable entries u of (d first / du) (d second / du)."""
    result: Polynomial = Counter()
    for left, a in first.items():
        for right, b in second.items():
            for entry in set(left) & set(right):
                if entry[0].kind is Kind.WEIGHT:
                    rest = [*left, *right]
                    rest.remove(entry)
                    rest.remove(entry)
                    result[_sorted(rest)] += a * b * left.count(entry) * right.count(entry)
    return result


def gaussian_mean(value: Polynomial) -> dict[tuple[tuple[str, int], ...], Fraction]:
    """The average, monomial by monomial: E[u^(2a)] = (2a - 1)!! v^a, odd powers vanish."""
    result: Counter[tuple[tuple[str, int], ...]] = Counter()
    for entries, coefficient in value.items():
        powers = Counter(entries)
        if all(power % 2 == 0 for power in powers.values()):
            variances: Counter[str] = Counter()
            for (tensor, _), power in powers.items():
                variances[tensor.variance] += power // 2
            moment = prod(prod(range(1, power, 2)) for power in powers.values())
            result[tuple(sorted(variances.items()))] += coefficient * moment
    return {powers: Fraction(value) for powers, value in result.items() if value}


def at_sizes(
    moments: Mapping[tuple[tuple[str, int], ...], Fraction], sizes: Mapping[str, int]
) -> dict[tuple[tuple[str, int], ...], Fraction]:
    """Put integers for the sizes into an expectation; the variances stay symbols."""
    result: dict[tuple[tuple[str, int], ...], Fraction] = {}
    for powers, coefficient in moments.items():
        rest = tuple((name, power) for name, power in powers if name not in sizes)
        scale = prod(sizes[name] ** power for name, power in powers if name in sizes)
        result[rest] = result.get(rest, Fraction(0)) + coefficient * scale
    return {powers: value for powers, value in result.items() if value}


def _sorted(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: (entry[0].sort_key, entry[1])))


@pytest.fixture(scope="session")
def labelled() -> Callable[..., st.SearchStrategy[Labelled]]:
    """The strategy `labelled_diagrams`: a fixture, because a conftest can not be imported."""
    return labelled_diagrams


@pytest.fixture(scope="session")
def algebra() -> SimpleNamespace:
    """The functions above: polynomial, gradient_product, gaussian_mean, at_sizes."""
    return SimpleNamespace(
        polynomial=polynomial,
        gradient_product=gradient_product,
        gaussian_mean=gaussian_mean,
        at_sizes=at_sizes,
    )
