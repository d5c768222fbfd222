"""Axes and tensors: the vocabulary that diagrams are written in.

An *axis* is a named size, for instance ``p`` (input dimension), ``H`` (hidden size) or ``N``
(number of data points); a *pinned* axis has a fixed integer size instead of a symbol. A *tensor*
has a name, one axis for each of its slots and a kind:

- ``WEIGHT``: i.i.d. centred Gaussian entries at initialisation, learnable (merged over);
- ``GAUSSIAN``: i.i.d. centred Gaussian entries that never move (data, a teacher);
- ``STRUCTURAL``: a Kronecker delta, one where all its indices agree and zero elsewhere;
- ``PIN``: a fixed unit vector, one at the index 0 of its axis and zero elsewhere;
- ``MODULAR``: one where the last index is the sum of the others modulo the size of the axis, and
  zero elsewhere.

The variance of a Gaussian tensor is a symbol, or `UNIT_VARIANCE` if it is one, never another
number.

>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> W
Tensor(name='W', axes=(Axis(name='H'), Axis(name='p')), variance='sigma2')
>>> W.rank, W.is_random, W.is_learnable
(2, True, True)

Source: theory of the method in Yarotsky, Golikov, Gusev 2026, section 3; the vocabulary is ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from diagrams.errors import InvalidInputError

__all__ = ["UNIT_VARIANCE", "Axis", "Kind", "Tensor"]

UNIT_VARIANCE = "1"
"""The variance of a Gaussian tensor whose entries have variance one: no symbol is written."""

# A name may not end in a digit: in the text form of a diagram "H12" is node 12 on axis H.
_AXIS_NAME = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_]*[A-Za-z_])?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    """Whether a value is a text of some form, whatever it is."""
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_size(value: object) -> bool:
    return isinstance(value, int) and value >= 1


def _are_axes(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(axis, Axis) for axis in value)


class Kind(Enum):
    """What a tensor stands for: it decides whether its factors are merged and contracted."""

    WEIGHT = "weight"
    GAUSSIAN = "gaussian"
    STRUCTURAL = "structural"
    PIN = "pin"
    MODULAR = "modular"

    def __repr__(self) -> str:
        return f"Kind.{self.name}"


_FIXED = {
    Kind.STRUCTURAL: "a Kronecker delta",
    Kind.PIN: "a pin",
    Kind.MODULAR: "a modular sum",
}


@dataclass(frozen=True, slots=True, repr=False)
class Axis:
    """A named size over which nodes are summed.

    Parameters
    ----------
    name : str
        The symbol of the size; a letter or underscore first, no digit at the end.
    pinned : int, optional
        A fixed size of at least 1. Without it the size is the symbol ``name``.

    Raises
    ------
    InvalidInputError
        If the name cannot be a symbol or the pinned size is not positive.

    Examples
    --------
    >>> Axis("H"), Axis("first", pinned=1)
    (Axis(name='H'), Axis(name='first', pinned=1))
    """

    name: str
    pinned: int | None = None

    def __post_init__(self) -> None:
        if not _matches(_AXIS_NAME, self.name):
            raise InvalidInputError(
                f"axis name {self.name!r}: must be letters, digits and underscores, begin with a "
                "letter and not end in a digit; rename the axis"
            )
        if self.pinned is not None and not _is_size(self.pinned):
            raise InvalidInputError(
                f"axis {self.name}: pinned size {self.pinned} is not positive; give at least 1"
            )

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Axis(name={self.name!r}{'' if self.pinned is None else f', pinned={self.pinned}'})"

    @property
    def sort_key(self) -> tuple[str, int]:
        """Order of axes everywhere in the project: by name."""
        return self.name, self.pinned or 0


@dataclass(frozen=True, slots=True, repr=False)
class Tensor:
    """A tensor whose entries, evaluated at nodes, are the factors of diagrams.

    Parameters
    ----------
    name : str
        Identifies the tensor within a problem.
    axes : tuple of Axis
        One axis per slot, at least one.
    kind : Kind, default Kind.WEIGHT
        Learnable weight, fixed Gaussian tensor, or one of the tensors that are not random.
    variance : str or 1, optional
        Symbol of the variance of one entry, or the number 1, required for random tensors and
        forbidden for others.

    Raises
    ------
    InvalidInputError
        If a rule above is broken, or a tensor that is not random joins different axes.

    Examples
    --------
    >>> p = Axis("p")
    >>> Tensor.delta(p, rank=3).kind
    Kind.STRUCTURAL
    """

    name: str
    axes: tuple[Axis, ...]
    kind: Kind = Kind.WEIGHT
    variance: str = ""

    def __post_init__(self) -> None:
        if not _matches(_NAME, self.name):
            raise InvalidInputError(
                f"tensor name {self.name!r}: must be letters, digits and underscores and begin "
                "with a letter; rename the tensor"
            )
        if not self.axes:
            raise InvalidInputError(f"tensor {self.name}: has no slot; give at least one axis")
        if not _are_axes(self.axes):
            raise InvalidInputError(
                f"tensor {self.name}: its axes are not a tuple of Axis; give one Axis for each slot"
            )
        variance: object = self.variance
        if isinstance(variance, int) and variance == 1:  # as problem files have it
            variance = UNIT_VARIANCE
            object.__setattr__(self, "variance", variance)
        unit = variance == UNIT_VARIANCE
        if not isinstance(variance, str):
            raise InvalidInputError(
                f"tensor {self.name}: its variance is a symbol or 1, got {self.variance!r}; give "
                "one such as 'sigma2'"
            )
        if self.is_random and not (unit or _NAME.fullmatch(self.variance)):
            raise InvalidInputError(
                f"tensor {self.name}: a Gaussian tensor needs a variance symbol, "
                f"got {self.variance!r}; give one such as 'sigma2'"
            )
        if not self.is_random and (self.variance or len(set(self.axes)) > 1):
            raise InvalidInputError(
                f"tensor {self.name}: {_FIXED[self.kind]} has no variance and joins nodes of one "
                "axis; drop the variance and use the same axis in every slot"
            )
        if self.kind is Kind.MODULAR and self.axes[0].pinned is not None:
            raise InvalidInputError(
                f"tensor {self.name}: a modular sum is counted for sizes that are symbols but axis "
                f"{self.axes[0].name} is pinned; use an axis that grows"
            )
        if self.kind is Kind.PIN and self.rank != 1:
            raise InvalidInputError(
                f"tensor {self.name}: a pin is a vector but has {self.rank} slots; give it one axis"
            )

    def __hash__(self) -> int:
        # Names tell the tensors of a problem apart; equality still compares everything.
        return hash(self.name)

    def __repr__(self) -> str:
        kind = "" if self.kind is Kind.WEIGHT else f", kind={self.kind!r}"
        variance = f", variance={self.variance!r}" if self.variance else ""
        return f"Tensor(name={self.name!r}, axes={self.axes!r}{kind}{variance})"

    @classmethod
    def delta(cls, axis: Axis, rank: int = 2) -> Tensor:
        """The Kronecker delta on ``rank`` indices of one axis."""
        return cls("delta", (axis,) * rank, Kind.STRUCTURAL)

    @classmethod
    def pin(cls, axis: Axis) -> Tensor:
        """The unit vector along index 0 of an axis."""
        return cls(f"pin_{axis.name}", (axis,), Kind.PIN)

    @classmethod
    def modular_sum(cls, axis: Axis, rank: int = 3) -> Tensor:
        """One where the last of ``rank`` indices is the sum of the others modulo the size."""
        return cls(f"modular_sum_{axis.name}{rank}", (axis,) * rank, Kind.MODULAR)

    @property
    def rank(self) -> int:
        """Number of slots."""
        return len(self.axes)

    @property
    def is_random(self) -> bool:
        """Whether the expectation pairs factors of this tensor."""
        return self.kind in (Kind.WEIGHT, Kind.GAUSSIAN)

    @property
    def is_learnable(self) -> bool:
        """Whether merging differentiates with respect to this tensor."""
        return self.kind is Kind.WEIGHT

    @property
    def sort_key(self) -> tuple[str, tuple[tuple[str, int], ...], str, str]:
        """Order of tensors everywhere in the project: by name, then by the rest."""
        return self.name, tuple(a.sort_key for a in self.axes), self.kind.value, self.variance
