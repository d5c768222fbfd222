"""Moment hierarchies: infinite systems of characteristics that are one particle on average.

Suppose that in a regime optimal contractions commute with merging. Then a contracted diagram is
described by the multiplicities of its edges alone. A bundle of m_c parallel edges of every colour c
is a variable z_m, m = (m_1, m_2, ...), the contracted loss is a polynomial l(z), and merging makes

    dz_m/dtau = - sum over m', c of  m_c m'_c z_{m + m' - 2 e_c} dl/dz_{m'}

(e_c: the unit vector of colour c). These are the moments z_m = w E[prod_c u_c^{m_c}] of a particle

    du_c/dtau = - sum over m' of  m'_c u^{m' - e_c} dl/dz_{m'},      u(0) Gaussian,

with as many coordinates as there are colours: the infinite system collapses to an ordinary
differential equation and an average over its initial values.

A loss is a value, `ContractedLoss`; its Taylor coefficients in tau, and those of anything else in
the same moments, are exact (`MomentSeries`), also where coordinates have rates of their own. The
particle itself is integrated by `pde.moments.particles`.

>>> loss = ContractedLoss.parse("1/2*theta*z2**4 - z4")
>>> series = MomentSeries(loss, gaussian_moments(weight="p"))
>>> print(series.output(0))
-3*p*sigma2**2 + 1/2*p**4*sigma2**4*theta

Source: generalises Yarotsky, Golikov, Gusev 2026, appendix K; ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod

from flint import fmpq_mpoly, fmpq_mpoly_ctx

from diagrams.errors import InvalidInputError
from diagrams.factorials import double_factorial
from diagrams.rationals import as_fmpq, as_fraction
from diagrams.wick import Monomial
from expansion.dynamics.particle import Moments, Multiplicity, Still
from expansion.polynomial import Polynomial

__all__ = [
    "ContractedLoss",
    "LossTerm",
    "MomentSeries",
    "Moments",
    "Multiplicity",
    "Still",
    "gaussian_moments",
    "merged",
    "read_moments",
]


_MOMENT = re.compile(r"z(\d+(?:_\d+)*)")


@dataclass(frozen=True, slots=True, order=True)
class LossTerm:
    """A product of moments with a coefficient.

    Parameters
    ----------
    moments : tuple of (Multiplicity, int)
        Every moment once, with its power.
    coefficient : Fraction
    parameters : tuple of (str, int)
        Symbols that multiply the term, with powers.
    """

    moments: Moments
    coefficient: Fraction
    parameters: tuple[tuple[str, int], ...] = ()

    def derivative(self, moment: Multiplicity) -> LossTerm | None:
        """The derivative with respect to one moment, None if it vanishes."""
        powers = dict(self.moments)
        power = powers.pop(moment, 0)
        if not power:
            return None
        if power > 1:
            powers[moment] = power - 1
        return LossTerm(tuple(sorted(powers.items())), self.coefficient * power, self.parameters)


@dataclass(frozen=True, slots=True)
class ContractedLoss:
    """The contracted loss l(z), a polynomial in moments.

    Parameters
    ----------
    terms : tuple of LossTerm

    Raises
    ------
    InvalidInputError
        If there is no term, or moments have different numbers of colours.
    """

    terms: tuple[LossTerm, ...]

    def __post_init__(self) -> None:
        lengths = {len(m) for term in self.terms for m, _ in term.moments}
        if len(lengths) != 1:
            raise InvalidInputError(
                "contracted loss: its moments must have one number of colours; write z2 for one "
                "colour, z1_1 for two"
            )

    @classmethod
    def parse(cls, text: str) -> ContractedLoss:
        """Read a polynomial in moments z2, z4 (one colour) or z2_0, z1_1 (several).

        Examples
        --------
        >>> ContractedLoss.parse("1/2*z2_0*z0_2 - z1_1").colours
        2
        """
        terms = []
        for powers, coefficient in Polynomial.parse(text):
            moments, parameters = read_moments(powers)
            terms.append(LossTerm(moments, coefficient, parameters))
        return cls(tuple(sorted(terms)))

    @property
    def colours(self) -> int:
        """The number of coordinates of the particle."""
        return next(len(m) for term in self.terms for m, _ in term.moments)

    @property
    def moments(self) -> tuple[Multiplicity, ...]:
        """The moments that occur, sorted."""
        return tuple(sorted({m for term in self.terms for m, _ in term.moments}))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The symbols other than moments, sorted."""
        return tuple(sorted({name for term in self.terms for name, _ in term.parameters}))

    def derivative(
        self,
        moment: Multiplicity,
        *,
        moving: int | None = None,
        still: frozenset[Still] = frozenset(),
    ) -> tuple[LossTerm, ...]:
        """The terms of dl/dz_m, of those that move a coordinate if one is named."""
        found = (
            term.derivative(moment)
            for term in self.terms
            if (term.moments, moment, moving) not in still
        )
        return tuple(term for term in found if term is not None)


def read_moments(powers: Monomial) -> tuple[Moments, Monomial]:
    """The moments of a monomial, by the names z2 (one colour) or z2_0 (several), and the rest.

    Examples
    --------
    >>> read_moments((("H", -1), ("z2_0", 3)))
    ((((2, 0), 3),), (('H', -1),))
    """
    moments, rest = [], []
    for name, power in powers:
        if match := _MOMENT.fullmatch(name):
            moments.append((tuple(int(m) for m in match[1].split("_")), power))
        else:
            rest.append((name, power))
    return tuple(sorted(moments)), tuple(sorted(rest))


def merged(
    m: Multiplicity, other: Multiplicity, colour: int, *, is_length: bool = False
) -> Multiplicity:
    """The multiplicity of two bundles merged along one colour.

    Examples
    --------
    >>> merged((1, 2), (1, 1), 1), merged((1, 2), (1, 1), 1, is_length=True)
    ((2, 1), (2, 2))
    """
    taken = 1 if is_length else 2
    return tuple(
        a + b - taken * (c == colour) for c, (a, b) in enumerate(zip(m, other, strict=True))
    )


def gaussian_moments(
    *, weight: str | int = 1, variance: str | int = "sigma2"
) -> Callable[[Multiplicity], Polynomial]:
    """Initial moments z_m(0) = w prod_c E[u_c^{m_c}] of independent Gaussian coordinates.

    Parameters
    ----------
    weight : str or int, default 1
        w, a symbol or a number.
    variance : str or int, default "sigma2"
        Variance of every coordinate, a symbol or a number.

    Examples
    --------
    >>> print(gaussian_moments(weight="p")((4, 2)))
    3*p*sigma2**3
    """

    def moments(m: Multiplicity) -> Polynomial:
        if any(k % 2 for k in m):
            return Polynomial()
        value = Fraction(prod(double_factorial(k - 1) for k in m))
        powers: dict[str, int] = {}
        for factor, power in ((weight, 1), (variance, sum(m) // 2)):
            if isinstance(factor, int):
                value *= factor**power
            else:
                powers[factor] = power
        return Polynomial({tuple(powers.items()): value})

    return moments


class MomentSeries:
    """Exact Taylor coefficients in tau of the moments and of the contracted loss.

    Parameters
    ----------
    loss : ContractedLoss
        Generates the flow.
    initial : callable
        z_m(0) as a polynomial in parameters.
    symmetric : bool, default False
        Whether a permutation of the colours leaves loss, output, rates and initial moments
        unchanged, so that permuted moments are equal.
    output : ContractedLoss, optional
        What is followed; without it the contracted loss.
    rates : sequence of Polynomial, optional
        How fast every coordinate moves, in parameters; without them all have the rate 1.
    lengths : sequence of bool, optional
        Which coordinates are squared lengths of vectors that move, so that they are 4 u_c times as
        fast; without them all are entries.
    still : frozenset of (moments of a term, multiplicity, int), default empty
        Where a term of the loss does not move a coordinate through one of its moments.

    Examples
    --------
    For l = z_2, a single linear drift, u = u(0) exp(-2 tau):

    >>> series = MomentSeries(ContractedLoss.parse("z2"), gaussian_moments())
    >>> [str(series.output(n)) for n in range(3)]
    ['sigma2', '-4*sigma2', '8*sigma2']
    """

    def __init__(
        self,
        loss: ContractedLoss,
        initial: Callable[[Multiplicity], Polynomial],
        *,
        symmetric: bool = False,
        output: ContractedLoss | None = None,
        rates: Sequence[Polynomial] | None = None,
        lengths: Sequence[bool] | None = None,
        still: frozenset[Still] = frozenset(),
    ) -> None:
        self._output = loss if output is None else output
        self._initial = initial
        self._symmetric = symmetric
        mobilities = [Polynomial({(): 1})] * loss.colours if rates is None else rates
        symbols = {*loss.parameters, *self._output.parameters}
        symbols |= {*initial((2,) * loss.colours).symbols}
        symbols |= {name for rate in mobilities for name in rate.symbols}
        self._names = tuple(sorted(symbols)) or ("unused",)
        self._ring = fmpq_mpoly_ctx.get(self._names, "lex")
        self._lengths = (False,) * loss.colours if lengths is None else tuple(lengths)
        rows: dict[tuple[LossTerm, ...], int] = {}
        self._gradient = [
            (m, c, rows.setdefault(loss.derivative(m, moving=c, still=still), len(rows)))
            for m in loss.moments
            for c, power in enumerate(m)
            if power
        ]
        self._forces = list(rows)
        self._rates = [self._element(rate) for rate in mobilities]
        # Bound per instance: the caches live and die with the series.
        self._moment = lru_cache(maxsize=None)(self._find_moment)
        self._slope = lru_cache(maxsize=None)(self._find_slope)
        self._product = lru_cache(maxsize=None)(self._find_product)

    def moment(self, m: Multiplicity, order: int) -> Polynomial:
        """The coefficient of tau**order in z_m."""
        return self._polynomial(self._moment(self._key(m), order))

    def output(self, order: int) -> Polynomial:
        """The coefficient of tau**order in what is followed."""
        return self._polynomial(self._sum(self._output.terms, order))

    def _key(self, m: Multiplicity) -> Multiplicity:
        return tuple(sorted(m)) if self._symmetric else m

    def _find_moment(self, m: Multiplicity, order: int) -> fmpq_mpoly:
        if order == 0:
            return self._element(self._initial(m))
        total = self._ring.constant(0)
        for other, colour, force in self._gradient:
            if not m[colour]:
                continue
            factor = m[colour] * other[colour] * self._rates[colour]
            if self._lengths[colour]:
                factor *= 4
            key = self._key(merged(m, other, colour, is_length=self._lengths[colour]))
            for j in range(order):
                slope = self._slope(force, order - 1 - j)
                if slope:
                    total -= factor * self._moment(key, j) * slope
        return total / order

    def _find_slope(self, force: int, order: int) -> fmpq_mpoly:
        return self._sum(self._forces[force], order)

    def _sum(self, terms: Iterable[LossTerm], order: int) -> fmpq_mpoly:
        total = self._ring.constant(0)
        for term in terms:
            factor = self._element(Polynomial({term.parameters: term.coefficient}))
            factors = tuple(sorted(self._key(m) for m, power in term.moments for _ in range(power)))
            total += factor * self._product(factors, order)
        return total

    def _find_product(self, moments: tuple[Multiplicity, ...], order: int) -> fmpq_mpoly:
        """Coefficient of a product of moments, by halves."""
        if not moments:
            return self._ring.constant(int(order == 0))
        if len(moments) == 1:
            return self._moment(moments[0], order)
        half = len(moments) // 2
        total = self._ring.constant(0)
        for j in range(order + 1):
            left = self._product(moments[:half], j)
            if left:
                total += left * self._product(moments[half:], order - j)
        return total

    def _element(self, polynomial: Polynomial) -> fmpq_mpoly:
        return self._ring.from_dict(
            {
                exponents: as_fmpq(coefficient)
                for exponents, (_, coefficient) in zip(
                    polynomial.exponents(self._names), polynomial, strict=True
                )
            }
        )

    def _polynomial(self, element: fmpq_mpoly) -> Polynomial:
        return Polynomial(
            {
                tuple(
                    (n, int(k)) for n, k in zip(self._names, exponents, strict=True) if k
                ): as_fraction(coefficient)
                for exponents, coefficient in element.to_dict().items()
            }
        )
