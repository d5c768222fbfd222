"""Quadratic losses and other quantities that are followed along a gradient flow.

A *quadratic loss* is

    L = c * average over x of 1/2 sum over the open indices of (f - F)^2,

with model f and target F sums of tensor networks, a *normalisation* c, a product of powers of
symbols such as 1/N, and an average over random inputs x, if there are any. A *quantity* is what
is left of such a thing for the engine: a sum of diagrams and its normalisation.

>>> from diagrams.tensors import Kind
>>> p, H, N = Axis("p"), Axis("H"), Axis("N")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> X = Tensor("X", (p, N), Kind.GAUSSIAN, variance="1")
>>> train = QuadraticLoss(
...     name="train",
...     model=(Network.einsum("ki,kj,jn->in", W, W, X),),
...     target=(Network.einsum("in->in", X),),
...     output_axes=(p, N),
...     normalisation=(("N", -1),),
... )
>>> len(train.diagrams), train.normalisation
(3, (('N', -1),))

Source: Yarotsky, Golikov, Gusev 2026, sections 2 and 3; normalisations, inputs and observables are
ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType

from diagrams.arguments import powers_of, several, word
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.input_average import average_over
from diagrams.network import Network, inner_product
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Tensor
from diagrams.wick import Monomial

__all__ = ["OBSERVABLES", "Followed", "Observable", "QuadraticLoss", "Quantity", "weight_norm"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity along a flow: a sum of diagrams times a product of powers of symbols."""

    diagrams: DiagramSum
    normalisation: Monomial = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Something that may be followed, with the name by which it is asked for."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observable(Followed):
    """Any einsum of the weights, summed over all its indices.

    Parameters
    ----------
    name : str
        By which it is asked for.
    networks : tuple of Network
        The terms, without open indices.
    normalisation : Monomial, default ()
        Powers of symbols in front.
    averaged_over : tuple of Tensor, default ()
        Fixed random tensors that are averaged over before the flow; their laws have numbers only.

    Raises
    ------
    InvalidInputError
        If a network has open indices.

    Examples
    --------
    >>> W = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
    >>> norm = Observable(name="norm", networks=(Network.einsum("ki,ki->", W, W),))
    >>> len(norm.quantity.diagrams)
    1
    """

    networks: tuple[Network, ...]
    normalisation: Monomial = ()
    averaged_over: tuple[Tensor, ...] = ()

    def __post_init__(self) -> None:
        title = f"observable {word(self.name, 'name of an observable')}"
        for key, value in (
            ("networks", several(self.networks, Network, f"{title}: networks")),
            ("normalisation", powers_of(self.normalisation, f"{title}: normalisation")),
            ("averaged_over", several(self.averaged_over, Tensor, f"{title}: averaged_over")),
        ):
            object.__setattr__(self, key, value)
        for network in self.networks:
            if network.output:
                raise InvalidInputError(
                    f"observable {self.name}: has the open indices {','.join(network.output)}; "
                    "sum over all indices, with nothing behind the arrow"
                )

    @property
    def quantity(self) -> Quantity:
        """The diagrams of the observable."""
        total = inner_product(self.networks, (Network((), ()),), ())
        return Quantity(average_over(total, *self.averaged_over), self.normalisation)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuadraticLoss:
    """Half the squared distance of a model from a target.

    Parameters
    ----------
    name : str
        For example ``train`` or ``population``.
    model, target : tuple of Network
        Sums of networks with the same open indices; an empty target is zero.
    output_axes : tuple of Axis
        The axes of the open indices.
    normalisation : Monomial, default ()
        Powers of symbols in front, ``(("N", -1),)`` for a mean over N data.
    averaged_over : tuple of Tensor, default ()
        Inputs: fixed random tensors that the loss is an average over; their laws have numbers only.

    Raises
    ------
    InvalidInputError
        If a network has other open indices, or a target contains a learnable tensor.
    """

    name: str
    model: tuple[Network, ...]
    target: tuple[Network, ...]
    output_axes: tuple[Axis, ...]
    normalisation: Monomial = ()
    averaged_over: tuple[Tensor, ...] = ()

    def __post_init__(self) -> None:
        title = f"loss {word(self.name, 'name of a loss')}"
        for key, value in (
            ("model", several(self.model, Network, f"{title}: model")),
            ("target", several(self.target, Network, f"{title}: target")),
            ("output_axes", several(self.output_axes, Axis, f"{title}: output_axes")),
            ("normalisation", powers_of(self.normalisation, f"{title}: normalisation")),
            ("averaged_over", several(self.averaged_over, Tensor, f"{title}: averaged_over")),
        ):
            object.__setattr__(self, key, value)
        for network in self.target:
            for tensor, _ in network.factors:
                if tensor.is_learnable:
                    raise InvalidInputError(
                        f"target of {self.name}: contains the learnable tensor {tensor.name}; "
                        "declare it as fixed Gaussian or structural"
                    )
        for network in (*self.model, *self.target):
            network.index_axes(self.output_axes)

    @property
    def tensors(self) -> frozenset[Tensor]:
        """All tensors of model and target."""
        return frozenset().union(*(network.tensors for network in (*self.model, *self.target)))

    @property
    def model_square(self) -> DiagramSum:
        """D, the squared norm of the model."""
        return self._product(self.model, self.model)

    @property
    def overlap(self) -> DiagramSum:
        """R, the inner product of model and target."""
        return self._product(self.model, self.target)

    @property
    def target_square(self) -> DiagramSum:
        """The squared norm of the target."""
        return self._product(self.target, self.target)

    @property
    def diagrams(self) -> DiagramSum:
        """1/2 D - R + 1/2 |F|^2, without the normalisation."""
        half = Fraction(1, 2)
        return self.model_square * half - self.overlap + self.target_square * half

    @property
    def kernel_trace(self) -> DiagramSum:
        """The trace of the neural tangent kernel, sum over outputs and weights u of (df/du)^2."""
        total = DiagramSum()
        learnable = {tensor for n in self.model for tensor in n.tensors if tensor.is_learnable}
        for tensor in sorted(learnable, key=lambda tensor: tensor.sort_key):
            slopes = tuple(slope for n in self.model for slope in n.derivatives(tensor))
            axes = self.output_axes + tensor.axes
            total += average_over(inner_product(slopes, slopes, axes), *self.averaged_over)
        return total

    @property
    def quantity(self) -> Quantity:
        """The diagrams of the loss."""
        return Quantity(self.diagrams, self.normalisation)

    def with_target_amplitude(self, amplitude: Axis) -> QuadraticLoss:
        """The same with the target multiplied by a symbol.

        What of the model does not move acts as a part of the target: it is multiplied too.
        """

        def marked(network: Network) -> Network:
            return replace(network, amplitudes=(*network.amplitudes, amplitude))

        def moves(network: Network) -> bool:
            return any(tensor.is_learnable for tensor in network.tensors)

        model = tuple(network if moves(network) else marked(network) for network in self.model)
        return replace(self, model=model, target=tuple(map(marked, self.target)))

    def _product(self, first: tuple[Network, ...], second: tuple[Network, ...]) -> DiagramSum:
        return average_over(inner_product(first, second, self.output_axes), *self.averaged_over)


def weight_norm(weights: Iterable[Tensor]) -> DiagramSum:
    """Half the sum of the squares of all entries of some tensors.

    Examples
    --------
    >>> W = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
    >>> print(weight_norm([W]))
    1/2 * [weight W[H,p]~sigma2; W(H0,p0)^2]
    """
    squares = (Diagram(t.axes, ((t, tuple(range(t.rank))),) * 2) for t in weights)
    return collect((square, Fraction(1, 2)) for square in squares)


OBSERVABLES: Mapping[str, Callable[[QuadraticLoss, Sequence[Tensor]], Quantity]] = MappingProxyType(
    {
        "alignment": lambda loss, _: Quantity(loss.overlap, loss.normalisation),
        "model-norm": lambda loss, _: Quantity(loss.model_square, loss.normalisation),
        "ntk-trace": lambda loss, _: Quantity(loss.kernel_trace, loss.normalisation),
        "weight-norm": lambda _, weights: Quantity(weight_norm(weights)),
    }
)
"""Observables that every problem has, made from its loss and its learnable tensors.

``alignment`` is the inner product of model and target, ``model-norm`` the squared norm of the
model, ``ntk-trace`` the trace of the neural tangent kernel; all are normalised as the loss is.
``weight-norm`` is half the sum of the squares of all learnable entries, without normalisation.
"""
