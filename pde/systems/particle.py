"""The particle of a `SiteProblem` at numbers, on the nodes of a quadrature, as a flow.

In units of the standard deviations, û_c = u_c/σ_c and ẑ_m = E[û^m], a potential with the terms
K Π ẑ_m^k moves the particle by

    dû_c/dτ = - r_c/(w σ_c²) Σ_m m_c û^{m - e_c} ∂V/∂ẑ_m ,

with r_c the rate of the colour; a squared length, in units of its first value a_c, moves by

    dû_c/dτ = - 4 r_c/(w a_c) Σ_m m_c û^m ∂V/∂ẑ_m ,

in which all numbers are of moderate size once the time is. The
nodes move together: their Taylor coefficients are arrays, those of the moments and of the forces
single numbers.

>>> from fractions import Fraction
>>> from expansion.polynomial import Polynomial
>>> from pde.systems.site import SiteProblem
>>> p = Polynomial.parse
>>> free = SiteProblem.from_potential(p("1/2*z2**2"), weight=p("1"), variances=(p("sigma2"),))
>>> flow = ParticleFlow(free.at({"sigma2": Fraction(1, 4)}), coarse=False)
>>> flow.expand(flow.start, 2, 1 / flow.unit)[1].round(6).tolist()
[0.03125, -0.0625, 0.09375]

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import prod

import mpmath
import numpy as np
from numpy.typing import NDArray

from diagrams.errors import CapacityError
from pde.moments.hierarchy import ContractedLoss, Multiplicity
from pde.systems.dimensions import Powers
from pde.systems.exact import products
from pde.systems.site import SiteNumbers
from pde.systems.slopes import BlockSlopes

__all__ = ["ParticleFlow", "folded"]

FloatArray = NDArray[np.float64]

_Weighted = tuple[mpmath.mpf, Powers]
"""A coefficient and a monomial in the moments."""


def _powers(m: Multiplicity) -> Powers:
    return tuple((c, k) for c, k in enumerate(m) if k)


def _scaled(
    numbers: SiteNumbers, polynomial: ContractedLoss, moments: Sequence[Multiplicity]
) -> list[_Weighted]:
    """The terms of a polynomial in the moments, with their sizes in the coefficients."""
    place = {m: i for i, m in enumerate(moments)}
    return [
        (
            _size(numbers, term.moments) * _mpf(term.coefficient),
            tuple((place[m], k) for m, k in term.moments),
        )
        for term in polynomial.terms
    ]


def _forces(
    numbers: SiteNumbers, moments: Sequence[Multiplicity], terms: Sequence[_Weighted]
) -> tuple[list[list[_Weighted]], list[tuple[int, int, int, Multiplicity]]]:
    """Rows of forces, one for every moment and colour, equal ones once; and where they pull."""
    loss = numbers.loss
    rows: dict[tuple[int, ...], int] = {}
    forces: list[list[_Weighted]] = []
    pulls: list[tuple[int, int, int, Multiplicity]] = []
    for i, m in enumerate(moments):
        for c, k in enumerate(m):
            acting = tuple(
                n
                for n, term in enumerate(loss.terms)
                if m in dict(term.moments) and (term.moments, m, c) not in numbers.still
            )
            if not k or not acting:
                continue
            if (i, *acting) not in rows:
                rows[i, *acting] = len(forces)
                forces.append(_derivative([terms[n] for n in acting], i))
            lowered = m if numbers.lengths[c] else _less(m, c)
            pulls.append((rows[i, *acting], c, k, lowered))
    return forces, pulls


class ParticleFlow:
    """A `pde.systems.flows.Flow`; its state is û of all colours at all nodes.

    Parameters
    ----------
    numbers : SiteNumbers
    coarse : bool
        Whether to use the coarser quadrature.

    Raises
    ------
    CapacityError
        If there are too many colours, or a number is beyond double precision.
    """

    def __init__(self, numbers: SiteNumbers, *, coarse: bool) -> None:
        loss = numbers.loss
        self._colours = loss.colours
        self._moments = tuple(sorted({*loss.moments, *numbers.output.moments}))
        self._lengths = numbers.lengths
        entries = self._lengths.count(False)
        nodes, self._weights = np.ones((0, 1)), np.ones(1)
        if entries:
            nodes, self._weights = numbers.law.rule(entries, coarse=coarse)
        nodes = _with_lengths(nodes, self._lengths)
        if entries:
            nodes, self._weights = folded(nodes, self._weights, self._moments, self._lengths)
        self._shape = nodes.shape
        self.start: FloatArray = nodes.ravel()
        self.is_large = self.start.size > BlockSlopes.LARGEST
        terms = _scaled(numbers, loss, self._moments)
        forces, self._pulls = _forces(numbers, self._moments, terms)
        # Of a colour that stands still it is zero.
        paces = [
            _mpf(rate) * (4 if is_length else 1) / (_mpf(numbers.weight) * _mpf(variance))
            for variance, rate, is_length in zip(
                numbers.variances, numbers.rates, numbers.lengths, strict=True
            )
        ]
        fastest = max(
            (abs(K) * k * paces[c] for row, c, k, _ in self._pulls for K, _ in forces[row]),
            default=mpmath.mpf(1),
        )
        time = 1 / fastest if fastest else mpmath.mpf(1)
        self.unit = _float(time)
        first = next((pace for pace in paces if pace), mpmath.mpf(1))
        self._mobility = [_float(pace / first) for pace in paces]
        force = time * first
        self._forces = [[(_float(K * force), powers) for K, powers in row] for row in forces]
        number = _mpf(numbers.number)
        output = _scaled(numbers, numbers.output, self._moments)
        self._output = [(_float(K * number), powers) for K, powers in output]
        self._offset = _float(_mpf(numbers.constant))
        self._plan()

    def _plan(self) -> None:
        wanted = [_powers(m) for m in self._moments]
        wanted += [_powers(lowered) for _, _, _, lowered in self._pulls]
        self._products = products(self._colours, wanted)
        scalars = [powers for row in (*self._forces, self._output) for _, powers in row]
        self._scalars = products(len(self._moments), scalars)
        self._drifts = [
            (row, c, k * self._mobility[c], self._products.places.get(_powers(lowered)))
            for row, c, k, lowered in self._pulls
        ]

    def expand(self, state: FloatArray, order: int, step: float) -> tuple[FloatArray, FloatArray]:
        """Taylor coefficients around a state, of the state and of the output."""
        colours, nodes = self._shape
        plan, scalars = self._products, self._scalars
        width = len(self._moments)
        u = np.zeros((colours + len(plan.pairs), order + 1, nodes))
        z = np.zeros((width + len(scalars.pairs), order + 1))
        force = np.zeros((len(self._forces), order + 1))
        output = np.zeros(order + 1)
        u[:colours, 0] = state.reshape(self._shape)
        averaged = [plan.places[_powers(m)] for m in self._moments]
        for n in range(order + 1):
            for place, (one, other) in enumerate(plan.pairs, colours):
                u[place, n] = np.einsum("ij,ij->j", u[one, : n + 1], u[other, n::-1])
            z[:width, n] = u[averaged, n] @ self._weights
            for place, (one, other) in enumerate(scalars.pairs, width):
                z[place, n] = z[one, : n + 1] @ z[other, n::-1]
            for i, terms in enumerate(self._forces):
                force[i, n] = self._value(terms, z, n)
            output[n] = self._value(self._output, z, n)
            if n < order:
                for row, c, pace, factor in self._drifts:
                    slope = (
                        force[row, n] if factor is None else force[row, n::-1] @ u[factor, : n + 1]
                    )
                    u[c, n + 1] -= (pace * step / (n + 1)) * slope
        output[0] += self._offset
        states = u[:colours].transpose(1, 0, 2).reshape(order + 1, colours * nodes)
        return states, output

    def _value(self, row: Sequence[tuple[float, Powers]], z: FloatArray, n: int) -> float:
        total = 0.0
        for coefficient, powers in row:
            if powers:
                total += coefficient * z[self._scalars.places[powers], n]
            elif n == 0:
                total += coefficient
        return total

    def slopes(self, state: FloatArray) -> BlockSlopes:
        """Derivatives of the rates: a node feels itself, and all nodes by their moments."""
        colours, nodes = self._shape
        u = state.reshape(self._shape)
        z = [float(self._weights @ _monomial(u, m)) for m in self._moments]
        forces = [_polynomial(row, z) for row in self._forces]
        width = len(self._moments)
        blocks = np.zeros((nodes, colours, colours))
        left = np.zeros((colours, nodes, width))
        right = np.zeros((width, colours, nodes))
        for i, m in enumerate(self._moments):
            for c, k in enumerate(m):
                if k:
                    right[i, c] = k * self._weights * _monomial(u, _less(m, c))
        stiffness = [
            [_polynomial(_derivative(row, other), z) for other in range(width)]
            for row in self._forces
        ]
        for row, c, k, lowered in self._pulls:
            rate = -k * self._mobility[c]
            for d, j in enumerate(lowered):
                if j:
                    blocks[:, c, d] += rate * forces[row] * j * _monomial(u, _less(lowered, d))
            for other, value in enumerate(stiffness[row]):
                if value:
                    left[c, :, other] += rate * value * _monomial(u, lowered)
        return BlockSlopes(
            blocks, left.reshape(state.size, width), right.reshape(width, state.size)
        )


def _with_lengths(entries: FloatArray, lengths: Sequence[bool]) -> FloatArray:
    """The nodes of all colours: lengths begin with the value 1 in their units."""
    nodes = np.ones((len(lengths), entries.shape[1]))
    nodes[[c for c, is_length in enumerate(lengths) if not is_length]] = entries
    return nodes


def folded(
    nodes: FloatArray,
    weights: FloatArray,
    moments: Sequence[Multiplicity],
    lengths: Sequence[bool],
) -> tuple[FloatArray, FloatArray]:
    """One node for all those that changes of signs make of it which no moment feels."""
    colours = len(nodes)
    changes = [
        np.array(signs)
        for signs in product(*((1,) if is_length else (1, -1) for is_length in lengths))
        if all(prod(sign**k for sign, k in zip(signs, m, strict=True)) == 1 for m in moments)
    ]
    places = 3 ** np.arange(colours)
    # The signs of a node as one number; of all that it can be changed to the largest one is kept.
    images = np.stack([places @ (np.sign(nodes) * change[:, None]) for change in changes])
    kept = images[0] == images.max(axis=0)
    same = (images == images[0]).sum(axis=0)
    return nodes[:, kept], (weights * len(changes) / same)[kept]


def _less(m: Multiplicity, colour: int) -> Multiplicity:
    return (*m[:colour], m[colour] - 1, *m[colour + 1 :])


def _monomial(u: FloatArray, m: Multiplicity) -> FloatArray:
    value = np.ones(u.shape[1])
    for c, k in enumerate(m):
        if k:
            value = value * u[c] ** k
    return value


def _polynomial(row: Sequence[tuple[float, Powers]], z: Sequence[float]) -> float:
    return sum(float(K) * prod(z[i] ** k for i, k in powers) for K, powers in row)


def _derivative(
    row: Sequence[tuple[mpmath.mpf, Powers]], place: int
) -> list[tuple[mpmath.mpf, Powers]]:
    """The terms of a derivative with respect to one moment."""
    found = []
    for K, powers in row:
        table = dict(powers)
        power = table.pop(place, 0)
        if power:
            if power > 1:
                table[place] = power - 1
            found.append((K * power, tuple(sorted(table.items()))))
    return found


def _size(numbers: SiteNumbers, moments: Sequence[tuple[Multiplicity, int]]) -> mpmath.mpf:
    """The product of w σ^m over the moments of a term."""
    value = mpmath.mpf(1)
    for m, power in moments:
        unit = _mpf(numbers.weight)
        for variance, k, is_length in zip(numbers.variances, m, numbers.lengths, strict=True):
            unit *= _mpf(variance) ** k if is_length else mpmath.sqrt(_mpf(variance)) ** k
        value *= unit**power
    return value


def _mpf(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


def _float(value: mpmath.mpf) -> float:
    result = float(value)
    if not np.isfinite(result):
        raise CapacityError(
            "numbers of a particle: one of them is beyond double precision; give less extreme "
            "sizes and variances"
        )
    return result
