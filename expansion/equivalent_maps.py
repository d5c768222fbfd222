"""The regime of another problem that a regime is, up to names and units of symbols.

Two problems whose losses are one in other units (`expansion.rescaling`) have the same coefficients
up to these units, and so the same map. `map_in_units` makes that of the other problem from the
coefficients of the first, without an expansion, and `counterpart` finds the same regime in it.

>>> from expansion.models import cp, deep_linear
>>> from expansion.regimes import regimes
>>> from expansion.recognition import recognised
>>> mine = regimes(cp(order=2, target="2*identity"), terms=4)
>>> twins, twin = counterpart(mine, mine["C-D"], recognised(mine.exponents.problem))
>>> twins.exponents.problem.title, twin.name
('cp order=2 symmetric=false target=identity', 'C-D')

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from expansion.leading import LeadingSeries, leading_coefficients
from expansion.polynomial import Polynomial
from expansion.recognition import Recognised
from expansion.regimes import Regime, Regimes, regimes
from expansion.series_exponents import SeriesExponents

__all__ = ["counterpart", "map_in_units"]


def counterpart(
    regime_set: Regimes, regime: Regime, known: Recognised
) -> tuple[Regimes, Regime] | None:
    """The regime of another problem that has the same leading coefficients.

    Parameters
    ----------
    regime_set : Regimes
    regime : Regime
        One of them.
    known : Recognised
        The other problem, and the units in which its loss is that of the map.

    Returns
    -------
    (Regimes, Regime) or None
        The map of the other problem, and the regime of it: the one of the same name unless the
        scalings are restricted. None if the loss is none of that problem.
    """
    exponents = regime_set.exponents
    if exponents.loss not in (None, *dict(known.losses)):
        return None
    twins = map_in_units(exponents, known)
    mine = leading_coefficients(LeadingSeries(regime_set, regime))
    for twin in sorted(twins, key=lambda other: other.name != regime.name):
        theirs = leading_coefficients(LeadingSeries(twins, twin))
        if len(theirs) == len(mine) and all(
            known.from_preset(c, s, exponents.loss) == mine[s] for s, c in enumerate(theirs)
        ):
            return twins, twin
    return None


def map_in_units(exponents: SeriesExponents, known: Recognised) -> Regimes:
    """The map of another problem from the coefficients of one that is it in other units.

    Where the variances of the problem are sizes, different monomials of the other one may be one,
    and that is expanded itself.

    Parameters
    ----------
    exponents : SeriesExponents
    known : Recognised
    """
    return _map(_Series(exponents.coefficients, exponents.pure_target, known, exponents))


@dataclass(frozen=True, slots=True)
class _Series:
    """The coefficients of a loss of a problem that is another one in other units."""

    coefficients: tuple[Polynomial, ...]
    pure_target: Polynomial
    known: Recognised
    exponents: SeriesExponents = field(compare=False)


@lru_cache(maxsize=2)
def _map(series: _Series) -> Regimes:
    """The map of the other problem, which all regimes of the first share."""
    exponents, known = series.exponents, series.known
    name = dict(known.losses)[known.losses[0][0] if exponents.loss is None else exponents.loss]
    loss = None if name == known.preset.loss_name else name
    if not known.units.is_invertible:
        return regimes(SeriesExponents.of_problem(known.preset, loss=loss, terms=exponents.last))
    return regimes(exponents.in_preset(known, loss))
