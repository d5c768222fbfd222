r"""Cores that are traces of products of large Gaussian matrices, as words of letters.

A letter is a matrix and whether it is transposed; a word stands for its trace, so that its letters
may be turned in a circle, and read backwards if all are transposed.

>>> from diagrams.diagram import Diagram
>>> core = Diagram.parse("weight U[H,p]~sigma2; weight V[H,p]~sigma2; U(H0,p0) V(H0,p0)")
>>> [(tensor.name, is_transposed) for tensor, is_transposed in trace_letters(core)]
[('U', False), ('V', True)]

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from diagrams.diagram import Diagram
from diagrams.laws import evaluated
from diagrams.tensors import Tensor
from diagrams.wick import monomial
from expansion.dynamics.scales import Scaling
from expansion.polynomial import Polynomial

__all__ = ["TensorLetter", "are_words", "axis_orders", "named", "trace_letters", "transposed"]

TensorLetter = tuple[Tensor, bool]
"""A matrix, and whether it is transposed."""


def are_words(cores: Iterable[Diagram], scaling: Scaling) -> bool:
    """Whether all cores are traces of products of Gaussian matrices whose axes grow.

    Parameters
    ----------
    cores : iterable of Diagram
    scaling : Scaling
    """
    return all(
        _is_trace(core)
        and all(axis.pinned is None for axis in core.nodes)
        and min(axis_orders([core], scaling)) > 0
        for core in cores
    )


def axis_orders(cores: Iterable[Diagram], scaling: Scaling) -> set[Fraction]:
    """The orders of the sizes of all axes of some cores."""
    names = {axis.name for core in cores for axis in core.nodes}
    return {scaling.order(monomial({name: 1})) for name in names}


def trace_letters(core: Diagram) -> tuple[TensorLetter, ...]:
    """The matrices along the circle of a connected core that is a trace."""
    return tuple(_walk(core))


def transposed(word: Sequence[TensorLetter]) -> tuple[TensorLetter, ...]:
    """The transpose of a product of matrices."""
    return tuple((tensor, not is_transposed) for tensor, is_transposed in reversed(word))


def named(*names: str) -> Polynomial:
    """The product of sizes and variances, which may be numbers or products themselves.

    Examples
    --------
    >>> print(named("p", "2*sigma2"))
    2*p*sigma2
    """
    powers = {name: names.count(name) for name in names}
    return Polynomial(evaluated({monomial(powers): Fraction(1)}))


def _is_trace(core: Diagram) -> bool:
    return set(core.degrees) == {2} and all(
        t.is_random and t.entries.is_wick and t.rank == 2 for t in core.tensors
    )


def _walk(core: Diagram) -> Iterator[TensorLetter]:
    left = dict(enumerate(core.factors))
    node = core.factors[0][1][0]
    while left:
        place, (tensor, at) = next(item for item in left.items() if node in item[1][1])
        del left[place]
        yield tensor, at[0] != node
        node = at[1] if at[0] == node else at[0]
