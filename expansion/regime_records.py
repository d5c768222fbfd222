"""A map of regimes as plain data, in the layout of the command line.

    {"regimes": [{"name": "A-B", "dimension": 1, "conditions": [{"monomial": {"p": "-1", "H": "1"},
        "relation": "~1"}], "natural_time": {"p": "1"}, "learning": "free", ...}, ...], ...}

Exponents are exact and therefore strings.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> record = regimes_record(regimes(cp(order=2, symmetric=True, target="zero"), terms=4))
>>> record["regimes"][2]["conditions"]
[{'monomial': {'p': '-1', 'H': '1'}, 'relation': '~1'}]

Source: ours.
"""

from __future__ import annotations

from typing import Any

from diagrams.variances import Variance
from expansion.closest_regime import Location
from expansion.geometry.linear_algebra import Point
from expansion.leading import LeadingSeries
from expansion.pareto_theorem import agreement
from expansion.polynomial import symbol_order
from expansion.problem import Problem
from expansion.recognition import Recognised, recognised
from expansion.regimes import RationalMonomial, Regime, Regimes
from expansion.series_records import polynomial_record
from expansion.vertex_sequences import Wall

__all__ = ["leading_record", "place_record", "regimes_record"]


def regimes_record(regime_set: Regimes) -> dict[str, Any]:
    """All regimes with what supports them."""
    exponents = regime_set.exponents
    problem = exponents.problem
    agreed = agreement(exponents)
    return {
        **({} if problem is None else {"family": problem.family, **dict(problem.options)}),
        **_preset(exponents.problem),
        **({} if exponents.loss is None else {"loss": exponents.loss}),
        "symbols": list(exponents.symbols),
        "growing": list(exponents.growing),
        "last_term": exponents.last,
        "linear_from": regime_set.start,
        "period": regime_set.period,
        "confirmed_by": regime_set.confirmed_by,
        "confirmed": regime_set.confirmed,
        "law_holds_to": regime_set.law_last,
        "late_vertices": [
            {
                "s": change.s,
                "appeared": [_monomial(exponents.symbols, point) for point in change.appeared],
                "vanished": [_monomial(exponents.symbols, point) for point in change.vanished],
            }
            for change in regime_set.changes
        ],
        "slice": [str(relation) for relation in regime_set.on],
        "theorem_agrees_at": None if agreed is None else list(agreed),
        "f_vector": list(regime_set.f_vector),
        "regimes": [_regime_record(regime_set, regime) for regime in regime_set],
    }


def _regime_record(regime_set: Regimes, regime: Regime) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": regime.name,
        "dimension": regime.dimension,
        "conditions": [
            {"monomial": _powers(condition.powers), "relation": condition.relation.value}
            for condition in regime.conditions
        ],
        "natural_time": _powers(regime.natural_time),
        "learning": regime.learning.value,
        "decided": regime.decided,
        "vertices": list(regime.vertices),
        "neighbours": [other.name for other in regime_set.neighbours(regime)],
        "faces": [
            other.name
            for other in regime_set
            if other is not regime and regime_set.includes(regime, other)
        ],
    }
    if regime.moving:
        record["moving_walls"] = [_wall_record(wall, regime.symbols) for wall in regime.moving]
    return record


def _preset(problem: Problem | None) -> dict[str, Any]:
    """Which preset the problem is under other names, if it is one."""
    known = None if problem is None else recognised(problem)
    if problem is None or known is None or known.preset == problem:
        return {}
    return {
        "preset": {
            "family": known.preset.family,
            **dict(known.preset.options),
            "symbols": dict(known.symbols),
            "target_scale": str(known.scale),
            **_units(known),
        }
    }


def _units(known: Recognised) -> dict[str, Any]:
    """The units of a problem, unless they are those of a number in front of the target."""
    others = {
        name: str(value) for name, value in known.units.values if not str(value).isidentifier()
    }
    record: dict[str, Any] = {"values": others} if others else {}
    if known.units.loss != Variance(known.scale**2):
        record["loss_scale"] = str(known.units.loss)
        record["model_scale_squared"] = str(known.units.square)
    return record


def leading_record(leading: LeadingSeries) -> dict[str, Any]:
    """The leading series of a regime: kept and dropped terms of every coefficient."""
    return {
        "regime": leading.regime.name,
        "variables": {name: _powers(powers) for name, powers in leading.variables.items()},
        "coefficients": [
            {
                "s": s,
                "terms": polynomial_record(leading[s]),
                "scale": _powers(leading.scaled(s)[0]),
                "scaled": polynomial_record(leading.scaled(s)[1]),
                "dropped": [
                    {
                        "exponents": dict(powers),
                        "because": {
                            "monomial": _powers(condition.powers),
                            "relation": condition.relation.value,
                        },
                    }
                    for powers, condition in leading.dropped(s)
                ],
            }
            for s in sorted(leading.regimes.polyhedra)
        ],
    }


def place_record(place: Location) -> dict[str, Any]:
    """Which regime is closest to given numbers, and what each neglects."""
    return {
        "values": {name: str(value) for name, value in place.values},
        "closest": place.closest.name,
        "neglected": {entry.regime.name: float(entry.largest) for entry in place.table},
    }


def _monomial(symbols: tuple[str, ...], point: Point) -> dict[str, dict[str, int]]:
    powers = {name: power for name, power in zip(symbols, point, strict=True) if power}
    return {"exponents": powers}


def _powers(powers: RationalMonomial | tuple[tuple[str, int], ...]) -> dict[str, str]:
    ordered = sorted(powers, key=lambda item: symbol_order(item[0]))
    return {name: str(power) for name, power in ordered}


def _wall_record(wall: Wall, symbols: tuple[str, ...]) -> dict[str, Any]:
    """Exponents of the wall's monomial as offset + s * slope, for each residue of s."""
    return {
        "slope": {name: str(x) for name, x in zip(symbols, wall.slope, strict=True) if x},
        "offsets": [
            {name: str(x) for name, x in zip(symbols, offset, strict=True) if x}
            for offset in wall.offsets
        ],
    }
