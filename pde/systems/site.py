r"""One site: a hierarchy of bundles of parallel edges, which is one particle on average.

When every core of a hierarchy lives on one pair of nodes it is a bundle z_m, m_c edges of every
colour c, and the reduced potential is a polynomial V(z). Merging makes the hierarchy

    dz_m/dτ = - Σ_{m', c} m_c m'_c z_{m + m' - 2e_c} ∂V/∂z_{m'},

a first-order partial differential equation for the generating function of the z_m, whose
characteristics are particles u in the effective potential Σ_m u^m ∂V/∂z_m, with z_m = w E[u^m] and
w the number of sites (`pde.moments.hierarchy`). A `SiteProblem` is the potential, w, the law of
u(0) and what is followed, all exact in the symbols; nothing else is known about the model. What is
followed is V itself or another polynomial in the moments, as the loss of weights that decay; a
colour may have a rate of its own.

>>> p = Polynomial.parse
>>> problem = SiteProblem.from_potential(
...     p("-z4 + 1/2*H**-3*z2**4"), weight=p("p*H"), variances=(p("sigma2"),), constant=p("1/2*p")
... )
>>> [str(c) for c in problem.taylor(2)]
['1/2*p - 3*p*H*sigma2**2 + 1/2*p**4*H*sigma2**4',
 '-240*p*H*sigma2**3 + 96*p**4*H*sigma2**5 - 16*p**7*H*sigma2**7']
>>> problem.at({"p": 9, "H": 4, "sigma2": 1}).formal
(False, True)

Source: ours; Yarotsky, Golikov, Gusev 2026, appendix K, for one colour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice, product
from math import factorial, prod

from diagrams.errors import InvalidInputError
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.polynomial import Polynomial
from pde.moments.hierarchy import (
    ContractedLoss,
    LossTerm,
    Moments,
    MomentSeries,
    Multiplicity,
    Still,
    merged,
    read_moments,
)
from pde.systems.laws import GAUSSIAN, StartLaw

__all__ = ["SiteNumbers", "SiteProblem"]

_WEIGHT, _VARIANCE, _RATE, _COEFFICIENT = "weight", "variance", "rate", "coefficient"

_ZERO, _ONE = Polynomial(), Polynomial({(): 1})

_ORDERS = 4
"""Taylor coefficients in which the sign of a force may show itself."""


@dataclass(frozen=True, kw_only=True)
class SiteProblem:
    """A reduced potential of bundles, and where its particle starts.

    Parameters
    ----------
    loss : ContractedLoss
        V(z), with a symbol of its own for the coefficient of every term.
    output : ContractedLoss
        What is followed, likewise.
    coefficients : tuple of (str, Polynomial)
        What these symbols stand for.
    weight : Polynomial
        w, the number of sites.
    variances : tuple of Polynomial
        Of every entry at the start; of a squared length its value.
    rates : tuple of Polynomial
        How fast every colour moves.
    lengths : tuple of bool
        Which colours are squared lengths of vectors, and not entries.
    still : frozenset of (moments of a term, multiplicity, int)
        Where a term of V does not move a colour through one of its moments.
    constant : Polynomial
        What is followed is number * output + constant.
    number : Polynomial
        Copies of the sites, each with a potential of its own.
    law : StartLaw
        Of a weight at the start, at variance one.
    """

    loss: ContractedLoss
    output: ContractedLoss
    coefficients: tuple[tuple[str, Polynomial], ...]
    weight: Polynomial
    variances: tuple[Polynomial, ...]
    rates: tuple[Polynomial, ...]
    lengths: tuple[bool, ...]
    still: frozenset[Still] = frozenset()
    constant: Polynomial = _ZERO
    number: Polynomial = _ONE
    law: StartLaw = GAUSSIAN

    @classmethod
    def from_potential(
        cls,
        potential: Polynomial,
        *,
        weight: Polynomial,
        variances: Sequence[Polynomial],
        output: Polynomial | None = None,
        rates: Sequence[Polynomial] | None = None,
        lengths: Sequence[bool] | None = None,
        still: frozenset[Still] = frozenset(),
        constant: Polynomial = _ZERO,
        number: Polynomial = _ONE,
        law: StartLaw = GAUSSIAN,
    ) -> SiteProblem:
        """The problem of a potential in moments z2, z4 (one colour) or z2_0, z1_1 (several).

        Parameters
        ----------
        potential : Polynomial
            In moments and in symbols, which may have negative powers.
        output : Polynomial, optional
            What is followed, likewise; without it the potential.
        rates : sequence of Polynomial, optional
            For every colour; without them all are 1.
        lengths : sequence of bool, optional
            For every colour; without them all are entries.
        weight, variances, still, constant, number, law
            See `SiteProblem`.

        Raises
        ------
        InvalidInputError
            If the colours of the moments, the variances and the rates differ in number.
        """
        loss, coefficients, rest = _contracted(potential, _COEFFICIENT)
        followed = loss
        if output is not None and output != potential:
            followed, more, rest = _contracted(output, f"output_{_COEFFICIENT}")
            coefficients += more
        mobilities = (_ONE,) * len(variances) if rates is None else tuple(rates)
        if {loss.colours, followed.colours} != {len(variances)}:
            raise InvalidInputError(
                f"potential {potential}: has {loss.colours} colours and {len(variances)} "
                "variances; give one for each colour"
            )
        if len(mobilities) != len(variances):
            raise InvalidInputError(
                f"potential {potential}: has {loss.colours} colours and {len(mobilities)} rates; "
                "give one for each colour"
            )
        return cls(
            loss=loss,
            output=followed,
            coefficients=coefficients,
            weight=weight,
            variances=tuple(variances),
            rates=mobilities,
            lengths=(False,) * len(variances) if lengths is None else tuple(lengths),
            still=still,
            constant=constant + number * rest,
            number=number,
            law=law,
        )

    @property
    def symmetric(self) -> bool:
        """Whether all permutations of the colours change nothing."""
        table = dict(self.coefficients)
        tables = [
            {term.moments: table[term.parameters[0][0]] for term in polynomial.terms}
            for polynomial in (self.loss, self.output)
        ]
        return _is_symmetric(self, tables)

    def coefficient_rows(self) -> Iterator[Polynomial]:
        """The coefficients of τ^s of what is followed times s!, one after the other."""
        same = len(set(self.variances)) == 1
        names = [f"{_VARIANCE}{0 if same else c}" for c in range(len(self.variances))]
        # Rates of 1 are no symbols: they would be carried along for nothing.
        rates = {f"{_RATE}{c}": rate for c, rate in enumerate(self.rates) if rate != _ONE}

        def initial(m: Multiplicity) -> Polynomial:
            value, units = _start(m, self.lengths, self.law)
            if not value:
                return Polynomial()
            powers: dict[str, int] = {_WEIGHT: 1}
            for name, k in zip(names, units, strict=True):
                powers[name] = powers.get(name, 0) + k
            return Polynomial({tuple(powers.items()): value})

        mobilities = [f"{_RATE}{c}" for c in range(len(self.rates))]
        series = MomentSeries(
            self.loss,
            initial,
            symmetric=self.symmetric,
            output=self.output,
            rates=[Polynomial({((m, 1),): 1}) if m in rates else _ONE for m in mobilities],
            lengths=self.lengths,
            still=self.still,
        )
        values = dict(self.coefficients) | {_WEIGHT: self.weight} | rates
        values |= dict(zip(names, self.variances, strict=True))
        powers = _Powers(values)
        order = 0
        while True:
            row = self.number * powers.substituted(series.output(order)) * factorial(order)
            yield row + self.constant if order == 0 else row
            order += 1

    def taylor(self, number: int) -> tuple[Polynomial, ...]:
        """The first coefficients of τ^s times s!."""
        return tuple(islice(self.coefficient_rows(), number))

    def closed_system(self) -> PolynomialSystem | None:
        """The hierarchy as a finite system, None if its moments do not close.

        Examples
        --------
        >>> p = Polynomial.parse
        >>> problem = SiteProblem.from_potential(
        ...     p("1/2*z1_1**2 - z1_1"), weight=p("H"), variances=(p("sigma2"),) * 2
        ... )
        >>> problem.closed_system().variables
        ('z0_2', 'z1_1', 'z2_0')
        """
        if any(self.lengths) or self.still or any(sum(m) > 2 for m in self.loss.moments):
            return None
        # A quadratic potential leaves the degree of a moment as it is, or lowers it by two.
        moments = sorted(_closed(self.loss.moments, self.output.moments))
        place = {m: i for i, m in enumerate(moments)}
        table = dict(self.coefficients)

        def term(
            loss_term: LossTerm, factor: Polynomial, more: tuple[Multiplicity, ...]
        ) -> SystemTerm:
            powers = Counter(dict(loss_term.moments))
            powers.update(more)
            kept = tuple(sorted((place[m], k) for m, k in powers.items() if any(m)))
            value = table[loss_term.parameters[0][0]] * loss_term.coefficient * factor
            # The empty bundle is the number of sites.
            for _ in range(powers[(0,) * self.loss.colours]):
                value = value * self.weight
            return SystemTerm(value, kept)

        rates = []
        for m in moments:
            row = []
            for other in self.loss.moments:
                for c, (k, r) in enumerate(zip(m, other, strict=True)):
                    if k * r:
                        factor = self.rates[c] * Fraction(-k * r)
                        following = merged(m, other, c)
                        row += [term(t, factor, (following,)) for t in self.loss.derivative(other)]
            rates.append(tuple(row))
        output = [term(t, self.number, ()) for t in self.output.terms]
        return PolynomialSystem(
            variables=tuple("z" + "_".join(map(str, m)) for m in moments),
            rates=tuple(rates),
            initial=tuple(self._initial(m) for m in moments),
            output=(SystemTerm(self.constant), *output),
        )

    def _initial(self, m: Multiplicity) -> Polynomial:
        value, units = _start(m, self.lengths, self.law)
        result = self.weight * value
        for variance, k in zip(self.variances, units, strict=True):
            for _ in range(k):
                result = result * variance
        return result

    def at(self, values: Mapping[str, Fraction | int]) -> SiteNumbers:
        """The problem at numbers.

        Parameters
        ----------
        values : mapping from str to rational
            A value for every symbol; others are ignored.

        Raises
        ------
        InvalidInputError
            If a symbol has no value.
        """
        exact = {name: Fraction(value) for name, value in values.items()}

        def number(polynomial: Polynomial) -> Fraction:
            return Fraction(polynomial.evaluate(**exact))

        table = {name: number(value) for name, value in self.coefficients}

        def evaluated(polynomial: ContractedLoss) -> ContractedLoss:
            terms = tuple(
                LossTerm(term.moments, table[term.parameters[0][0]]) for term in polynomial.terms
            )
            return ContractedLoss(tuple(term for term in terms if term.coefficient) or terms[:1])

        return SiteNumbers(
            loss=evaluated(self.loss),
            output=evaluated(self.output),
            weight=number(self.weight),
            variances=tuple(number(value) for value in self.variances),
            rates=tuple(number(value) for value in self.rates),
            lengths=self.lengths,
            still=self.still,
            constant=number(self.constant),
            number=number(self.number),
            law=self.law,
        )


def _split(polynomial: Polynomial) -> tuple[dict[Moments, Polynomial], Polynomial]:
    """The coefficients of the products of moments, and what has no moment."""
    grouped: dict[Moments, Polynomial] = {}
    for powers, coefficient in polynomial:
        key, symbols = read_moments(powers)
        grouped[key] = grouped.get(key, _ZERO) + Polynomial({symbols: coefficient})
    rest = grouped.pop((), _ZERO)
    return grouped, rest


def _contracted(
    polynomial: Polynomial, stem: str
) -> tuple[ContractedLoss, tuple[tuple[str, Polynomial], ...], Polynomial]:
    """A polynomial in moments with symbols for its coefficients, these, and the rest."""
    grouped, rest = _split(polynomial)
    terms, coefficients = [], []
    for place, (moments, value) in enumerate(sorted(grouped.items())):
        name = f"{stem}{place}"
        terms.append(LossTerm(moments, Fraction(1), ((name, 1),)))
        coefficients.append((name, value))
    return ContractedLoss(tuple(sorted(terms))), tuple(coefficients), rest


def _start(
    m: Multiplicity, lengths: Sequence[bool], law: StartLaw
) -> tuple[Fraction, tuple[int, ...]]:
    """The mean of a product of powers at the start, and the powers of the variances in it."""
    entries = [0 if is_length else k for k, is_length in zip(m, lengths, strict=True)]
    if any(k % 2 for k in entries):
        return Fraction(0), (0,) * len(m)
    units = tuple(k if is_length else k // 2 for k, is_length in zip(m, lengths, strict=True))
    return Fraction(prod(law.moment(k) for k in entries)), units


def _closed(moments: Sequence[Multiplicity], followed: Sequence[Multiplicity]) -> set[Multiplicity]:
    """All moments that merging with some reaches from these and what is followed, but the empty."""
    reached: set[Multiplicity] = set()
    waiting = {*moments, *followed}
    while waiting:
        reached |= waiting
        waiting = {
            merged(m, other, c)
            for m in waiting
            for other in moments
            for c, (k, r) in enumerate(zip(m, other, strict=True))
            if k * r
        } - reached
    return {m for m in reached if any(m)}


def _is_symmetric(
    site: SiteProblem | SiteNumbers, tables: Sequence[Mapping[Moments, object]]
) -> bool:
    """Whether exchanging neighbouring colours maps every term to one with the same coefficient.

    Lengths, and coordinates at rest, are not exchanged.
    """
    if site.still or any(site.lengths):
        return False
    if len(set(site.variances)) != 1 or len(set(site.rates)) != 1:
        return False
    colours = len(site.variances)
    for c in range(colours - 1):
        order = [*range(c), c + 1, c, *range(c + 2, colours)]
        for terms in tables:
            moved = {
                tuple(sorted((tuple(m[i] for i in order), k) for m, k in moments)): value
                for moments, value in terms.items()
            }
            if moved != terms:
                return False
    return True


class _Powers:
    """Powers of polynomials that are put in for symbols."""

    def __init__(self, values: Mapping[str, Polynomial]) -> None:
        self._powers = {name: [Polynomial({(): 1}), value] for name, value in values.items()}

    def substituted(self, polynomial: Polynomial) -> Polynomial:
        total: dict[tuple[tuple[str, int], ...], Fraction] = {}
        for powers, coefficient in polynomial:
            product_of_values = Polynomial({(): coefficient})
            for name, power in powers:
                known = self._powers[name]
                while len(known) <= power:
                    known.append(known[-1] * known[1])
                product_of_values = product_of_values * known[power]
            for key, c in product_of_values:
                total[key] = total.get(key, Fraction(0)) + c
        return Polynomial(total)


@dataclass(frozen=True, kw_only=True)
class SiteNumbers:
    """A `SiteProblem` with rational numbers for its symbols."""

    loss: ContractedLoss
    output: ContractedLoss
    weight: Fraction
    variances: tuple[Fraction, ...]
    rates: tuple[Fraction, ...]
    lengths: tuple[bool, ...]
    still: frozenset[Still]
    constant: Fraction
    number: Fraction
    law: StartLaw

    @cached_property
    def formal(self) -> tuple[bool, bool]:
        """Whether the average does not exist at any t < 0, and at any t > 0.

        Far out a particle follows the form Q(u) = Σ u^m ∂V/∂z_m of highest degree, u' = -∇Q. If its
        degree is above 2 and Q is negative in some direction u, then along the steepest of such
        directions a particle reaches infinity in a time that is as short as it started far out:
        with an unbounded law some do at once. Backwards in time the same holds where Q is positive.
        """
        # Lengths have one value at the start; entries are everywhere, also those that stay there.
        if self.law.bounded or all(self.lengths):
            return False, False
        signs = [self._reaches(past) for past in (True, False)]
        return signs[0], signs[1]

    def _reaches(self, past: bool) -> bool:
        forces = {
            (m, c): self._force(m, c, past)
            for m in self.loss.moments
            for c, power in enumerate(m)
            if power and self.rates[c]
        }
        moved = {c for (_, c), force in forces.items() if force}

        def degree(m: Multiplicity) -> int:
            """How fast a term grows along the coordinates that move; a length is a square."""
            return sum(k * (2 if self.lengths[c] else 1) for c, k in enumerate(m) if c in moved)

        felt = {m: force for (m, _), force in forces.items() if force}
        highest = max(map(degree, felt), default=0)
        if highest <= 2:
            return False
        sign = 1 if past else -1
        form = [(m, force) for m, force in felt.items() if degree(m) == highest]
        sides = [(1, 2, 3) if is_length else (-3, -2, -1, 0, 1, 2, 3) for is_length in self.lengths]
        return any(
            sign * sum(force * prod(x**k for x, k in zip(u, m, strict=True)) for m, force in form)
            > 0
            for u in product(*sides)
        )

    def _force(self, moment: Multiplicity, colour: int, past: bool) -> Fraction:
        """∂V/∂z_m on a colour a little before or after 0: its first coefficient that is not 0."""
        series = self._moments
        total = [Fraction(0)] * _ORDERS
        for term in self.loss.derivative(moment, moving=colour, still=self.still):
            value = [term.coefficient, *[Fraction(0)] * (_ORDERS - 1)]
            for m, power in term.moments:
                column = [series.moment(m, n).coefficient() for n in range(_ORDERS)]
                for _ in range(power):
                    value = [
                        sum((value[k] * column[n - k] for k in range(n + 1)), Fraction(0))
                        for n in range(_ORDERS)
                    ]
            total = [a + b for a, b in zip(total, value, strict=True)]
        for n, value_at in enumerate(total):
            if value_at:
                return value_at * (-1) ** n if past else value_at
        return Fraction(0)

    @cached_property
    def _moments(self) -> MomentSeries:
        def initial(m: Multiplicity) -> Polynomial:
            value, units = _start(m, self.lengths, self.law)
            value *= self.weight
            for variance, k in zip(self.variances, units, strict=True):
                value *= variance**k
            return Polynomial({(): value})

        return MomentSeries(
            self.loss,
            initial,
            symmetric=self.symmetric,
            output=self.output,
            rates=[Polynomial({(): rate}) for rate in self.rates],
            lengths=self.lengths,
            still=self.still,
        )

    @cached_property
    def symmetric(self) -> bool:
        """Whether all permutations of the colours change nothing."""
        tables = [
            {term.moments: term.coefficient for term in polynomial.terms}
            for polynomial in (self.loss, self.output)
        ]
        return _is_symmetric(self, tables)

    def taylor(self, number: int) -> tuple[Fraction, ...]:
        """The first coefficients of τ^s of what is followed times s!."""
        rows = [self._moments.output(n).coefficient() * factorial(n) for n in range(number)]
        return tuple(
            self.number * row + (self.constant if n == 0 else 0) for n, row in enumerate(rows)
        )
