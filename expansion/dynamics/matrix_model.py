r"""Matrix models: hierarchies of words as the flow of a few large matrices.

The cores of a hierarchy of words are traces of products of matrices. Where no rule closes them, the
matrices themselves still move by a few terms,

    dM/dτ  =  - r_M dP/dM,        P = Σ coefficient · products of traces,

and at leading order, when all axes of the words grow alike, they are free: means of traces are sums
over pairings without crossings. Where they do not, the same holds in the limit of sizes that differ
more and more. `pde.systems.free_matrices` solves such a flow, and
`pde.systems.singular_values` that of one matrix. Under inertia the matrices have velocities w, at
rest at first,

    dM/dτ  =  n w,        dw/dτ  =  - n γ w - r_M dP/dM,

with the speed n of `expansion.drive.inertial`; friction is left out where it is negligible.

>>> from expansion.dynamics.derivation import derive
>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> model = matrix_model(derive(regimes(cp(order=2), terms=4), "A-B"))
>>> print(model)
P = (1/2) tr(U1 U1ᵀ U2 U2ᵀ)
>>> [(str(matrix.tensor.name), str(matrix.variance), str(matrix.rate)) for matrix in model.matrices]
[('U1', 'sigma2', '1'), ('U2', 'sigma2', '1')]

Source: G. 't Hooft, Nucl. Phys. B 72 (1974) 461, for the pairings; as a kind of hierarchy, ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import ceil, lcm, log2

from diagrams.diagram import Diagram
from diagrams.generator import Amplitude, is_velocity
from diagrams.tensors import Axis, Tensor
from diagrams.wick import monomial
from expansion.drive import Driven
from expansion.dynamics.derivation import EffectiveDynamics
from expansion.dynamics.hierarchy import CoreTerm
from expansion.dynamics.scales import Scaling
from expansion.dynamics.trace_words import are_words, axis_orders, named, trace_letters
from expansion.polynomial import Polynomial

__all__ = [
    "DEPTH",
    "Depth",
    "Inertia",
    "Letter",
    "Matrix",
    "MatrixModel",
    "TraceTerm",
    "Word",
    "matrix_model",
    "speed_of",
]

DEPTH = 1e10
"""By how much the sizes of unlike axes are made to differ, see `Depth`."""

Letter = tuple[int, bool]
"""The number of a matrix, and whether it is transposed."""

Word = tuple[Letter, ...]
"""A product of matrices, of which the trace is taken."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix with independent Gaussian entries at time zero.

    Parameters
    ----------
    tensor : Tensor
        Its first axis numbers the rows.
    variance : Polynomial
        Of an entry.
    rate : Polynomial
        How fast it moves, with the normalisation of the potential; zero if it is fixed.
    """

    tensor: Tensor
    variance: Polynomial
    rate: Polynomial

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Those of the rows and of the columns."""
        rows, columns = self.tensor.axes
        return rows, columns


@dataclass(frozen=True, slots=True)
class TraceTerm:
    """A coefficient times a product of traces.

    Parameters
    ----------
    coefficient : Polynomial
    words : tuple of Word
        Repeated for powers.
    """

    coefficient: Polynomial
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Inertia:
    """How velocities move the matrices, and how they are damped.

    Parameters
    ----------
    speed, damping : Polynomial
        n and n γ; the second is zero where friction is negligible.
    """

    speed: Polynomial
    damping: Polynomial


@dataclass(frozen=True, slots=True)
class Depth:
    """How numbers are moved into a regime whose axes do not grow alike.

    Along the scaling of the regime nothing changes but units, and what does not lead falls. At
    numbers moved by so much that the sizes differ by a factor of `DEPTH`, means are leading ones.

    Parameters
    ----------
    exponents : tuple of (str, int)
        By how many powers of two a symbol is moved.
    time, output : int
        The same of the natural T and of what is followed.
    """

    exponents: tuple[tuple[str, int], ...]
    time: int
    output: int

    def moved(self, numbers: Mapping[str, Fraction]) -> dict[str, Fraction]:
        """Numbers deep in the regime.

        Examples
        --------
        >>> depth = Depth((("p", 1), ("sigma2", -1)), time=0, output=1)
        >>> depth.moved({"p": Fraction(3), "sigma2": Fraction(1, 3), "T": Fraction(1)})
        {'p': Fraction(6, 1), 'sigma2': Fraction(1, 6), 'T': Fraction(1, 1)}
        """
        powers = dict(self.exponents)
        return {name: value * Fraction(2) ** powers.get(name, 0) for name, value in numbers.items()}


@dataclass(frozen=True)
class MatrixModel:
    """The flow of matrices by a potential of traces.

    Parameters
    ----------
    matrices : tuple of Matrix
    potential, output : tuple of TraceTerm
        What moves the matrices, and what is followed.
    inertia : Inertia, optional
        Without it the potential gives the velocities.
    orders : tuple of (str, Fraction), default ()
        How the sizes of the axes grow, where they do not grow alike.
    depth : Depth, optional
        The same of all numbers.
    """

    matrices: tuple[Matrix, ...]
    potential: tuple[TraceTerm, ...]
    output: tuple[TraceTerm, ...]
    inertia: Inertia | None = None
    orders: tuple[tuple[str, Fraction], ...] = ()
    depth: Depth | None = None

    def __str__(self) -> str:
        return "P = " + (" + ".join(map(self._text, self.potential)) or "0")

    def _text(self, term: TraceTerm) -> str:
        traces = (
            "tr(" + " ".join(self._name(letter) for letter in word) + ")" for word in term.words
        )
        return " ".join([f"({term.coefficient})", *traces])

    def _name(self, letter: Letter) -> str:
        number, transposed = letter
        return self.matrices[number].tensor.name + "ᵀ" * transposed

    @property
    def latex(self) -> str:
        """The potential."""
        return "P = " + (" + ".join(map(self._latex, self.potential)) or "0")

    def _latex(self, term: TraceTerm) -> str:
        traces = []
        for word in term.words:
            letters = (
                rf"\mathrm{{{self.matrices[number].tensor.name}}}" + r"^{\top}" * transposed
                for number, transposed in word
            )
            traces.append(r"\operatorname{tr}(" + r"\,".join(letters).replace("_", r"\_") + ")")
        return " ".join([rf"\left({term.coefficient.latex()}\right)", *traces])

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of all matrices, sorted by name."""
        found = {axis for matrix in self.matrices for axis in matrix.axes}
        return tuple(sorted(found, key=lambda axis: axis.name))

    @cached_property
    def ends(self) -> tuple[tuple[str, str], ...]:
        """The spaces of the rows and of the columns of every matrix.

        Two axes of one size are different spaces where no product of the model needs them to be
        one: then there are fewer words.

        Examples
        --------
        >>> from expansion.dynamics.derivation import derive
        >>> from expansion.models import deep_linear
        >>> from expansion.regimes import regimes
        >>> matrix_model(derive(regimes(deep_linear(3), terms=4), "V1-V4")).ends
        (('H', 'p'), ('H', "H'"), ("H'", 'p'))
        """
        joined = _Joined()
        for number, matrix in enumerate(self.matrices):
            if matrix.tensor.symmetric:
                joined.join((number, False), (number, True))
        for term in (*self.potential, *self.output):
            for word in term.words:
                for (one, turned), (other, swapped) in zip(word, word[1:] + word[:1], strict=True):
                    # The columns of a factor are the rows of the next one.
                    joined.join((one, not turned), (other, swapped))
        names: dict[tuple[int, bool], str] = {}
        for number, matrix in enumerate(self.matrices):
            for is_columns, axis in enumerate(matrix.axes):
                place = joined.first((number, bool(is_columns)))
                if place not in names:
                    name = axis.name
                    while name in names.values():
                        name += "'"
                    names[place] = name
        return tuple(
            (names[joined.first((number, False))], names[joined.first((number, True))])
            for number in range(len(self.matrices))
        )

    @cached_property
    def spaces(self) -> dict[str, str]:
        """The axis that gives each space its size."""
        return {
            name: axis.name
            for matrix, names in zip(self.matrices, self.ends, strict=True)
            for name, axis in zip(names, matrix.axes, strict=True)
        }

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of coefficients, variances and rates, and the sizes, sorted."""
        terms = (*self.potential, *self.output)
        polynomials = [term.coefficient for term in terms]
        for matrix in self.matrices:
            polynomials += [matrix.variance, matrix.rate]
        if self.inertia is not None:
            polynomials += [self.inertia.speed, self.inertia.damping]
        names = {name for polynomial in polynomials for name in polynomial.symbols}
        return tuple(sorted(names | {axis.name for axis in self.axes}))


class _Joined:
    """Sides of matrices, rows or columns, that are one space."""

    def __init__(self) -> None:
        self._next: dict[tuple[int, bool], tuple[int, bool]] = {}

    def first(self, side: tuple[int, bool]) -> tuple[int, bool]:
        """The side that stands for a space."""
        while side in self._next:
            side = self._next[side]
        return side

    def join(self, one: tuple[int, bool], other: tuple[int, bool]) -> None:
        """Make two sides one space; the first in order stands for both."""
        low, high = sorted((self.first(one), self.first(other)))
        if low != high:
            self._next[high] = low


def matrix_model(dynamics: EffectiveDynamics) -> MatrixModel | None:
    """The matrix model behind the effective dynamics of a regime.

    Returns
    -------
    MatrixModel or None
        None if a core is no trace of Gaussian matrices, or if something else than a potential
        moves them.
    """
    driven = dynamics.problem.dynamics
    generator = driven.generator
    terms = (*dynamics.potential, *dynamics.output)
    cores = {core for term in terms for core in term.cores}
    moving = [term for term in dynamics.potential if term.cores]
    scaling = dynamics.scales.scaling
    if not moving or generator.temperature is not None or not are_words(cores, scaling):
        return None
    tensors = sorted({t for core in cores for t in core.tensors}, key=lambda t: t.sort_key)
    if any(is_velocity(t) or (t.symmetric and t.is_learnable) for t in tensors):
        return None
    number = {tensor: place for place, tensor in enumerate(tensors)}
    matrices = []
    for tensor in tensors:
        speed = speed_of(driven, tensor) if tensor.is_learnable else Polynomial()
        matrices.append(Matrix(tensor, named(tensor.variance), speed))

    def traces(terms: Sequence[CoreTerm]) -> tuple[TraceTerm, ...]:
        return tuple(
            TraceTerm(term.coefficient, tuple(_word(core, number) for core in term.cores))
            for term in terms
        )

    alike = len(axis_orders(cores, scaling)) == 1
    return MatrixModel(
        tuple(matrices),
        traces(moving),
        traces(dynamics.output),
        _inertia(dynamics),
        () if alike else tuple(_orders(cores, scaling)),
        None if alike else _depth(dynamics, axis_orders(cores, scaling)),
    )


def _orders(cores: set[Diagram], scaling: Scaling) -> Iterator[tuple[str, Fraction]]:
    """The axes of some cores and how their sizes grow."""
    for name in sorted({axis.name for core in cores for axis in core.nodes}):
        yield name, scaling.order(monomial({name: 1}))


def _depth(dynamics: EffectiveDynamics, orders: set[Fraction]) -> Depth:
    """How far numbers are moved along the scaling of a regime."""
    exponents = dynamics.scales.scaling.exponents
    found = sorted(orders)
    gap = min(second - first for first, second in pairwise(found))
    whole = lcm(
        dynamics.time.denominator,
        dynamics.order.denominator,
        *(value.denominator for value in exponents.values()),
    )
    powers = whole * ceil(Fraction(log2(DEPTH)) / gap / whole)
    return Depth(
        tuple((name, int(value * powers)) for name, value in sorted(exponents.items())),
        int(dynamics.time * powers),
        int(dynamics.order * powers),
    )


def speed_of(driven: Driven, tensor: Tensor) -> Polynomial:
    """The rate of a matrix that moves, with the normalisation of what drives it."""
    return _amplitude(driven.generator.rate(tensor)) * Polynomial({driven.normalisation: 1})


def _amplitude(amplitude: Amplitude) -> Polynomial:
    powers = monomial(Counter(axis.name for axis in amplitude.symbols))
    return Polynomial({powers: amplitude.number})


def _inertia(dynamics: EffectiveDynamics) -> Inertia | None:
    """That of a heavy ball; friction counts if it acts within the natural time."""
    driven = dynamics.problem.dynamics
    friction, scaling = driven.generator.friction, dynamics.scales.scaling
    if friction is None:
        return None
    speed = Polynomial({driven.normalisation: 1})
    rate = _amplitude(friction)
    acts = scaling.top(dict(rate)) == scaling.time
    return Inertia(speed, speed * rate if acts else Polynomial())


def _word(core: Diagram, number: dict[Tensor, int]) -> Word:
    return tuple((number[tensor], transposed) for tensor, transposed in trace_letters(core))
