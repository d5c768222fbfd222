"""Sums over indices of tensors that are not random: pins, modular sums and isometries.

What is left of a diagram after contraction are nodes and factors that are one or zero. They are
linear conditions on the indices, seen as residues modulo the size p of their axis: a pin sets an
index to 0, a modular sum sets the last index to the sum of the others; indices that isometries join
are one index, on the smallest of their axes (`diagrams.isometries`). With an integer matrix A
of rank r and elementary divisors d_1, ..., d_r, one condition a row, n indices solve A i = 0 in

    p^(n - r) * product of gcd(d_j, p)

ways. For every p that has no factor in common with a divisor the number is p^(n - r), a monomial;
for the others it is larger, and no polynomial in p holds for all. `divisors` lists them.

>>> from diagrams.tensors import Tensor
>>> p = Axis("p")
>>> plus = Tensor.modular_sum(p)
>>> twice = Diagram((p, p, p), ((plus, (0, 1, 2)), (plus, (0, 2, 1))))
>>> [axis.name for axis in solutions(twice)], divisors(twice)
(['p'], {'p': (2,)})

Here i + j = k and i + k = j, so 2 i = 0: for even p there are twice as many solutions.

Source: ours; the count is that of the Smith normal form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import flint

from diagrams.canonical import Factor
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.isometries import one_node_each
from diagrams.tensors import Axis, Kind

__all__ = ["divisors", "power_sums", "solutions"]


def solutions(diagram: Diagram) -> tuple[Axis, ...]:
    """The axes whose sizes, multiplied, count the indices at which no factor vanishes.

    Parameters
    ----------
    diagram : Diagram
        Without random tensors.

    Raises
    ------
    InvalidInputError
        If the number is no product of sizes, see `diagrams.isometries`.

    Returns
    -------
    tuple of Axis
        As many of each axis as indices that can be chosen at will.
    """
    result: list[Axis] = []
    nodes, factors = one_node_each(diagram.nodes, diagram.factors)
    powers, factors = _set_apart(nodes, factors)
    for axis in sorted(set(nodes), key=lambda axis: axis.sort_key):
        free = nodes.count(axis) - len(_elementary_divisors(nodes, factors, axis))
        result += [axis] * (free - sum(nodes[node] == axis for node in powers))
    return tuple(result)


def power_sums(diagram: Diagram) -> tuple[tuple[Axis, int], ...]:
    """The axes of the nodes that carry powers of their index, with the powers.

    Their sums are factors besides the `solutions`.

    Raises
    ------
    InvalidInputError
        If such an index is bound by a modular sum.
    """
    nodes, factors = one_node_each(diagram.nodes, diagram.factors)
    powers, _ = _set_apart(nodes, factors)
    return tuple((nodes[node], powers[node]) for node in sorted(powers))


def _set_apart(
    nodes: Sequence[Axis], factors: Sequence[Factor]
) -> tuple[Counter[int], tuple[Factor, ...]]:
    """The powers of indices by node, and the other factors; the index of a pin is one."""
    powers = Counter(at[0] for tensor, at in factors if tensor.kind is Kind.POWER)
    rest = tuple(factor for factor in factors if factor[0].kind is not Kind.POWER)
    for tensor, at in rest:
        for node in {*at} & {*powers}:
            if tensor.kind is not Kind.PIN:
                raise InvalidInputError(
                    f"axis {nodes[node].name}: a power of an index that a modular sum binds has no "
                    "polynomial sum; leave out one of the two"
                )
            del powers[node]
    return powers, rest


def divisors(diagram: Diagram) -> dict[str, tuple[int, ...]]:
    """By axis, the numbers with which its size must have no factor in common."""
    found = {}
    nodes, factors = one_node_each(diagram.nodes, diagram.factors)
    _, factors = _set_apart(nodes, factors)
    for axis in sorted(set(nodes), key=lambda axis: axis.sort_key):
        divisors = _elementary_divisors(nodes, factors, axis)
        values = tuple(sorted({divisor for divisor in divisors if divisor > 1}))
        if values:
            found[axis.name] = values
    return found


def _elementary_divisors(nodes: Sequence[Axis], factors: Sequence[Factor], axis: Axis) -> list[int]:
    """The nonzero diagonal entries of the Smith normal form of the conditions on one axis."""
    number = {node: k for k, node in enumerate(n for n, a in enumerate(nodes) if a == axis)}
    rows = []
    for tensor, at in factors:
        if nodes[at[0]] == axis:
            row = [0] * len(number)
            for node in at:
                row[number[node]] += 1
            if tensor.kind is Kind.MODULAR:
                row[number[at[-1]]] -= 2
            rows.append(row)
    if not rows:
        return []
    form = flint.fmpz_mat(rows).snf()
    diagonal = [abs(int(form[k, k])) for k in range(min(form.nrows(), form.ncols()))]
    return [value for value in diagonal if value]
