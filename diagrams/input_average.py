"""Averages over some tensors of a diagram at fixed values of the others.

A population loss is an average over the input x. It is taken *before* the flow, not together with
the initial weights: two factors of the loss are averages over two independent inputs. The average
of a diagram over a Gaussian tensor is a sum of diagrams without that tensor, one for each pairing
of its factors; every pair brings the variance, a number times symbols that become free nodes.

>>> from diagrams.tensors import Axis, Kind, Tensor
>>> p = Axis("p")
>>> w = Tensor("w", (p,), variance="sigma2")
>>> x = Tensor("x", (p,), Kind.GAUSSIAN, variance="1")
>>> square = Diagram((p, p), ((w, (0,)), (x, (0,)), (w, (1,)), (x, (1,))))
>>> print(average_over(DiagramSum({square: 1}), x))
1 * [weight w[p]~sigma2; w(p0)^2]

Source: Gaussian integration by parts (Wick's theorem); ours.
"""

from __future__ import annotations

from diagrams.diagram import Diagram, identify
from diagrams.errors import InvalidInputError
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.variances import Variance

__all__ = ["average_over"]


def average_over(total: DiagramSum, *tensors: Tensor) -> DiagramSum:
    """The average of a sum of diagrams over fixed Gaussian tensors.

    Parameters
    ----------
    total : DiagramSum
    tensors : Tensor
        Fixed Gaussian tensors; their variances are numbers times symbols.

    Raises
    ------
    InvalidInputError
        If a tensor is not of that kind.
    """
    for tensor in tensors:
        if tensor.kind is not Kind.FIXED or not tensor.entries.is_wick:
            raise InvalidInputError(
                f"average over {tensor.name}: is not a fixed Gaussian tensor of mean zero; declare "
                "it as fixed with a variance"
            )
        variance = Variance.parse(tensor.variance)
        if any(power < 0 for _, power in variance.powers):
            raise InvalidInputError(
                f"average over {tensor.name}: its variance {tensor.variance} divides by a symbol; "
                "give it another variance and the loss a normalisation"
            )
        symbols = tuple(Axis(name) for name, power in variance.powers for _ in range(power))
        waiting = total
        total = DiagramSum()
        while len(waiting):
            done = {d: c for d, c in waiting if tensor not in d.tensors}
            total += DiagramSum(done)
            waiting = collect(
                (paired, c * variance.coefficient)
                for diagram, c in waiting
                if diagram not in done
                for paired in _pairings(diagram, tensor, symbols)
            )
    return total


def _pairings(diagram: Diagram, tensor: Tensor, symbols: tuple[Axis, ...]) -> list[Diagram]:
    """The diagram with one factor of the tensor paired with each of the others, times symbols."""
    first, *others = [factor for factor in diagram.factors if factor[0] == tensor]
    result = []
    for partner in others:
        rest = list(diagram.factors)
        rest.remove(first)
        rest.remove(partner)
        for order in tensor.orders:
            pairs = zip(first[1], (partner[1][slot] for slot in order), strict=True)
            nodes, factors = identify(diagram.nodes, rest, pairs)
            result.append(Diagram((*nodes, *symbols), factors))
    return result
