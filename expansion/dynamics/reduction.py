"""Reduction: a diagram as a leading sum of products of cores and powers of sizes.

Separation (`expansion.dynamics.separation`) and coincidence (`expansion.dynamics.coincidence`) are
applied until neither changes anything. What is left are connected *cores*, each a number that the
dynamics moves. Parts without learnable tensors do not move: where they do not fluctuate at their
own scale they are replaced by the leading part of their mean. The square of a fixed sign is a
number, exactly, and is replaced by it first; so hierarchies with signs in them close.

>>> from expansion.models import cp
>>> from expansion.dynamics.averages import Averages
>>> from expansion.dynamics.scales import Scaling
>>> problem = cp(order=4, symmetric=True)
>>> exponents = {"p": Fraction(1), "H": Fraction(2), "sigma2": Fraction(-3, 2)}
>>> scaling = Scaling(exponents, Fraction(-3, 2))
>>> reduction = Reduction(Scales(Averages(problem.loss), scaling), labelled=True)
>>> square = next(diagram for diagram, _ in problem.model_square)
>>> for (cores, sizes), weight in sorted(reduction.of(square).items()):
...     print(weight, [len(core.factors) for core in cores], sizes)
1 [2, 2, 2, 2] (('H', -3),)
3 [2, 2, 2, 2] (('H', -2), ('p', -2))

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from diagrams.arguments import brief
from diagrams.components import pieces
from diagrams.diagram import Diagram
from diagrams.variances import Variance
from diagrams.wick import Monomial
from expansion.dynamics.coincidence import Coincidence
from expansion.dynamics.scales import Scales, times
from expansion.dynamics.separation import Separation, Split

__all__ = ["Coinciding", "Product", "Reduction", "Separated", "without_squares"]

Product = tuple[tuple[Diagram, ...], Monomial]
"""Cores, sorted, and the powers of symbols in front of them."""


@dataclass(frozen=True, slots=True)
class Separated:
    """A block was replaced by its mean, or split off at a fixed index.

    Parameters
    ----------
    diagram : Diagram
        What it was part of.
    split : Split
    """

    diagram: Diagram
    split: Split

    def __repr__(self) -> str:
        return f"<Separated {brief(self.diagram)}>"

    def __str__(self) -> str:
        split = self.split
        why = "exact: a fixed index"
        if split.square is not None:
            variance = "none" if split.variance is None else f"of order {split.variance}"
            why = f"variance {variance} below the square of its size, of order {split.square}"
        return f"[{split.block}] separated from [{self.diagram}]; {why}"


@dataclass(frozen=True, slots=True)
class Coinciding:
    """A diagram was replaced by those in which nodes coincide.

    Parameters
    ----------
    diagram : Diagram
    leading : tuple of (Diagram, Fraction)
    scale : Fraction
        The dynamic scale that both sides have.
    """

    diagram: Diagram
    leading: tuple[tuple[Diagram, Fraction], ...]
    scale: Fraction

    def __repr__(self) -> str:
        return f"<Coinciding {brief(self.diagram)}>"

    def __str__(self) -> str:
        parts = " + ".join(f"{c} * [{diagram}]" for diagram, c in self.leading)
        return f"[{self.diagram}] led by coinciding nodes, order {self.scale}: {parts}"


def without_squares(diagram: Diagram) -> tuple[Diagram, Monomial, Fraction]:
    """A diagram without squares of fixed signs, and what they are: symbols and a number.

    Examples
    --------
    >>> from diagrams.tensors import Axis, Kind, Tensor
    >>> H = Axis("H")
    >>> a = Tensor("a", (H,), Kind.FIXED, law="rademacher", variance="2*v")
    >>> plain, symbols, number = without_squares(Diagram((H,), ((a, (0,)),) * 5))
    >>> len(plain.factors), symbols, number
    (1, (('v', 2),), Fraction(4, 1))
    """
    counts = Counter(diagram.factors)
    squares: Monomial = ()
    number = Fraction(1)
    for factor, count in counts.items():
        tensor = factor[0]
        # Of a symmetric tensor an entry may have another variance than the law says.
        if count < 2 or tensor.is_learnable or tensor.symmetric or not tensor.is_random:
            continue
        if not tensor.entries.is_sign:
            continue
        variance = Variance.parse(tensor.entries.variance)
        number *= variance.coefficient ** (count // 2)
        squares = times(squares, tuple((n, k * (count // 2)) for n, k in variance.powers))
        counts[factor] = count % 2
    return Diagram(diagram.nodes, tuple(counts.elements())), squares, number


class Reduction:
    """Reductions of diagrams under one scaling, kept.

    Parameters
    ----------
    scales : Scales
    labelled : bool, default False
        Whether diagrams that differ by a permutation of exchangeable tensors are distinguished.
        Their values are equal, but their mergers are not.
    moving : bool, default False
        Whether the rates of change of what is replaced by its mean have to be concentrated too.
    far : bool, default False
        Whether coincidences of larger diagrams are looked for.

    Attributes
    ----------
    steps : list of Separated or Coinciding
        What was done, in order.
    """

    def __init__(
        self, scales: Scales, *, labelled: bool = False, moving: bool = False, far: bool = False
    ) -> None:
        self._scales = scales
        self._labelled = labelled
        self._separation = Separation(scales, moving=moving)
        self._coincidence = Coincidence(scales, branching=labelled, far=far)
        self._known: dict[Diagram, Mapping[Product, Fraction]] = {}
        self.steps: list[Separated | Coinciding] = []

    @property
    def skipped(self) -> bool:
        """Whether a diagram stayed whole that would be looked at from far."""
        return self._coincidence.skipped

    def of(self, diagram: Diagram) -> Mapping[Product, Fraction]:
        """The leading products of a diagram with their coefficients.

        Parameters
        ----------
        diagram : Diagram
            Connected or not.
        """
        if not self._labelled:
            diagram = self._scales.averages.representative(diagram)
        if diagram not in self._known:
            self._known[diagram] = self._reduce(diagram)
        return self._known[diagram]

    def _reduce(self, diagram: Diagram) -> Mapping[Product, Fraction]:
        plain, squares, c = without_squares(diagram)
        if plain != diagram:
            return self._multiplied({((), squares): c}, plain)
        parts = pieces(diagram.nodes, diagram.factors)
        if len(parts) > 1:
            return self._multiplied({((), ()): Fraction(1)}, *parts)
        if not diagram.factors:
            axis = diagram.nodes[0] if diagram.nodes else None
            if axis is None:
                return {((), ()): Fraction(1)}
            if axis.pinned is not None:
                return {((), ()): Fraction(axis.pinned)}
            return {((), ((axis.name, 1),)): Fraction(1)}
        if not any(tensor.is_learnable for tensor in diagram.tensors):
            return self._constant(diagram)
        split = self._separation.split(diagram)
        if split is not None:
            self.steps.append(Separated(diagram, split))
            return self._multiplied({((), split.sizes): Fraction(1)}, split.block, split.rest)
        leading = self._coincidence.leading(diagram)
        if diagram in leading:
            return {((diagram,), ()): Fraction(1)}
        scale = self._scales.of(diagram)
        assert scale is not None  # only diagrams with a scale have leading coincidences
        self.steps.append(Coinciding(diagram, tuple(sorted(leading.items())), scale))
        total: dict[Product, Fraction] = {}
        for found, c in leading.items():
            for product, weight in self.of(found).items():
                total[product] = total.get(product, Fraction(0)) + c * weight
        return {product: c for product, c in total.items() if c}

    def _multiplied(
        self, start: Mapping[Product, Fraction], *factors: Diagram
    ) -> dict[Product, Fraction]:
        total = dict(start)
        for factor in factors:
            result: dict[Product, Fraction] = {}
            for (cores, sizes), c in total.items():
                for (more, powers), weight in self.of(factor).items():
                    key = tuple(sorted((*cores, *more))), times(sizes, powers)
                    result[key] = result.get(key, Fraction(0)) + c * weight
            total = result
        return {product: c for product, c in total.items() if c}

    def _constant(self, diagram: Diagram) -> Mapping[Product, Fraction]:
        """A diagram that does not move: the leading part of its mean, unless it fluctuates."""
        scaling = self._scales.scaling
        mean = self._scales.averages.mean(diagram)
        top = scaling.top(mean)
        if top is not None:
            spread = scaling.top(self._scales.fluctuation(diagram, diagram))
            if spread is None or spread < 2 * top:
                return {((), powers): c for powers, c in scaling.leading(mean, top)}
        return {((diagram,), ()): Fraction(1)}
