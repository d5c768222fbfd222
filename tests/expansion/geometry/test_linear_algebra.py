"""Laws of the exact linear algebra, with sympy as the second opinion."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.errors import InvalidInputError
from expansion.geometry.linear_algebra import (
    Point,
    inner_product,
    integer_multiple,
    modulo,
    orthogonal_basis,
    primitive,
    reduced_basis,
)

LAW = settings(deadline=None, max_examples=60)

entries = st.integers(-4, 4) | st.integers(-(10**30), 10**30)


def systems(dimension: int) -> st.SearchStrategy[list[Point]]:
    return st.lists(st.tuples(*[entries] * dimension), max_size=5)


matrices = st.integers(1, 5).flatmap(lambda n: st.tuples(st.just(n), systems(n)))


@LAW
@given(matrices)
def test_the_reduced_basis_spans_the_same_space(case: tuple[int, list[Point]]) -> None:
    dimension, vectors = case
    basis = reduced_basis(vectors, dimension=dimension)
    rank = sympy.Matrix(len(vectors), dimension, lambda i, j: vectors[i][j]).rank()
    assert len(basis) == rank
    if basis:
        assert sympy.Matrix([*basis, *vectors]).rank() == rank


@LAW
@given(matrices)
def test_the_reduced_basis_depends_on_the_space_alone(case: tuple[int, list[Point]]) -> None:
    dimension, vectors = case
    mixed = [tuple(-3 * entry for entry in vector) for vector in reversed(vectors)]
    mixed += [tuple(map(sum, zip(*vectors, strict=True)))] if vectors else []
    assert reduced_basis(mixed, dimension=dimension) == reduced_basis(vectors, dimension=dimension)


@LAW
@given(matrices)
def test_the_orthogonal_complement(case: tuple[int, list[Point]]) -> None:
    dimension, vectors = case
    basis = reduced_basis(vectors, dimension=dimension)
    complement = orthogonal_basis(vectors, dimension=dimension)
    assert len(basis) + len(complement) == dimension
    assert not any(inner_product(row, other) for row in vectors for other in complement)
    assert orthogonal_basis(complement, dimension=dimension) == basis


@LAW
@given(matrices, st.data())
def test_the_representative_of_a_ray_in_the_quotient(
    case: tuple[int, list[Point]], data: st.DataObject
) -> None:
    dimension, vectors = case
    basis = reduced_basis(vectors, dimension=dimension)
    vector = data.draw(st.tuples(*[entries] * dimension))
    scale = data.draw(st.integers(1, 10**20))
    moved = [scale * entry for entry in vector]
    for row in basis:
        factor = data.draw(entries)
        moved = [entry + factor * other for entry, other in zip(moved, row, strict=True)]
    assert modulo(moved, basis) == modulo(vector, basis)
    in_the_space = reduced_basis([*basis, vector], dimension=dimension) == basis
    assert in_the_space == (not any(modulo(vector, basis)))


@pytest.mark.parametrize(
    ("vector", "expected"),
    [((), ()), ((0,), (0,)), ((-6, 9), (-2, 3)), ((10**40, 2 * 10**40), (1, 2))],
)
def test_primitive_vectors(vector: Point, expected: Point) -> None:
    assert primitive(vector) == expected


def test_rational_vectors_keep_their_ray() -> None:
    vector = (Fraction(-1, 6), Fraction(3, 4), 2)
    assert integer_multiple(vector, dimension=3) == (-2, 9, 24)
    assert integer_multiple([sympy.Rational(2, 3), sympy.Integer(4)], dimension=2) == (1, 6)


def test_a_vector_of_another_length_is_refused() -> None:
    message = r"^vector \(1, 2\): has 2 entries, the space has dimension 3; give 3 entries$"
    with pytest.raises(InvalidInputError, match=message):
        integer_multiple((1, 2), dimension=3)


@pytest.mark.parametrize("entry", [0.5, 1.0, float("nan"), "1", None, 1j])
def test_an_inexact_vector_is_refused(entry: object) -> None:
    with pytest.raises(InvalidInputError, match=r"must be exact numbers; use int or Fraction$"):
        integer_multiple((1, entry), dimension=2)  # type: ignore[arg-type]
