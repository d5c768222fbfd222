"""Which regime describes given numbers best, and how far off its loss is there.

A regime sums the leading parts of the Y_s and neglects the rest R_s = Y_s - lead(Y_s). At given
sizes and variances all of them are known numbers, so the loss of the regime is off by

    c(t) = sum over s of R_s (t/T)^s / s!.

The *neglected share* at t is the size of c(t) relative to the loss that the regime keeps: to its
largest size on the times considered or, where that is less, to its largest distance from the
constant ½|F|² (zero for a free regime), so that a regime is not called good only because the target
is large. Both sums are estimated from the known terms, with an error
(`expansion.partial_sums`). The times are those asked for; otherwise 0, ½u and u, where u is the
*unit*, the time at which the terms of the exact series become as large as each other.

The share of the regime is the largest one over the times. A face that contains another one
neglects less, but its formula is harder. The *closest* regime is therefore the simplest one that is
good enough: of all regimes whose share is at most the tolerance, or at most twice the least share
if that is more, one of the smallest dimension, and among these the one with the least share.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=5)
>>> answer = locate(regime_set, p=1000, H=1000, sigma2=Fraction(1, 200))
>>> answer.closest.name, answer.share("A-B") < Fraction(1, 2)
('A-B-E', True)
>>> locate(regime_set, p=512, H=10**7, sigma2=Fraction(1, 1000)).closest.name
'B'

A single unit p is far from infinite, and yet the loss of the whole triangle is 3520.5 where the
exact one is 3920.5:

>>> round(float(locate(regime_set, p=1, H=8, sigma2=10, times=[0]).share("A-B-E")), 3)
0.114

Source: ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import factorial, isfinite

from diagrams.arguments import number, positive, shown
from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.partial_sums import accelerated_sum
from expansion.problem import Problem
from expansion.regime_names import natural_key
from expansion.regimes import Regime, Regimes, regimes

__all__ = [
    "TOLERANCE",
    "Location",
    "NeglectedShare",
    "ShareAt",
    "locate",
    "neglected_share",
    "unit",
    "where",
]

TOLERANCE = Fraction(1, 10)
"""A regime that neglects at most this share is good enough."""

KNOWN = Fraction(1, 20)
"""A share is known where the estimate of its error is at most this."""

_ALMOST_AS_GOOD = 2
_GRID = (Fraction(0), Fraction(1, 2), Fraction(1))


@dataclass(frozen=True, slots=True)
class ShareAt:
    """The neglected share of a regime at one time.

    Parameters
    ----------
    time : Fraction
        t/T.
    share : Fraction
        The size of the neglected part of the loss relative to the kept one.
    error : Fraction
        Estimated error of the share; zero at t = 0.
    """

    time: Fraction
    share: Fraction
    error: Fraction

    @property
    def known(self) -> bool:
        """Whether the estimate is known well enough to be used."""
        return self.error <= KNOWN


@dataclass(frozen=True, slots=True)
class NeglectedShare:
    """The neglected share of a regime at given numbers.

    Parameters
    ----------
    regime : Regime
    shares : tuple of ShareAt
        For each time the neglected part of the loss relative to the kept one.
    size : Fraction
        The loss that is kept, which they are relative to.
    unit : Fraction
        The time at which the terms of the exact series become as large as each other.
    """

    regime: Regime
    shares: tuple[ShareAt, ...]
    size: Fraction
    unit: Fraction

    @property
    def largest(self) -> Fraction:
        """The largest share over all times, with its error."""
        return max(at.share + at.error for at in self.shares)

    @property
    def largest_known(self) -> ShareAt | None:
        """The largest share of the times at which it is known, if there is one."""
        return max((at for at in self.shares if at.known), key=lambda at: at.share, default=None)

    @property
    def unknown(self) -> tuple[Fraction, ...]:
        """The times t/T at which the share is not known."""
        return tuple(at.time for at in self.shares if not at.known)

    def corrected(self, values: Sequence[float], errors: Sequence[float]) -> NeglectedShare:
        """The same with better estimates of what is neglected.

        Where there is none, the sum by itself is believed within the unit only: beyond it, where
        the terms grow, extrapolation can agree with itself on a sum that is wrong.

        Parameters
        ----------
        values, errors : sequence of float
            The neglected part of the loss at every time, and the error of that; not finite where
            there is none.
        """
        return replace(
            self,
            shares=tuple(
                ShareAt(at.time, abs(Fraction(value)) / self.size, Fraction(error) / self.size)
                if isfinite(value) and isfinite(error)
                else at
                if abs(at.time) <= self.unit
                else replace(at, error=max(at.error, Fraction(1)))
                for at, value, error in zip(self.shares, values, errors, strict=True)
            ),
        )


@dataclass(frozen=True, slots=True)
class Location:
    """Where given numbers lie on the map of regimes.

    Parameters
    ----------
    values : tuple of (str, Fraction)
    closest : Regime
    table : tuple of NeglectedShare
        All regimes, the least share first.
    """

    values: tuple[tuple[str, Fraction], ...]
    closest: Regime
    table: tuple[NeglectedShare, ...]

    def share(self, name: str) -> Fraction:
        """The largest neglected share of a regime.

        Raises
        ------
        InvalidInputError
            If there is no such regime.
        """
        shares = {entry.regime.name: entry.largest for entry in self.table}
        given: object = name
        if not isinstance(given, str) or given not in shares:
            raise InvalidInputError(
                f"regime {shown(name)}: this problem does not have it; choose one of "
                f"{', '.join(sorted(shares, key=natural_key))}"
            )
        return shares[name]


Place = Location  # its former name


def locate(
    source: Regimes | Problem,
    *,
    tolerance: Fraction = TOLERANCE,
    at: Mapping[str, Fraction | float] | None = None,
    times: Sequence[Fraction | float] | None = None,
    **values: Fraction | float,
) -> Location:
    """The regime whose leading terms describe given numbers best.

    Parameters
    ----------
    source : Regimes or Problem
    tolerance : Fraction
        The share that is good enough.
    at : mapping from str to number, optional
        The same as ``values``, for symbols with names that Python does not allow there.
    times : sequence of number, optional
        The times t/T at which the loss is asked for, not empty; near the unit unless given.
    **values
        A positive number for every symbol, for example ``p=512, H=256, sigma2=2e-5``.

    Raises
    ------
    InvalidInputError
        If a symbol has no value, a name is not a symbol or a value is not positive.
    """
    regime_set = source if isinstance(source, Regimes) else regimes(source)
    if at is not None and not isinstance(at, Mapping):
        raise InvalidInputError(
            f"values {shown(at)}: are no mapping from symbols to numbers; give one for each of "
            f"{', '.join(regime_set.exponents.symbols)}"
        )
    exact = _checked(regime_set, {**(at or {}), **values})
    whole = _values(regime_set, exact)
    given = None if times is None else _numbers(times, "times")
    table = sorted(
        (_neglected(regime_set, regime, exact, whole, given) for regime in regime_set),
        key=lambda entry: entry.largest,
    )
    limit = max(number(tolerance, "tolerance"), _ALMOST_AS_GOOD * table[0].largest)
    good = [entry for entry in table if entry.largest <= limit]
    closest = min(good, key=lambda entry: (entry.regime.dimension, entry.largest))
    return Location(tuple(exact.items()), closest.regime, tuple(table))


where = locate  # its former name


def neglected_share(
    regime_set: Regimes,
    name: str,
    at: Mapping[str, Fraction | float],
    *,
    times: Sequence[Fraction | float] | None = None,
    losses: Sequence[Fraction | float] | None = None,
    left_out: Collection[int] = (),
) -> NeglectedShare:
    """What one regime neglects at given numbers.

    Parameters
    ----------
    regime_set : Regimes
    name : str
        Name of the regime.
    at : mapping
        A positive number for every symbol.
    times : sequence of number, optional
        The times t/T at which the loss is asked for, see `locate`.
    losses : sequence of number, optional
        The loss in the regime at these times, where a solution is known; estimated from
        the leading parts unless given.
    left_out : collection of int
        The s whose leading part the regime's loss does not contain.

    Raises
    ------
    InvalidInputError
        As `locate`.
    """
    exact = _checked(regime_set, at)
    given = None if times is None else _numbers(times, "times")
    kept = None if losses is None else _numbers(losses, "losses")
    whole = _values(regime_set, exact)
    return _neglected(regime_set, regime_set[name], exact, whole, given, kept, left_out)


def unit(coefficients: Sequence[Fraction]) -> Fraction:
    """The time at which terms of a series with s >= 1 become as large as earlier ones.

    Parameters
    ----------
    coefficients : sequence of Fraction
        Y_0, Y_1, ... at given numbers.

    Returns
    -------
    Fraction
        The least t, as a power of two, at which abs(Y_r) t^r/r! = abs(Y_s) t^s/s! for 1 <= r < s; 1
        if there is none.

    Examples
    --------
    >>> unit([Fraction(3), Fraction(-24), Fraction(192)])  # 3 exp(-8t): 24 t = 96 t^2
    Fraction(1, 4)
    """
    sizes = {s: abs(c) / factorial(s) for s, c in enumerate(coefficients) if s and c}
    powers = [
        _binary_order(sizes[r] / sizes[s]) // (s - r) for r, s in combinations(sorted(sizes), 2)
    ]
    return Fraction(2) ** min(powers, default=0)


def _binary_order(value: Fraction) -> int:
    """The logarithm of a positive number with base 2, rounded up or down."""
    return value.numerator.bit_length() - value.denominator.bit_length()


def _checked(regime_set: Regimes, values: Mapping[str, Fraction | float]) -> dict[str, Fraction]:
    if regime_set.exponents.discrete:
        raise InvalidInputError(
            "closest regime: time is discrete, and what is neglected is estimated for series in "
            "time; compare the numbers with the conditions of the regimes"
        )
    symbols = regime_set.exponents.symbols
    for name in values:
        if name not in symbols:
            raise InvalidInputError(
                f"symbol {name!r}: does not occur in the series; its symbols are "
                f"{', '.join(symbols)}"
            )
    missing = [name for name in symbols if name not in values]
    if missing:
        raise InvalidInputError(
            f"values: there is none for {', '.join(missing)}; give one for each of "
            f"{', '.join(symbols)}"
        )
    return {name: positive(values[name], name) for name in symbols}


def _numbers(values: object, title: str) -> list[Fraction]:
    """Finite numbers, at least one."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{title}: is {shown(values)}; give a list of finite numbers")
    exact = [number(value, title) for value in values]
    if not exact:
        raise InvalidInputError(f"{title}: is empty; give a list of finite numbers")
    return exact


def _values(regime_set: Regimes, values: Mapping[str, Fraction]) -> list[Fraction]:
    """Y_0, Y_1, ... at given numbers, without the pure-target term."""
    return [Fraction(whole.evaluate(**values)) for whole in regime_set.exponents.coefficients]


def _neglected(
    regime_set: Regimes,
    regime: Regime,
    values: Mapping[str, Fraction],
    whole: Sequence[Fraction],
    times: Sequence[Fraction] | None,
    losses: Sequence[Fraction] | None = None,
    left_out: Collection[int] = (),
) -> NeglectedShare:
    leading = LeadingSeries(regime_set, regime)
    kept = [
        Fraction(leading[s].evaluate(**values))
        if s in regime_set.polyhedra and s not in left_out
        else Fraction(0)
        for s in range(len(whole))
    ]
    rest = [a - b for a, b in zip(whole, kept, strict=True)]
    pure = Fraction(regime_set.exponents.pure_target.evaluate(**values))
    constant = Fraction(leading.pure_target.evaluate(**values))
    kept[0] += constant
    rest[0] += pure - constant
    if times is None:
        times = [place * unit(whole) for place in _GRID]
    if losses is None:
        losses = [_sum(kept, time)[0] for time in times]
    size = min(max(map(abs, losses)), max(abs(loss - constant) for loss in losses))
    if not size:  # at t = 0 nothing has moved yet in some lazy regimes
        size = abs(constant) or Fraction(1)
    shares = []
    for time in times:
        value, error = _sum(rest, time)
        shares.append(ShareAt(time, abs(value) / size, error / size))
    return NeglectedShare(regime, tuple(shares), size, unit(whole))


def _sum(coefficients: Sequence[Fraction], time: Fraction) -> tuple[Fraction, Fraction]:
    """The sum of c_s time^s / s! and an estimate of its error."""
    if not time:
        return coefficients[0], Fraction(0)
    return accelerated_sum([c * time**s / factorial(s) for s, c in enumerate(coefficients)])
