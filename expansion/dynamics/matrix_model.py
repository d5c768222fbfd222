r"""Matrix models: hierarchies of words as the flow of a few large matrices.

The cores of a hierarchy of words are traces of products of matrices. Where no rule closes them, the
matrices themselves still move by a few terms,

    dM/dτ  =  - r_M dP/dM,        P = Σ coefficient · products of traces,

and at leading order, when all axes of the words grow alike, they are free: means of traces are sums
over pairings without crossings. `pde.systems.free_matrices` solves such a flow, and
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from diagrams.diagram import Diagram
from diagrams.generator import is_velocity
from diagrams.laws import evaluated
from diagrams.tensors import Axis, Tensor
from diagrams.wick import monomial
from expansion.dynamics.derivation import EffectiveDynamics
from expansion.dynamics.hierarchy import CoreTerm
from expansion.polynomial import Polynomial

__all__ = [
    "Inertia",
    "Letter",
    "Matrix",
    "MatrixModel",
    "TraceTerm",
    "Word",
    "is_trace",
    "matrix_model",
    "trace_letters",
]

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
class MatrixModel:
    """The flow of matrices by a potential of traces.

    Parameters
    ----------
    matrices : tuple of Matrix
    potential, output : tuple of TraceTerm
        What moves the matrices, and what is followed.
    inertia : Inertia, optional
        Without it the potential gives the velocities.
    """

    matrices: tuple[Matrix, ...]
    potential: tuple[TraceTerm, ...]
    output: tuple[TraceTerm, ...]
    inertia: Inertia | None = None

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


def matrix_model(dynamics: EffectiveDynamics) -> MatrixModel | None:
    """The matrix model behind the effective dynamics of a regime.

    Returns
    -------
    MatrixModel or None
        None if a core is no trace of Gaussian matrices, if something else than a potential moves
        them, or if the axes do not grow alike.
    """
    driven = dynamics.problem.dynamics
    generator = driven.generator
    terms = (*dynamics.potential, *dynamics.output)
    cores = {core for term in terms for core in term.cores}
    moving = [term for term in dynamics.potential if term.cores]
    if not moving or not all(map(is_trace, cores)):
        return None
    if generator.temperature is not None:
        return None
    axes = {axis for core in cores for axis in core.nodes}
    if any(axis.pinned is not None for axis in axes):
        return None
    growth = {dynamics.scales.scaling.order(monomial({axis.name: 1})) for axis in axes}
    if len(growth) != 1 or not min(growth) > 0:
        return None
    tensors = sorted({t for core in cores for t in core.tensors}, key=lambda t: t.sort_key)
    if any(is_velocity(t) or (t.symmetric and t.is_learnable) for t in tensors):
        return None
    number = {tensor: place for place, tensor in enumerate(tensors)}
    matrices = []
    for tensor in tensors:
        rate = generator.rate(tensor)
        speed = Polynomial({monomial(Counter(axis.name for axis in rate.symbols)): rate.number})
        speed *= Polynomial({driven.normalisation: 1})
        matrices.append(
            Matrix(
                tensor,
                Polynomial(evaluated({monomial({tensor.variance: 1}): Fraction(1)})),
                speed if tensor.is_learnable else Polynomial(),
            )
        )

    def traces(terms: Sequence[CoreTerm]) -> tuple[TraceTerm, ...]:
        return tuple(
            TraceTerm(term.coefficient, tuple(_word(core, number) for core in term.cores))
            for term in terms
        )

    return MatrixModel(tuple(matrices), traces(moving), traces(dynamics.output), _inertia(dynamics))


def _inertia(dynamics: EffectiveDynamics) -> Inertia | None:
    """That of a heavy ball; friction counts if it acts within the natural time."""
    driven = dynamics.problem.dynamics
    friction, scaling = driven.generator.friction, dynamics.scales.scaling
    if friction is None:
        return None
    speed = Polynomial({driven.normalisation: 1})
    symbols = monomial(Counter(axis.name for axis in friction.symbols))
    acts = scaling.order(symbols) == scaling.time
    return Inertia(speed, speed * Polynomial({symbols: friction.number}) if acts else Polynomial())


def is_trace(core: Diagram) -> bool:
    """Whether a core is the trace of a product of Gaussian matrices."""
    return set(core.degrees) == {2} and all(
        t.is_random and t.entries.is_wick and t.rank == 2 for t in core.tensors
    )


def trace_letters(core: Diagram) -> tuple[tuple[Tensor, bool], ...]:
    """The matrices along the circle of a connected core, and whether they are transposed."""
    return tuple(_walk(core))


def _word(core: Diagram, number: dict[Tensor, int]) -> Word:
    return tuple((number[tensor], transposed) for tensor, transposed in trace_letters(core))


def _walk(core: Diagram) -> Iterator[tuple[Tensor, bool]]:
    left = dict(enumerate(core.factors))
    node = core.factors[0][1][0]
    while left:
        place, (tensor, at) = next(item for item in left.items() if node in item[1][1])
        del left[place]
        yield tensor, at[0] != node
        node = at[1] if at[0] == node else at[0]
