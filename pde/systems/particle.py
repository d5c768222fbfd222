"""The particle of a `SiteProblem` at numbers, on the nodes of a quadrature, as a flow.

In units of the standard deviations, û_c = u_c/σ_c and ẑ_m = E[û^m], a potential with the terms
K Π ẑ_m^k moves the particle by

    dû_c/dτ = - r_c/(w σ_c²) Σ_m m_c û^{m - e_c} ∂V/∂ẑ_m ,

with r_c the rate of the colour, in which all numbers are of moderate size once the time is. The
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

__all__ = ["ParticleFlow"]

FloatArray = NDArray[np.float64]


def _powers(m: Multiplicity) -> Powers:
    return tuple((c, k) for c, k in enumerate(m) if k)


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
        even = all(not k % 2 for m in self._moments for k in m)
        rule = numbers.law.rule(self._colours, even=even, coarse=coarse)
        nodes, self._weights = rule if self._colours == 1 else _folded(*rule, self._moments)
        self._shape = nodes.shape
        self.start: FloatArray = nodes.ravel()
        place = {m: i for i, m in enumerate(self._moments)}

        def scaled(polynomial: ContractedLoss) -> list[tuple[mpmath.mpf, Powers]]:
            return [
                (
                    _size(numbers, term.moments) * _mpf(term.coefficient),
                    tuple((place[m], k) for m, k in term.moments),
                )
                for term in polynomial.terms
            ]

        terms = scaled(loss)
        forces = [_derivative(terms, i) for i in range(len(self._moments))]
        scales = [
            _mpf(numbers.weight) * _mpf(variance) / _mpf(rate)
            for variance, rate in zip(numbers.variances, numbers.rates, strict=True)
        ]
        fastest = max(
            (
                abs(K) * sum(m) / min(scales)
                for m, row in zip(self._moments, forces, strict=True)
                for K, _ in row
            ),
            default=mpmath.mpf(1),
        )
        time = 1 / fastest if fastest else mpmath.mpf(1)
        self.unit = _float(time)
        self._mobility = [_float(scales[0] / scale) for scale in scales]
        force = time / scales[0]
        self._forces = [[(_float(K * force), powers) for K, powers in row] for row in forces]
        number = _mpf(numbers.number)
        self._output = [(_float(K * number), powers) for K, powers in scaled(numbers.output)]
        self._offset = _float(_mpf(numbers.constant))
        self._plan()

    def _plan(self) -> None:
        self._lowered = [
            [(c, k, _powers((*m[:c], k - 1, *m[c + 1 :]))) for c, k in enumerate(m) if k]
            for m in self._moments
        ]
        wanted = [_powers(m) for m in self._moments]
        wanted += [powers for row in self._lowered for _, _, powers in row]
        self._products = products(self._colours, wanted)
        scalars = [powers for row in (*self._forces, self._output) for _, powers in row]
        self._scalars = products(len(self._moments), scalars)

    def expand(self, state: FloatArray, order: int, step: float) -> tuple[FloatArray, FloatArray]:
        """Taylor coefficients around a state, of the state and of the output."""
        colours, nodes = self._shape
        plan, scalars = self._products, self._scalars
        width = len(self._moments)
        u = np.zeros((colours + len(plan.pairs), order + 1, nodes))
        z = np.zeros((width + len(scalars.pairs), order + 1))
        force = np.zeros((width, order + 1))
        output = np.zeros(order + 1)
        u[:colours, 0] = state.reshape(self._shape)
        averaged = [plan.places[_powers(m)] for m in self._moments]
        for n in range(order + 1):
            for place, (one, other) in enumerate(plan.pairs, colours):
                u[place, n] = np.einsum("ij,ij->j", u[one, : n + 1], u[other, n::-1])
            z[:width, n] = u[averaged, n] @ self._weights
            for place, (one, other) in enumerate(scalars.pairs, width):
                z[place, n] = z[one, : n + 1] @ z[other, n::-1]
            for i, row in enumerate(self._forces):
                force[i, n] = self._value(row, z, n)
            output[n] = self._value(self._output, z, n)
            if n < order:
                for m, lowered in enumerate(self._lowered):
                    for c, k, powers in lowered:
                        slope = (
                            force[m, n::-1] @ u[plan.places[powers], : n + 1]
                            if powers
                            else force[m, n]
                        )
                        u[c, n + 1] -= (k * self._mobility[c] * step / (n + 1)) * slope
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
            stiffness = [
                _polynomial(_derivative(self._forces[i], other), z) for other in range(width)
            ]
            for c, k in enumerate(m):
                if not k:
                    continue
                lowered = _less(m, c)
                lower = _monomial(u, lowered)
                right[i, c] = k * self._weights * lower
                rate = -k * self._mobility[c]
                for d, j in enumerate(lowered):
                    if j:
                        blocks[:, c, d] += rate * forces[i] * j * _monomial(u, _less(lowered, d))
                for other, value in enumerate(stiffness):
                    if value:
                        left[c, :, other] += rate * value * lower
        return BlockSlopes(
            blocks, left.reshape(state.size, width), right.reshape(width, state.size)
        )


def _folded(
    nodes: FloatArray, weights: FloatArray, moments: Sequence[Multiplicity]
) -> tuple[FloatArray, FloatArray]:
    """One node for all those that changes of signs make of it which no moment feels."""
    colours = len(nodes)
    changes = [
        np.array(signs)
        for signs in product((1, -1), repeat=colours)
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
        for variance, k in zip(numbers.variances, m, strict=True):
            unit *= mpmath.sqrt(_mpf(variance)) ** k
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
