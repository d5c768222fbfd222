"""Axes and tensors: the vocabulary that diagrams are written in.

An *axis* is a named size, for instance ``p`` (input dimension), ``H`` (hidden size) or ``N``
(number of data points); a *pinned* axis has a fixed integer size instead of a symbol. A *tensor*
has a name, one axis for each of its slots and a kind:

- ``WEIGHT``: i.i.d. entries at initialisation, learnable (merged over);
- ``FIXED``: i.i.d. entries that never move (data, a teacher, a mask); its old name is ``GAUSSIAN``;
- ``DELTA``: a Kronecker delta, one where all its indices agree and zero elsewhere; its old name is
  ``STRUCTURAL``;
- ``PIN``: a fixed unit vector, one at the index 0 of its axis and zero elsewhere;
- ``MODULAR``: one where the last index is the sum of the others modulo the size of the axis, and
  zero elsewhere;
- ``ISOMETRY``: a matrix from an axis of size r to one of size at least r, one where both indices
  agree and zero elsewhere; its columns are the first r unit vectors;
- ``POWER``: a Kronecker delta times a power of the common index, counted from 1: the matrix
  diag(1, 2, ..., p) for two slots and the exponent 1.

The entries of a random tensor are Gaussian of mean zero unless another *law* is given
(`diagrams.laws`). The variance is a positive rational number times powers of symbols
(`diagrams.variances`); `UNIT_VARIANCE` if it is one.

A Gaussian tensor may be *symmetric*: all its slots lie on one axis and its entries do not change
when indices are permuted. With variance v, summed over the permutations of k slots,

    E S[i_1, ..., i_k] S[j_1, ..., j_k] = v * sum over permutations of delta(i, permuted j),

so an entry has variance v where all its indices differ; on the diagonal of a matrix it is 2 v (the
Gaussian orthogonal ensemble). A derivative with respect to a symmetric tensor is the *symmetric
part* of the matrix of derivatives by its entries, as if they were independent: the gradient on the
space of symmetric tensors with the metric sum over all entries of dS^2.

>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> W
Tensor(name='W', axes=(Axis(name='H'), Axis(name='p')), variance='sigma2')
>>> Tensor("V", (H, p), variance="2 / (3 * p)").variance
'2/(3*p)'
>>> W.rank, W.is_random, W.is_learnable
(2, True, True)
>>> Tensor("M", (p, p), "fixed", law="bernoulli", probability="q")
Tensor(name='M', axes=(Axis(name='p'), Axis(name='p')), kind=Kind.FIXED, law='bernoulli(q)')

Source: theory of the method in Yarotsky, Golikov, Gusev 2026, section 3; the vocabulary is ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from itertools import permutations

from diagrams.arguments import several, shown
from diagrams.errors import InvalidInputError
from diagrams.laws import Law
from diagrams.variances import UNIT_VARIANCE

__all__ = ["MAXIMAL_SYMMETRIC", "UNIT_VARIANCE", "Axis", "Kind", "Tensor"]

MAXIMAL_EXPONENT = 12
"""Highest power of an index in a power tensor."""

MAXIMAL_SYMMETRIC = 5
"""Most slots of a symmetric tensor: every pair is a sum over their permutations."""

# A name may not end in a digit: in the text form of a diagram "H12" is node 12 on axis H.
_AXIS_NAME = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_]*[A-Za-z_])?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Kind(Enum):
    """The kind of a tensor decides whether its factors are merged and contracted."""

    WEIGHT = "weight"
    FIXED = "fixed"
    GAUSSIAN = FIXED
    DELTA = "structural"
    STRUCTURAL = DELTA
    PIN = "pin"
    MODULAR = "modular"
    ISOMETRY = "isometry"
    POWER = "power"

    @classmethod
    def _missing_(cls, value: object) -> Kind | None:
        return cls.FIXED if value == "gaussian" else None

    def __repr__(self) -> str:
        return f"Kind.{self.name}"


_FIXED = {
    Kind.DELTA: "a Kronecker delta",
    Kind.PIN: "a pin",
    Kind.MODULAR: "a modular sum",
    Kind.ISOMETRY: "an isometry",
    Kind.POWER: "a power",
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
        if self.pinned is not None and not _is_integer(self.pinned):
            raise InvalidInputError(
                f"axis {self.name}: pinned size {shown(self.pinned)} is not an integer; give "
                "an integer of at least 1"
            )
        if self.pinned is not None and self.pinned < 1:
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
        Learnable weight, fixed random tensor, or one of the tensors that are not random; its
        value, such as ``"fixed"``, is understood too.
    variance : str, int or Fraction, optional
        Variance of one entry, forbidden for tensors that are not random: a symbol, a positive
        number, or a product of powers of them such as ``"1/H"``; kept in its canonical form, see
        `diagrams.variances`.
    symmetric : bool, default False
        Whether a Gaussian tensor is symmetric under all permutations of its slots.
    law : str, default "gaussian"
        What the entries are drawn from, see `diagrams.laws`.
    mean, probability : str, int or Fraction, optional
        Of the law.
    cumulants : mapping from int to str, optional
        Of a law that has no name; kept as sorted pairs.
    exponent : int, default 1
        Of a power tensor.

    Raises
    ------
    InvalidInputError
        If a rule above is broken, or a tensor that is neither random nor an isometry joins
        different axes.

    Examples
    --------
    >>> p = Axis("p")
    >>> Tensor.delta(p, rank=3).kind
    Kind.DELTA
    """

    name: str
    axes: tuple[Axis, ...]
    kind: Kind = Kind.WEIGHT
    variance: str = ""
    symmetric: bool = False
    law: str = "gaussian"
    mean: str = ""
    probability: str = ""
    cumulants: tuple[tuple[int, str], ...] = ()
    exponent: int = 1

    def __post_init__(self) -> None:
        if not _matches(_NAME, self.name):
            raise InvalidInputError(
                f"tensor name {self.name!r}: must be letters, digits and underscores and begin "
                "with a letter; rename the tensor"
            )
        object.__setattr__(self, "axes", self._read_axes())
        object.__setattr__(self, "kind", self._read_kind())
        if self.is_random:
            law = self._read_law()
            for name in ("variance", "mean", "probability", "cumulants"):
                object.__setattr__(self, name, getattr(law, name))
            object.__setattr__(self, "law", law.name)
        elif (self.law, self.mean, self.probability) != ("gaussian", "", "") or self.cumulants:
            raise InvalidInputError(
                f"tensor {self.name}: {_FIXED[self.kind]} is not random and has no law; leave out "
                "law, mean, probability and cumulants"
            )
        if self.kind is Kind.ISOMETRY:
            self._check_isometry()
        elif not self.is_random and (self.variance != "" or len(set(self.axes)) > 1):
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
        self._check_exponent()
        self._check_symmetry()

    def _check_exponent(self) -> None:
        if not _is_integer(self.exponent) or not 1 <= self.exponent <= MAXIMAL_EXPONENT:
            raise InvalidInputError(
                f"tensor {self.name}: exponent {shown(self.exponent)} is not an integer between 1 "
                f"and {MAXIMAL_EXPONENT}; give one"
            )
        if self.exponent != 1 and self.kind is not Kind.POWER:
            raise InvalidInputError(
                f"tensor {self.name}: only a tensor of kind power has an exponent; leave it out"
            )

    def _read_axes(self) -> tuple[Axis, ...]:
        axes = several(self.axes, Axis, f"tensor {self.name}: axes")
        if not axes:
            raise InvalidInputError(f"tensor {self.name}: has no slot; give at least one axis")
        return axes

    def _read_kind(self) -> Kind:
        try:
            return Kind(self.kind)
        except ValueError:
            raise InvalidInputError(
                f"tensor {self.name}: {shown(self.kind)} is no kind; give one of "
                f"{', '.join(kind.value for kind in Kind)}"
            ) from None

    def _read_law(self) -> Law:
        try:
            return Law.of(
                self.law,
                variance=self.variance,
                mean=self.mean,
                probability=self.probability,
                cumulants=self.cumulants,
            )
        except InvalidInputError as error:
            raise InvalidInputError(f"tensor {self.name}: {error}") from None

    def _check_isometry(self) -> None:
        if self.variance != "" or self.rank != 2 or self.axes[0] == self.axes[1]:
            raise InvalidInputError(
                f"tensor {self.name}: an isometry has no variance and two different axes, of which "
                "the second is the smaller one; use a Kronecker delta on equal axes"
            )
        larger, smaller = self.axes
        if larger.pinned is not None and (smaller.pinned or larger.pinned + 1) > larger.pinned:
            raise InvalidInputError(
                f"tensor {self.name}: an isometry from axis {smaller.name} to axis {larger.name} "
                f"of size {larger.pinned} needs {smaller.name} to be pinned and no larger; "
                "exchange the axes or pin it"
            )

    def _check_symmetry(self) -> None:
        symmetric: object = self.symmetric
        if not isinstance(symmetric, bool):
            raise InvalidInputError(
                f"tensor {self.name}: symmetric is {shown(self.symmetric)}; give True or False"
            )
        if not self.symmetric:
            return
        wick = self.is_random and self.entries.is_wick
        if not wick or self.rank < 2 or len(set(self.axes)) > 1:
            raise InvalidInputError(
                f"tensor {self.name}: a symmetric tensor is Gaussian of mean zero and has two "
                "slots or more, all on one axis; change its axes or leave out symmetric"
            )
        if self.rank > MAXIMAL_SYMMETRIC:
            raise InvalidInputError(
                f"tensor {self.name}: a symmetric tensor has at most {MAXIMAL_SYMMETRIC} slots; "
                "give it fewer"
            )

    def __hash__(self) -> int:
        # Names distinguish the tensors of a problem; equality still compares everything.
        return hash(self.name)

    def __repr__(self) -> str:
        kind = "" if self.kind is Kind.WEIGHT else f", kind={self.kind!r}"
        variance = f", variance={self.variance!r}" if self.variance else ""
        symmetric = ", symmetric=True" if self.symmetric else ""
        if self.is_random and not self.entries.is_wick:
            variance = f", law={str(self.entries)!r}"
        exponent = f", exponent={self.exponent}" if self.kind is Kind.POWER else ""
        rest = f"{kind}{variance}{symmetric}{exponent}"
        return f"Tensor(name={self.name!r}, axes={self.axes!r}{rest})"

    @classmethod
    def delta(cls, axis: Axis, rank: int = 2) -> Tensor:
        """The Kronecker delta on ``rank`` indices of one axis."""
        return cls("delta", (axis,) * rank, Kind.DELTA)

    @classmethod
    def pin(cls, axis: Axis) -> Tensor:
        """The unit vector along index 0 of an axis."""
        return cls(f"pin_{axis.name}", (axis,), Kind.PIN)

    @classmethod
    def modular_sum(cls, axis: Axis, rank: int = 3) -> Tensor:
        """One where the last of ``rank`` indices is the sum of the others modulo the size."""
        return cls(f"modular_sum_{axis.name}{rank}", (axis,) * rank, Kind.MODULAR)

    @classmethod
    def isometry(cls, larger: Axis, smaller: Axis) -> Tensor:
        """One where both indices agree, from the smaller axis to the larger one."""
        return cls(f"isometry_{larger.name}_{smaller.name}", (larger, smaller), Kind.ISOMETRY)

    @classmethod
    def index(cls, axis: Axis) -> Tensor:
        """The vector 1, 2, 3, ... of the indices of an axis."""
        return cls(f"index_{axis.name}", (axis,), Kind.POWER)

    @property
    def rank(self) -> int:
        """Number of slots."""
        return len(self.axes)

    @property
    def is_random(self) -> bool:
        """Whether the expectation is taken over this tensor."""
        return self.kind in (Kind.WEIGHT, Kind.FIXED)

    @property
    def entries(self) -> Law:
        """The law of the entries of a random tensor.

        Examples
        --------
        >>> Tensor("W", (Axis("H"),), variance="sigma2", law="uniform", mean="mu").entries.symbols
        ('mu', 'sigma2')
        """
        return _law(self.law, self.variance, self.mean, self.probability, self.cumulants)

    @property
    def is_learnable(self) -> bool:
        """Whether merging differentiates with respect to this tensor."""
        return self.kind is Kind.WEIGHT

    @property
    def is_idempotent(self) -> bool:
        """Whether it is a mask: fixed entries that are their own squares, zeros and ones.

        Not so the tensors with two underscores that stand for weights (`diagrams.rewriting`).
        """
        return self.law == "bernoulli" and self.kind is Kind.FIXED and "__" not in self.name

    @property
    def orders(self) -> tuple[tuple[int, ...], ...]:
        """The orders of the slots in which two of its factors are identified.

        One for a tensor without symmetry, all permutations for a symmetric one. A pair of factors
        contributes its variance times the sum over them; a merger is their mean.

        Examples
        --------
        >>> p = Axis("p")
        >>> Tensor("S", (p, p), variance="sigma2", symmetric=True).orders
        ((0, 1), (1, 0))
        """
        return _orders(self.rank) if self.symmetric else (tuple(range(self.rank)),)

    def arranged(self, at: tuple[int, ...]) -> tuple[int, ...]:
        """The nodes in the slots of a factor, in order if the tensor is symmetric."""
        return tuple(sorted(at)) if self.symmetric else at

    @property
    def sort_key(self) -> tuple[str, tuple[tuple[str, int], ...], str, str, bool, int]:
        """Order of tensors everywhere in the project: by name, then by the rest."""
        return _sort_key(self)


@lru_cache(maxsize=4096)
def _sort_key(tensor: Tensor) -> tuple[str, tuple[tuple[str, int], ...], str, str, bool, int]:
    # A problem has few tensors, and they are compared whenever diagrams are.
    axes = tuple(a.sort_key for a in tensor.axes)
    law = str(tensor.entries) if tensor.is_random else ""
    return tensor.name, axes, tensor.kind.value, law, tensor.symmetric, tensor.exponent


def _matches(pattern: re.Pattern[str], name: object) -> bool:
    return isinstance(name, str) and pattern.fullmatch(name) is not None


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@lru_cache(maxsize=1024)
def _law(
    name: str,
    variance: str,
    mean: str,
    probability: str,
    cumulants: tuple[tuple[int, str], ...],
) -> Law:
    return Law(name, variance, mean, probability, cumulants)


@cache
def _orders(rank: int) -> tuple[tuple[int, ...], ...]:
    return tuple(permutations(range(rank)))
