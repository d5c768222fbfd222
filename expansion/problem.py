"""A problem: a model, a target, and the loss whose gradient flow is expanded.

The model f and the target F are sums of tensor networks with the same open indices; the loss is

    L = 1/2 sum over the open indices of (f - F)^2,

so that, as diagrams, L = 1/2 D - R + 1/2 |F|^2 with D = <f, f> and R = <f, F>. A problem says
nothing about sizes: its axes are symbols. The loss may be normalised, for example by the number N
of data, and be an average over random inputs. It drives the flow unless `expansion.drive` says
otherwise; other losses and observables may be followed along it.

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
>>> problem.quantities
('train', 'alignment', 'model-norm', 'ntk-trace', 'weight-norm')
>>> print(problem.driven_by("train + lambda*weight-norm"))
tied flow=train + lambda*weight-norm

Source: Yarotsky, Golikov, Gusev 2026, sections 2 and 3; the description by networks is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from diagrams.arguments import powers_of, several, shown, word
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import Monomial
from expansion.composed import Composed, evaluated
from expansion.drive import PLAIN, Drive, Driven, driven, inertial
from expansion.expressions import is_expression
from expansion.losses import OBSERVABLES, Followed, Observable, QuadraticLoss, Quantity

__all__ = ["RESERVED_SYMBOLS", "Option", "Problem"]

RESERVED_SYMBOLS = {"T": "the inverse learning rate", "t": "the time"}
"""Symbols of every loss curve, which no size, variance or amplitude may have, with meanings."""

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
        The options that distinguish the problem in its family; only used to describe it.
    loss_name : str, default "train"
        Name of the loss; it drives the flow unless ``drive`` replaces it.
    normalisation : Monomial, default ()
        Powers of symbols in front of it, ``(("N", -1),)`` for a mean over N data.
    averaged_over : tuple of Tensor, default ()
        Inputs: fixed random tensors that the loss is an average over; their laws have numbers only.
    observed : tuple of QuadraticLoss, default ()
        Other losses that are followed along the flow.
    observables : tuple of Observable or Composed, default ()
        Other einsums of the weights that are, and what is made of quantities that come before.
    drive : Drive, default PLAIN
        The dynamics of the weights: gradient flow of the loss by default.
    remarks : tuple of str, default ()
        What its reader noticed, such as a tensor of its file that nothing uses; a line each, in
        three parts. They are no part of the problem: equal problems may differ in them.

    Raises
    ------
    InvalidInputError
        If a symbol is reserved, the model has nothing to learn, two tensors share a name, two
        quantities do, a network has other open indices, a target contains a learnable tensor, or
        the drive names what there is not.
    """

    family: str
    model: tuple[Network, ...]
    target: tuple[Network, ...]
    output_axes: tuple[Axis, ...]
    options: tuple[tuple[str, Option], ...] = ()
    loss_name: str = "train"
    normalisation: Monomial = ()
    averaged_over: tuple[Tensor, ...] = ()
    observed: tuple[QuadraticLoss, ...] = ()
    observables: tuple[Followed, ...] = ()
    drive: Drive = PLAIN
    remarks: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        title = f"problem {word(self.family, 'family of a problem')}"
        for key, value in (
            ("model", several(self.model, Network, f"{title}: model")),
            ("target", several(self.target, Network, f"{title}: target")),
            ("output_axes", several(self.output_axes, Axis, f"{title}: output_axes")),
            ("options", several(self.options, tuple, f"{title}: options")),
            ("loss_name", word(self.loss_name, f"{title}: loss_name")),
            ("normalisation", powers_of(self.normalisation, f"{title}: normalisation")),
            ("averaged_over", several(self.averaged_over, Tensor, f"{title}: averaged_over")),
            ("observed", several(self.observed, QuadraticLoss, f"{title}: observed")),
            ("observables", several(self.observables, Followed, f"{title}: observables")),
            ("remarks", several(self.remarks, str, f"{title}: remarks")),
        ):
            object.__setattr__(self, key, value)
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
        pinned = {a.name for a in self.axes if a.pinned is not None}
        for tensor in self.tensors:
            for name in sorted(pinned & {*_symbols(tensor)}):
                raise InvalidInputError(
                    f"tensor {tensor.name}: its {'variance' if tensor.entries.is_wick else 'law'} "
                    f"{tensor.entries} names the axis {name}, which is pinned; write its size"
                )
        named = {axis.name for axis in self.axes} | {n for t in self.tensors for n in _symbols(t)}
        for name, meaning in RESERVED_SYMBOLS.items():
            if name in named | {*self.amplitude_symbols}:
                raise InvalidInputError(f"symbol {name}: stands for {meaning}; choose another name")
        _ = self.driving
        for place, name in enumerate(self.quantities):
            if name in self.quantities[:place]:
                raise InvalidInputError(
                    f"quantity {name}: is the name of two losses or observables; rename one"
                )
        object.__setattr__(self, "drive", self._checked_drive(pinned))
        for name in sorted({*self._drive_symbols} & {*RESERVED_SYMBOLS}):
            raise InvalidInputError(
                f"symbol {name}: stands for {RESERVED_SYMBOLS[name]}; choose another name"
            )

    def _checked_drive(self, pinned: set[str]) -> Drive:
        if not isinstance(self.drive, Drive):
            raise InvalidInputError(
                f"problem {self.family}: drive {shown(self.drive)} is no Drive; use driven_by"
            )
        for name in sorted(pinned & self.drive.symbols(self.quantities)):
            raise InvalidInputError(
                f"symbol {name}: is the axis {name}, which is pinned; write its size"
            )
        return self.drive.checked(self.quantities, self.tensors)

    # -- what the problem is written in --------------------------------------------------------

    @property
    def _networks(self) -> tuple[Network, ...]:
        losses = [network for loss in self.observed for network in (*loss.model, *loss.target)]
        einsums = (o for o in self.observables if isinstance(o, Observable))
        other = [network for observable in einsums for network in observable.networks]
        return (*self.model, *self.target, *losses, *other)

    @property
    def _composed(self) -> tuple[Composed, ...]:
        return tuple(o for o in self.observables if isinstance(o, Composed))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors of model, target and what is observed, sorted."""
        found = {t for network in self._networks for t in network.tensors}
        found |= {t for composed in self._composed for t in composed.tensors}
        return tuple(sorted(found, key=lambda tensor: tensor.sort_key))

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """The learnable tensors, sorted."""
        return tuple(tensor for tensor in self.tensors if tensor.is_learnable)

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
    def amplitude_symbols(self) -> tuple[str, ...]:
        """The symbols in front of networks and of what drives, that are no sizes or variances."""
        found = {a.name for network in self._networks for a in network.amplitudes}
        found |= self._drive_symbols
        for composed in self._composed:
            found |= {*composed.symbols} | {
                a.name for _, _, axes in composed.multipliers for a in axes
            }
        return tuple(sorted(found - {*self.growing} - {*self.variance_symbols}))

    @property
    def _drive_symbols(self) -> frozenset[str]:
        return self.drive.symbols(self.quantities)

    @property
    def variance_symbols(self) -> tuple[str, ...]:
        """The symbols in the laws of the tensors, such as variances, sorted, that are not sizes."""
        found = {name for tensor in self.tensors for name in _symbols(tensor)}
        return tuple(sorted(found - {*self.growing}))

    @property
    def weight_variances(self) -> tuple[str, ...]:
        """The symbols in the laws of the learnable tensors, sorted, that are not sizes."""
        found = {name for t in self.tensors if t.is_learnable for name in _symbols(t)}
        return tuple(sorted(found - {*self.growing}))

    @property
    def nested(self) -> tuple[tuple[Axis, Axis], ...]:
        """Pairs of axes of which the first is not larger than the second, by an isometry.

        Examples
        --------
        >>> from expansion.models import cp
        >>> isometry = Tensor.isometry(Axis("p"), Axis("r"))
        >>> problem = replace(cp(order=2), target=(Network.einsum("ia->ii", isometry),))
        >>> [(small.name, large.name) for small, large in problem.nested]
        [('r', 'p')]
        """
        found = {(t.axes[1], t.axes[0]) for t in self.tensors if t.kind is Kind.ISOMETRY}
        return tuple(sorted(found, key=lambda pair: (pair[0].sort_key, pair[1].sort_key)))

    # -- what is followed ----------------------------------------------------------------------

    @property
    def driving(self) -> QuadraticLoss:
        """The loss of the model and its target; it drives the plain flow."""
        return QuadraticLoss(
            name=self.family,
            model=self.model,
            target=self.target,
            output_axes=self.output_axes,
            normalisation=self.normalisation,
            averaged_over=self.averaged_over,
        )

    @property
    def losses(self) -> tuple[str, ...]:
        """The names of the losses; the first is that of the model and its target."""
        return (self.loss_name, *(loss.name for loss in self.observed))

    @property
    def quantities(self) -> tuple[str, ...]:
        """The names of all that can be followed: losses, then observables."""
        return (*self.losses, *(o.name for o in self.observables), *sorted(OBSERVABLES))

    def quantity(self, name: str) -> Quantity:
        """The quantity of a name in `quantities`, or of an expression in them.

        See `expansion.expressions` for expressions.

        Raises
        ------
        InvalidInputError
            If there is no such loss or observable, or an expression is not understood.

        Examples
        --------
        >>> from expansion.models import tied_autoencoder
        >>> tied_autoencoder(data=True).quantity("train").normalisation
        (('N', -1),)
        """
        if word(name, "loss") == self.loss_name:
            return self.driving.quantity
        named: dict[str, QuadraticLoss | Observable] = {o.name: o for o in self.observed}
        named |= {o.name: o for o in self.observables if isinstance(o, Observable)}
        if name in named:
            return named[name].quantity
        for composed in self._composed:
            if composed.name == name:
                return _evaluated(self, composed)
        if name not in OBSERVABLES and is_expression(name):
            return _evaluated(self, Composed(name=name, formula=name, tensors=self.tensors))
        if name not in OBSERVABLES:
            raise InvalidInputError(
                f"loss {name!r}: {self.family} has no such loss or observable; choose one of "
                f"{', '.join(self.quantities)}"
            )
        return OBSERVABLES[name](self.driving, self.weights)

    @property
    def driven(self) -> Driven:
        """The generator of the flow, and the normalisation of a step of it."""
        return _driven(self)

    @property
    def dynamics(self) -> Driven:
        """The same with the velocities of a heavy ball, where there is one."""
        return inertial(self.drive, self.driven) if self.drive.momentum else self.driven

    def driven_by(
        self,
        flow: str = "",
        *,
        rates: Mapping[str, str | int | Fraction] | None = None,
        temperature: str | int | Fraction = "",
        implicit: str | int | Fraction = "",
        momentum: str | int | Fraction = "",
        step: str | int | Fraction = "",
        resample: Iterable[str] = (),
    ) -> Problem:
        """The same problem with something else that drives its weights.

        Parameters
        ----------
        flow : str, optional
            The potential, a linear combination of `quantities` with numbers and symbols.
        rates : mapping, optional
            By the name of a learnable tensor, a number times powers of symbols.
        temperature, implicit, momentum, step : str, optional
            Likewise; see `expansion.drive`.
        resample : iterable of str, optional
            Fixed tensors that are drawn anew after every step.

        Examples
        --------
        >>> from expansion.models import cp
        >>> cp(order=2).driven_by("train", rates={"U1": "eta"}).amplitude_symbols
        ('eta',)
        """
        drive = Drive(
            flow=flow,
            rates=rates or {},  # type: ignore[arg-type]
            temperature=temperature,  # type: ignore[arg-type]
            implicit=implicit,  # type: ignore[arg-type]
            momentum=momentum,  # type: ignore[arg-type]
            step=step,  # type: ignore[arg-type]
            resample=resample,  # type: ignore[arg-type]
        )
        return replace(self, drive=drive)

    def with_law(self, name: str, **words: Any) -> Problem:
        """The same problem with another law of the entries of a tensor.

        Parameters
        ----------
        name : str
            Of a random tensor.
        words : str, int, Fraction or mapping
            ``law``, ``variance``, ``mean``, ``probability``, ``cumulants``, see
            `diagrams.tensors.Tensor`; those that are left out stay.

        Raises
        ------
        InvalidInputError
            If there is no such tensor, or the law is none.

        Examples
        --------
        >>> from expansion.models import cp
        >>> print(cp(order=4, symmetric=True).with_law("U", law="rademacher"))
        cp order=4 symmetric=true target=identity U=rademacher(sigma2)
        """
        found = [tensor for tensor in self.tensors if tensor.name == name and tensor.is_random]
        unknown = sorted({*words} - {"law", "variance", "mean", "probability", "cumulants"})
        if not found or unknown:
            random = ", ".join(tensor.name for tensor in self.tensors if tensor.is_random)
            what = f"law with {unknown[0]}" if unknown else f"tensor {shown(name)}"
            raise InvalidInputError(
                f"{what}: is not known to {self.family}; give law, variance, mean, probability or "
                f"cumulants of one of {random}"
            )
        (old,) = found
        new = replace(old, **words)

        def changed(networks: tuple[Network, ...]) -> tuple[Network, ...]:
            return tuple(
                replace(n, factors=tuple((new if t == old else t, at) for t, at in n.factors))
                for n in networks
            )

        return replace(
            self,
            model=changed(self.model),
            target=changed(self.target),
            observed=tuple(
                replace(loss, model=changed(loss.model), target=changed(loss.target))
                for loss in self.observed
            ),
            observables=tuple(
                replace(o, networks=changed(o.networks))
                if isinstance(o, Observable)
                else replace(o, tensors=tuple(new if t == old else t for t in o.tensors))
                if isinstance(o, Composed)
                else o
                for o in self.observables
            ),
            options=(*self.options, (name, str(new.entries))),
        )

    @property
    def model_square(self) -> DiagramSum:
        """D, the squared norm of the model."""
        return self.driving.model_square

    @property
    def overlap(self) -> DiagramSum:
        """R, the inner product of model and target."""
        return self.driving.overlap

    @property
    def target_square(self) -> DiagramSum:
        """The squared norm of the target."""
        return self.driving.target_square

    @property
    def loss(self) -> DiagramSum:
        """L = 1/2 D - R + 1/2 |F|^2, without the normalisation."""
        return self.driving.diagrams

    def with_target_amplitude(self, name: str) -> Problem:
        """The same problem with the target multiplied by a symbol.

        In its coefficients Y_s the power of the symbol counts the factors of the target. A part of
        the model without weights, as a frozen matrix that learnt ones are added to, is one of the
        target: the model without it is to learn the target less that part.

        Examples
        --------
        >>> from expansion.models import cp
        >>> from expansion.series import loss_series
        >>> print(loss_series(cp(order=2).with_target_amplitude("a"))[0])
        1/2*p*a**2 + 1/2*p**2*H*sigma2**2
        """
        amplitude = Axis(word(name, "amplitude"))
        if amplitude in self.axes or name in self.amplitude_symbols:
            raise InvalidInputError(
                f"amplitude {name!r}: is a symbol of {self.family} already; choose another"
            )
        marked = self.driving.with_target_amplitude(amplitude)
        return replace(
            self,
            model=marked.model,
            target=marked.target,
            observed=tuple(loss.with_target_amplitude(amplitude) for loss in self.observed),
        )

    def __repr__(self) -> str:
        return f"<Problem {self.title}>"

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """One line that names the problem and its options."""
        words = [
            f"{name}={str(value).lower() if isinstance(value, bool) else value}"
            for name, value in self.options
        ]
        words += [f"{name}={value}" for name, value in self.drive.words]
        return " ".join([self.family, *words])


@lru_cache(maxsize=64)
def _driven(problem: Problem) -> Driven:
    named = {term.name for term in problem.drive.terms(problem.quantities)} or {problem.loss_name}
    found = {name: problem.quantity(name) for name in problem.quantities if name in named}
    return driven(problem.drive, found, problem.weights)


@lru_cache(maxsize=64)
def _evaluated(problem: Problem, composed: Composed) -> Quantity:
    """An expression in the quantities of a problem, of composed ones in those before it."""
    known = [o.name for o in problem.observables if isinstance(o, Composed)]
    later = known[known.index(composed.name) :] if composed.name in known else []
    names = tuple(name for name in problem.quantities if name not in later)
    return evaluated(
        composed,
        problem,
        lambda name: problem.quantity(name) if name in names else None,
        names=names,
        symbols=(*problem.growing, *problem.amplitude_symbols),
    )


def _symbols(tensor: Tensor) -> tuple[str, ...]:
    """The symbols in the law of a tensor."""
    return tensor.entries.symbols if tensor.is_random else ()
