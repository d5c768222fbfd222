"""Merging: the product of diagrams that a derivative in time makes.

For diagrams G and G', the *merger* is

    G * G' = sum over learnable entries u of (dG/du) (dG'/du),

and, because a derivative deletes one factor, it is a sum of diagrams: for each pair of factors of
one learnable tensor, one from G and one from G', delete both and identify their nodes slot by
slot. It is bilinear and symmetric. Along gradient flow with loss P and inverse learning rate T,

    T dG/dt = -(G * P).

Fixed Gaussian tensors and structural ones are never merged over. The derivative with respect to a
symmetric tensor is the symmetric part of that by its entries, so its factors are identified in all
orders of the slots, each with the same share (`diagrams.tensors`).

>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> square = Diagram((H, p), ((W, (0, 1)), (W, (0, 1))))
>>> print(merge(square, square))
4 * [weight W[H,p]~sigma2; W(H0,p0)^2]

Source: Yarotsky, Golikov, Gusev 2026, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from math import lcm

from diagrams import canonical
from diagrams.canonical import Factor
from diagrams.diagram import Diagram, identify
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Tensor

__all__ = ["factor_orbits", "learnable", "merge", "shares", "symmetric_tensors"]


def learnable(tensor: Tensor) -> Tensor | None:
    """The tensor itself if it is learnable, else None."""
    return tensor if tensor.is_learnable else None


def merge(
    first: Diagram | DiagramSum,
    second: Diagram | DiagramSum,
    *,
    over: Collection[Tensor] | None = None,
    cut: Callable[[Tensor], Tensor | None] = learnable,
) -> DiagramSum:
    """The merger of two diagrams, extended bilinearly to sums.

    Parameters
    ----------
    first, second : Diagram or DiagramSum
    over : collection of Tensor, optional
        Only entries of these tensors are summed over; without it those of all learnable ones.
    cut : callable, optional
        For a tensor of the first one, the learnable tensor of the second one that its factors are
        merged with, or None; without it every learnable tensor is merged with itself.

    Returns
    -------
    DiagramSum
        Every merger with its multiplicity, isomorphic ones collected.

    Notes
    -----
    Cost: one canonical form for each pair of distinct factors of equal learnable tensors.
    """
    return collect(
        (result, a * b * multiplicity)
        for left, a in _as_sum(first)
        for right, b in _as_sum(second)
        for result, multiplicity in _mergers(left, right, over, cut)
    )


def _as_sum(value: Diagram | DiagramSum) -> DiagramSum:
    return DiagramSum({value: 1}) if isinstance(value, Diagram) else value


def shares(total: DiagramSum) -> int:
    """A number that the count of every merger with a sum becomes an integer with.

    Examples
    --------
    >>> from diagrams.tensors import Axis, Tensor
    >>> p = Axis("p")
    >>> S = Tensor("S", (p, p), variance="sigma2", symmetric=True)
    >>> square = Diagram((p, p), ((S, (0, 1)), (S, (0, 1))))
    >>> shares(DiagramSum({square: 1}))
    2
    """
    learnable = {t for diagram, _ in total for t in diagram.tensors if t.is_learnable}
    return lcm(*(len(tensor.orders) for tensor in learnable))


def _mergers(
    left: Diagram,
    right: Diagram,
    over: Collection[Tensor] | None,
    cut: Callable[[Tensor], Tensor | None],
) -> Iterator[tuple[Diagram, Fraction]]:
    shift = len(left.nodes)
    nodes = left.nodes + right.nodes
    moved = {
        (tensor, tuple(node + shift for node in at)): count
        for (tensor, at), count in right.multiplicities.items()
    }
    for first, first_count in left.multiplicities.items():
        weight = cut(first[0])
        if weight is None or (over is not None and weight not in over):
            continue
        for second, second_count in moved.items():
            if weight == second[0]:
                factors = [*left.factors]
                factors.remove(first)
                for factor, copies in moved.items():
                    factors += [factor] * (copies - (factor == second))
                orders = first[0].orders
                count = Fraction(first_count * second_count, len(orders))
                for order in orders:
                    pairs = zip(first[1], (second[1][slot] for slot in order), strict=True)
                    yield Diagram(*identify(nodes, factors, pairs)), count


def factor_orbits(diagram: Diagram) -> dict[Factor, int]:
    """One learnable factor from each orbit of the automorphism group, with the orbit's size.

    Two factors lie in one orbit when an automorphism, or an exchange of parallel factors, maps one
    to the other.

    Examples
    --------
    >>> from diagrams.tensors import Axis, Tensor
    >>> p, H = Axis("p"), Axis("H")
    >>> W = Tensor("W", (H, p), variance="sigma2")
    >>> path = Diagram((H, p, p), ((W, (0, 1)), (W, (0, 2))))
    >>> list(factor_orbits(path).values())
    [2]
    """
    multiplicities = diagram.multiplicities
    return {
        orbit[0]: multiplicities[orbit[0]] * len(orbit)
        for orbit in canonical.factor_orbits(diagram.nodes, diagram.factors)
        if orbit[0][0].is_learnable
    }


def symmetric_tensors(*sums: DiagramSum) -> tuple[tuple[Tensor, ...], ...]:
    """Classes of tensors that may be permuted at will without changing any of the sums.

    A symmetry of the problem, found and not declared: two tensors with equal axes, kind and
    variance are in one class when exchanging them maps every sum to itself.

    Returns
    -------
    tuple of tuple of Tensor
        A partition of all random tensors that occur, each class and the classes sorted.

    Examples
    --------
    >>> from diagrams.tensors import Axis
    >>> p, H = Axis("p"), Axis("H")
    >>> U, V = (Tensor(name, (H, p), variance="sigma2") for name in "UV")
    >>> product = Diagram((H, p), ((U, (0, 1)), (V, (0, 1))))
    >>> [[tensor.name for tensor in c] for c in symmetric_tensors(DiagramSum({product: 1}))]
    [['U', 'V']]
    """
    tensors = sorted(
        {t for total in sums for diagram, _ in total for t in diagram.tensors if t.is_random},
        key=lambda tensor: tensor.sort_key,
    )
    classes: list[list[Tensor]] = []
    for tensor in tensors:
        for members in classes:
            if all(_exchanged(total, members[0], tensor) == total for total in sums):
                members.append(tensor)
                break
        else:
            classes.append([tensor])
    return tuple(tuple(members) for members in classes)


def _exchanged(total: DiagramSum, first: Tensor, second: Tensor) -> DiagramSum | None:
    if first.sort_key[1:] != second.sort_key[1:]:
        return None
    swap = {first: second, second: first}
    return collect(
        (Diagram(d.nodes, tuple((swap.get(t, t), at) for t, at in d.factors)), c) for d, c in total
    )
