"""A problem: a model, a target, and the loss whose gradient flow is expanded.

The model f and the target F are sums of tensor networks with the same open indices; the loss is

    L = 1/2 sum over the open indices of (f - F)^2,

so that, as diagrams, L = 1/2 D - R + 1/2 |F|^2 with D = <f, f> and R = <f, F>. A problem says
nothing about sizes: its axes are symbols.

>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> problem = Problem(
...     family="tied",
...     model=(Network.einsum("ki,kj->ij", W, W),),
...     target=(Network.einsum("->ii"),),
...     output_axes=(p, p),
... )
>>> len(problem.loss), len(problem.model_square), len(problem.overlap)
(3, 1, 1)

Source: Yarotsky, Golikov, Gusev 2026, sections 2 and 3; the description by networks is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from diagrams.errors import InvalidInputError
from diagrams.network import Network, inner_product
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Tensor

__all__ = ["Option", "Problem"]

Option = str | int | bool
"""A value that describes a preset in plain data."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A model, a target and the quadratic loss between them.

    Parameters
    ----------
    family : str
        Name of the preset, or of the file, that the problem comes from.
    model : tuple of Network
        The model, a sum of networks with the same open indices.
    target : tuple of Network
        The target, likewise; empty for the zero target.
    output_axes : tuple of Axis
        The axes of the open indices.
    options : tuple of (str, Option)
        What tells the problem from others of its family; only used to describe it.

    Raises
    ------
    InvalidInputError
        If the model has nothing to learn, two tensors share a name, a network has other open
        indices, or a target contains a learnable tensor.
    """

    family: str
    model: tuple[Network, ...]
    target: tuple[Network, ...]
    output_axes: tuple[Axis, ...]
    options: tuple[tuple[str, Option], ...] = ()

    def __post_init__(self) -> None:
        names: dict[str, Tensor] = {}
        for tensor in self.tensors:
            if names.setdefault(tensor.name, tensor) != tensor:
                raise InvalidInputError(
                    f"tensor {tensor.name}: stands for two different tensors; give each its own "
                    "name"
                )
        if not any(t.is_learnable for network in self.model for t, _ in network.factors):
            raise InvalidInputError(
                f"model of {self.family}: has no learnable tensor; declare at least one weight"
            )
        for network in self.target:
            for tensor, _ in network.factors:
                if tensor.is_learnable:
                    raise InvalidInputError(
                        f"target of {self.family}: contains the learnable tensor {tensor.name}; "
                        "declare it as fixed Gaussian or structural"
                    )
        for network in (*self.model, *self.target):
            network.index_axes(self.output_axes)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors of model and target, sorted."""
        found = {t for network in (*self.model, *self.target) for t, _ in network.factors}
        return tuple(sorted(found, key=lambda tensor: tensor.sort_key))

    @property
    def axes(self) -> tuple[Axis, ...]:
        """All axes, sorted by name."""
        found = {axis for tensor in self.tensors for axis in tensor.axes} | {*self.output_axes}
        return tuple(sorted(found, key=lambda axis: axis.sort_key))

    @property
    def growing(self) -> tuple[str, ...]:
        """The names of the sizes that are symbols: all axes that are not pinned."""
        return tuple(axis.name for axis in self.axes if axis.pinned is None)

    @property
    def weight_variances(self) -> tuple[str, ...]:
        """The variance symbols of the learnable tensors, sorted."""
        found = {t.variance for t in self.tensors if t.is_learnable and t.variance is not None}
        return tuple(sorted(found))

    @property
    def model_square(self) -> DiagramSum:
        """D, the squared norm of the model."""
        return inner_product(self.model, self.model, self.output_axes)

    @property
    def overlap(self) -> DiagramSum:
        """R, the inner product of model and target."""
        return inner_product(self.model, self.target, self.output_axes)

    @property
    def target_square(self) -> DiagramSum:
        """The squared norm of the target."""
        return inner_product(self.target, self.target, self.output_axes)

    @property
    def loss(self) -> DiagramSum:
        """L = 1/2 D - R + 1/2 |F|^2."""
        half = Fraction(1, 2)
        return self.model_square * half - self.overlap + self.target_square * half

    def with_target_amplitude(self, name: str) -> Problem:
        """The same problem with the target multiplied by a symbol.

        In its coefficients Y_s the power of the symbol counts the factors of the target.

        Examples
        --------
        >>> from expansion.models import cp
        >>> from expansion.series import loss_series
        >>> print(loss_series(cp(order=2).with_target_amplitude("a"))[0])
        1/2*p*a**2 + 1/2*p**2*H*sigma2**2
        """
        amplitude = Axis(name)
        if amplitude in self.axes:
            raise InvalidInputError(
                f"amplitude {name!r}: is the name of an axis of {self.family}; choose another"
            )
        target = tuple(
            replace(network, amplitudes=(*network.amplitudes, amplitude)) for network in self.target
        )
        return replace(self, target=target)

    @property
    def title(self) -> str:
        """One line that names the problem and its options."""
        words = [f"{name}={str(value).lower()}" for name, value in self.options]
        return " ".join([self.family, *words])
