"""Tensor networks with open indices: models and targets before they are squared.

A *network* is an einsum: a coefficient, factors with named indices, and the tuple of *open*
indices that remain. Indices that are not open are summed. An open index may repeat, which is a
Kronecker delta: the identity target of order 3 has no factors and the open indices ``i, i, i``.
Joining the open indices of two networks one by one gives a diagram, so the inner product of two
models is a diagram and the square of a sum of networks is a `DiagramSum`.

>>> p, H = Axis("p"), Axis("H")
>>> U, V = (Tensor(name, (H, p), variance="sigma2") for name in "UV")
>>> model = Network.einsum("ki,kj->ij", U, V)
>>> [(diagram, _)] = inner_product((model,), (model,), (p, p))
>>> [axis.name for axis in diagram.nodes], len(diagram.factors)
(['H', 'H', 'p', 'p'], 4)
>>> identity = Network.einsum("->ii")
>>> print(inner_product((model,), (identity,), (p, p)))
1 * [weight U[H,p]~sigma2; weight V[H,p]~sigma2; U(H0,p0) V(H0,p0)]

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from diagrams.arguments import brief, rational, several, shown, word
from diagrams.diagram import Diagram, identify
from diagrams.errors import InvalidInputError
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Tensor

__all__ = ["MAXIMAL_LENGTH", "Network", "inner_product"]

MAXIMAL_LENGTH = 1_000
"""Longest einsum that is read, in characters."""


@dataclass(frozen=True, slots=True)
class Network:
    """A product of tensor entries with open indices.

    Parameters
    ----------
    factors : tuple of (Tensor, tuple of str)
        Each tensor with the names of the indices in its slots.
    output : tuple of str
        The open indices, in order.
    coefficient : Fraction
        A rational factor in front.
    amplitudes : tuple of Axis
        Symbolic factors in front, with repetition. An index that is summed and occurs nowhere
        contributes the size of its axis, so a diagram carries a symbol as a free node.

    Raises
    ------
    InvalidInputError
        If a factor has the wrong number of indices or an index lies on two different axes.
    """

    factors: tuple[tuple[Tensor, tuple[str, ...]], ...]
    output: tuple[str, ...]
    coefficient: Fraction = Fraction(1)
    amplitudes: tuple[Axis, ...] = ()

    def __repr__(self) -> str:
        entries = (f"{tensor.name}[{','.join(at)}]" for tensor, at in self.factors)
        symbols = (axis.name for axis in self.amplitudes)
        product = " ".join([*symbols, *entries]) or "1"
        return f"<Network {brief(product)} -> {','.join(self.output)}>"

    def __post_init__(self) -> None:
        factors = tuple(_factor(factor) for factor in several(self.factors, tuple, "factors"))
        amplitudes = several(self.amplitudes, Axis, "amplitudes of a network")
        object.__setattr__(self, "factors", factors)
        object.__setattr__(self, "output", _names(self.output, "open indices"))
        object.__setattr__(self, "amplitudes", amplitudes)
        number = rational(self.coefficient, "coefficient of a network")
        object.__setattr__(self, "coefficient", number)
        for tensor, indices in self.factors:
            if len(indices) != tensor.rank:
                raise InvalidInputError(
                    f"factor {tensor.name}: has {len(indices)} indices but the tensor has "
                    f"{tensor.rank} slots; give one index for each slot"
                )
        self.index_axes(None)

    @classmethod
    def einsum(cls, formula: str, *tensors: Tensor, coefficient: Fraction | int = 1) -> Network:
        """Read ``"ki,kj->ij"``: one group of letters for each tensor, then the open indices.

        Raises
        ------
        InvalidInputError
            If the formula is too long, has no arrow, other characters than letters, or not one
            group for each tensor, or the coefficient is not exact.
        """
        if len(word(formula, "einsum")) > MAXIMAL_LENGTH:
            raise InvalidInputError(
                f"einsum {formula[:40]!r}...: is longer than {MAXIMAL_LENGTH} characters; write a "
                "shorter one"
            )
        left, arrow, output = formula.replace(" ", "").partition("->")
        groups = left.split(",") if left else []
        letters = "".join(groups) + output
        if not arrow or (letters and not (letters.isalpha() and letters.isascii())):
            raise InvalidInputError(
                f"einsum {formula!r}: must be groups of letters, an arrow and the open indices; "
                "write for example 'ki,kj->ij'"
            )
        if len(groups) != len(tensors):
            raise InvalidInputError(
                f"einsum {formula!r}: has {len(groups)} groups for {len(tensors)} tensors; "
                "give one group for each tensor"
            )
        factors = tuple((t, tuple(group)) for t, group in zip(tensors, groups, strict=True))
        return cls(
            factors, tuple(output), rational(coefficient, f"einsum {formula!r}: coefficient")
        )

    @property
    def tensors(self) -> frozenset[Tensor]:
        """The distinct tensors of the factors."""
        return frozenset(tensor for tensor, _ in self.factors)

    def derivatives(self, tensor: Tensor) -> tuple[Network, ...]:
        """The derivative by the entries of a tensor: its slots are further open indices.

        Of a symmetric tensor it is the symmetric part (`diagrams.tensors`).

        Examples
        --------
        >>> W = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
        >>> square = Network.einsum("ki,ki->", W, W)
        >>> [network.output for network in square.derivatives(W)]
        [('k', 'i'), ('k', 'i')]
        """
        return tuple(
            replace(
                self,
                factors=self.factors[:place] + self.factors[place + 1 :],
                output=self.output + tuple(at[slot] for slot in order),
                coefficient=self.coefficient / len(tensor.orders),
            )
            for place, (factor, at) in enumerate(self.factors)
            if factor == tensor
            for order in tensor.orders
        )

    def applied(self, *arguments: tuple[Tensor, tuple[str, ...]]) -> Network:
        """The last open indices summed against vectors or matrices, one for each of them.

        Parameters
        ----------
        arguments : (Tensor, tuple of str)
            A tensor whose first slot takes the open index, and names for its other slots, which
            become open indices.

        Raises
        ------
        InvalidInputError
            If there are more of them than open indices, or a name is taken already.

        Examples
        --------
        >>> from diagrams.tensors import Kind
        >>> X = Tensor("X", (Axis("p"), Axis("N")), Kind.GAUSSIAN, variance="1")
        >>> network = Network.einsum("->ii").applied((X, ("sample",)))
        >>> network.output, network.factors[0][1]
        (('i', 'sample'), ('i', 'sample'))
        """
        if len(arguments) > len(self.output):
            raise InvalidInputError(
                f"applied {', '.join(tensor.name for tensor, _ in arguments)}: has more vectors "
                f"than open indices ({len(self.output)}); apply fewer"
            )
        taken = {index for _, at in self.factors for index in at} | {*self.output}
        for tensor, names in arguments:
            for index in names:
                if index in taken:
                    raise InvalidInputError(
                        f"applied {tensor.name}: the index {index!r} is taken already; use "
                        "another name"
                    )
                taken.add(index)
        kept = len(self.output) - len(arguments)
        added = tuple(
            (tensor, (index, *others))
            for index, (tensor, others) in zip(self.output[kept:], arguments, strict=True)
        )
        others = tuple(index for _, names in arguments for index in names)
        return replace(self, factors=self.factors + added, output=self.output[:kept] + others)

    def index_axes(self, output_axes: Sequence[Axis] | None) -> dict[str, Axis]:
        """The axis of every index, those of the open ones given or, if None, known from slots.

        Raises
        ------
        InvalidInputError
            If an index lies on two different axes, or there are not as many open indices as axes.
        """
        if output_axes is not None and len(self.output) != len(output_axes):
            raise InvalidInputError(
                f"network with open indices {','.join(self.output) or '(none)'}: there must be "
                f"{len(output_axes)} of them; change the right side of its einsum"
            )
        axes: dict[str, Axis] = {}
        where = [
            (i, a) for t, indices in self.factors for i, a in zip(indices, t.axes, strict=True)
        ]
        where += zip(self.output, output_axes or (), strict=False)
        for index, axis in where:
            if axes.setdefault(index, axis) != axis:
                raise InvalidInputError(
                    f"index {index!r}: lies on the axes {axes[index].name} and {axis.name}; "
                    "use another letter for one of them"
                )
        return axes


def _factor(value: tuple[object, ...]) -> tuple[Tensor, tuple[str, ...]]:
    """A tensor with the names of its indices."""
    if len(value) != 2 or not isinstance(value[0], Tensor):
        raise InvalidInputError(
            f"factor {shown(value)}: is not a tensor with its indices; give for example "
            "(W, ('k', 'i'))"
        )
    return value[0], _names(value[1], f"indices of {value[0].name}")


def _names(value: object, title: str) -> tuple[str, ...]:
    """Names of indices; the letters of a text are names too."""
    return several(tuple(value) if isinstance(value, str) else value, str, title)


def inner_product(
    first: Sequence[Network], second: Sequence[Network], output_axes: Sequence[Axis]
) -> DiagramSum:
    """Sum over all open indices of the product of two sums of networks.

    Parameters
    ----------
    first, second : sequence of Network
        The terms of the two sums, all with as many open indices as there are output axes.
    output_axes : sequence of Axis
        The axes of the open indices.

    Raises
    ------
    InvalidInputError
        If a network has another number of open indices, or one on another axis.
    """
    return collect(
        (_join(a, b, output_axes), a.coefficient * b.coefficient) for a in first for b in second
    )


def _join(first: Network, second: Network, output_axes: Sequence[Axis]) -> Diagram:
    nodes: list[Axis] = []
    factors = []
    ends: list[list[int]] = []
    for network in (first, second):
        axes = network.index_axes(output_axes)
        number = {index: len(nodes) + k for k, index in enumerate(axes)}
        nodes += [*axes.values(), *network.amplitudes]
        factors += [(tensor, tuple(number[i] for i in at)) for tensor, at in network.factors]
        ends.append([number[index] for index in network.output])
    return Diagram(*identify(nodes, factors, zip(*ends, strict=True)))
