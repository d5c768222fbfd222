"""Averages over some tensors of a diagram at fixed values of the others.

A population loss is an average over the input x. It is taken *before* the flow, not together with
the initial weights: two factors of the loss are averages over two independent inputs. The average
of a diagram over a fixed random tensor is a sum of diagrams without that tensor, one for each set
partition of its factors into blocks (`diagrams.laws`), for a Gaussian tensor one for each pairing;
every block brings a cumulant, a sum of numbers times symbols that become free nodes.

>>> from diagrams.tensors import Axis, Kind, Tensor
>>> p = Axis("p")
>>> w = Tensor("w", (p,), variance="sigma2")
>>> x = Tensor("x", (p,), Kind.GAUSSIAN, variance="1")
>>> square = Diagram((p, p), ((w, (0,)), (x, (0,)), (w, (1,)), (x, (1,))))
>>> print(average_over(DiagramSum({square: 1}), x))
1 * [weight w[p]~sigma2; w(p0)^2]

A mask of zeros and ones has a mean, too:

>>> m = Tensor("m", (p,), Kind.FIXED, law="bernoulli", probability="q")
>>> masked = Diagram((p, p), ((w, (0,)), (m, (0,)), (w, (1,)), (m, (1,))))
>>> for diagram, c in average_over(DiagramSum({masked: 1}), m):
...     print(c, diagram)
1 weight w[p]~sigma2; w(p0)^2 q0
-1 weight w[p]~sigma2; w(p0)^2 q0 q1
1 weight w[p]~sigma2; w(p0) w(p1) q0 q1

Source: Gaussian integration by parts (Wick's theorem), and moments by cumulants; ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from diagrams.diagram import Diagram, identify
from diagrams.errors import InvalidInputError
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import blocks_of

__all__ = ["average_over"]


def average_over(total: DiagramSum, *tensors: Tensor) -> DiagramSum:
    """The average of a sum of diagrams over fixed random tensors.

    Parameters
    ----------
    total : DiagramSum
    tensors : Tensor
        Fixed random tensors of any law; their cumulants are sums of numbers times symbols.

    Raises
    ------
    InvalidInputError
        If a tensor is not of that kind, or a cumulant divides by a symbol.
    """
    for tensor in tensors:
        if tensor.kind is not Kind.FIXED:
            raise InvalidInputError(
                f"average over {tensor.name}: is not a fixed random tensor; declare it as fixed "
                "with a variance or a law"
            )
        _check_symbols(tensor)
        drawn = _Drawn(tensor)
        waiting = total
        total = DiagramSum()
        while len(waiting):
            done = {d: c for d, c in waiting if tensor not in d.tensors}
            total += DiagramSum(done)
            waiting = collect(
                (rest, c * weight)
                for diagram, c in waiting
                if diagram not in done
                for rest, weight in drawn.without_block(diagram)
            )
    return total


def _check_symbols(tensor: Tensor) -> None:
    """Reject a law whose cumulants of order one and two, or those given, divide by a symbol."""
    law = tensor.entries
    for order in (1, 2, *(k for k, _ in law.cumulants)):
        if any(power < 0 for powers in law.cumulant(order) for _, power in powers):
            raise InvalidInputError(
                f"average over {tensor.name}: its law {law} divides by a symbol; give it another "
                "one and the loss a normalisation"
            )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A tensor that is averaged over."""

    tensor: Tensor

    def without_block(self, diagram: Diagram) -> Iterator[tuple[Diagram, Fraction]]:
        """The diagram without the block of one of its factors, for all of its blocks."""
        tensor = self.tensor
        first = next(factor for factor in diagram.factors if factor[0] == tensor)
        for partners, ways in blocks_of(diagram, first):
            rest = list(diagram.factors)
            for factor in (first, *partners):
                rest.remove(factor)
            for order in tensor.orders:
                pairs = [
                    pair
                    for partner in partners
                    for pair in zip(first[1], (partner[1][slot] for slot in order), strict=True)
                ]
                nodes, factors = identify(diagram.nodes, rest, pairs)
                for symbols, c in self._cumulant(1 + len(partners)):
                    yield Diagram((*nodes, *symbols), factors), c * ways

    def _cumulant(self, order: int) -> Iterator[tuple[tuple[Axis, ...], Fraction]]:
        """The terms of a cumulant: free nodes for their symbols, and a number."""
        for powers, c in self.tensor.entries.cumulant(order).items():
            yield tuple(Axis(name) for name, power in powers for _ in range(power)), c
