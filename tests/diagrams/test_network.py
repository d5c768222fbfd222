"""Networks: what is built from their open indices."""

from __future__ import annotations

from fractions import Fraction

import pytest

from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.merge import merge
from diagrams.network import Network, inner_product
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor

p, H, N = Axis("p"), Axis("H"), Axis("N")
U, V = (Tensor(name, (H, p), variance="sigma2") for name in "UV")
X = Tensor("X", (p, N), Kind.GAUSSIAN, variance="1")
SCALAR = (Network((), ()),)


def summed(*networks: Network) -> DiagramSum:
    """Networks without open indices as a sum of diagrams."""
    return inner_product(networks, SCALAR, ())


@pytest.mark.parametrize(
    "formula", ["ki,ki->", "ki,kj->", "ki,li->"], ids=["trace", "columns", "rows"]
)
def test_the_square_of_the_derivative_is_the_merger(formula: str) -> None:
    """Merging is the product of gradients: two ways to the same diagrams."""
    for tensors in ((U, U), (U, V)):
        network = Network.einsum(formula, *tensors)
        total = DiagramSum()
        for tensor in sorted(set(tensors), key=lambda tensor: tensor.name):
            slopes = network.derivatives(tensor)
            total += inner_product(slopes, slopes, tensor.axes)
        assert total == merge(summed(network), summed(network))


def test_the_derivative_along_the_tensor_counts_its_factors() -> None:
    """Euler's relation: sum over u of u df/du is the degree times f."""
    network = Network.einsum("ki,kj,lj,li->", U, U, V, U, coefficient=Fraction(2, 3))
    for tensor, degree in ((U, 3), (V, 1)):
        indices = tuple(f"slot{k}" for k in range(tensor.rank))
        entry = Network(((tensor, indices),), indices)
        along = inner_product(network.derivatives(tensor), (entry,), tensor.axes)
        assert along == summed(network) * degree


def test_amplitudes_and_coefficients_survive() -> None:
    beta = Axis("beta")
    network = Network(((U, ("k", "i")), (V, ("k", "i"))), (), Fraction(1, 2), (beta,))
    [slope] = network.derivatives(U)
    assert slope.coefficient == Fraction(1, 2)
    assert slope.amplitudes == (beta,)
    [(diagram, coefficient)] = inner_product((slope,), (slope,), U.axes)
    assert coefficient == Fraction(1, 4)
    assert [axis for axis in diagram.nodes if axis == beta] == [beta, beta]


def test_no_derivative_by_a_tensor_that_does_not_occur() -> None:
    assert Network.einsum("ki,ki->", U, U).derivatives(V) == ()


def test_a_matrix_applied_to_data() -> None:
    """f X with f = U^T V, and the identity applied to X is X."""
    model = Network.einsum("ki,kj->ij", U, V).applied((X, ("n",)))
    assert model.output == ("i", "n")
    written = Network.einsum("ki,kj,jn->in", U, V, X)
    assert inner_product((model,), (model,), (p, N)) == inner_product(
        (written,), (written,), (p, N)
    )
    identity = Network.einsum("->ii").applied((X, ("n",)))
    [(square, _)] = inner_product((identity,), (identity,), (p, N))
    assert square == Diagram((p, N), ((X, (0, 1)), (X, (0, 1))))


def test_a_tensor_applied_to_a_vector_in_all_slots() -> None:
    x = Tensor("x", (p,), Kind.GAUSSIAN, variance="1")
    cube = Network.einsum("->iii").applied(*((x, ()),) * 3)
    assert cube.output == ()
    [(diagram, _)] = summed(cube)
    assert diagram == Diagram((p,), ((x, (0,)),) * 3)


def test_an_open_index_that_is_used_again() -> None:
    """A name that the network has already would silently join indices."""
    with pytest.raises(InvalidInputError, match=r"^applied X: the index 'i' is taken already; "):
        Network.einsum("ki,kj->ij", U, V).applied((X, ("i",)))


def test_more_arguments_than_open_indices() -> None:
    with pytest.raises(InvalidInputError, match=r"^applied X, X: has more vectors than open ind"):
        Network.einsum("ki,ki->", U, V).applied((X, ("n",)), (X, ("m",)))
