"""A derivation as plain data, in the layout of the command line.

    {"regime": "C-D", "potential": [{"coefficient": "1/2", "cores": [...], "sizes": {"p": -1}}],
     "cores": [{"diagram": ..., "scale": "1"}], "kind": "finite", "coefficients": [...],
     "certificate": {"matched": [0, 1, ...]}}

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> from expansion.dynamics.derivation import derive
>>> record = derivation_record(derive(regimes(cp(order=2, symmetric=True), terms=4), "E"), 2)
>>> record["kind"], record["potential"][0]["coefficient"], record["certificate"]["matched"]
('finite', '-1', [0, 1, 2, 3, 4])

Source: ours.
"""

from __future__ import annotations

from typing import Any

from expansion.dynamics.derivation import EffectiveDynamics
from expansion.dynamics.hierarchy import CoreTerm
from expansion.dynamics.reduction import Coinciding, Separated
from expansion.polynomial import symbol_order
from expansion.series_records import polynomial_record

__all__ = ["derivation_record"]


def derivation_record(found: EffectiveDynamics, last: int | None) -> dict[str, Any]:
    """A derivation with its leading coefficients up to one; none if it is rejected.

    Parameters
    ----------
    found : EffectiveDynamics
    last : int, optional
        The last coefficient; None for none.
    """
    certificate = found.loss_certificate
    values = () if last is None or not certificate.holds else found.loss_coefficients(last)
    named = {core: f"c{number}" for number, (core, _) in enumerate(found.cores, start=1)}
    return {
        "family": found.problem.family,
        **dict(found.problem.options),
        **({} if found.loss == found.problem.loss_name else {"loss": found.loss}),
        "regime": found.regime.name,
        **({"rate_of_change": True} if found.rate_of_change else {}),
        "potential": [record for term in found.potential for record in _products(term)],
        "output": [record for term in found.output for record in _products(term)],
        "cores": [
            {
                "diagram": str(core),
                "scale": str(scale),
                "initial": polynomial_record(found.initial(core)),
                **({"random": f"g_{found.random.index(core) + 1}"} if core in found.random else {}),
            }
            for core, scale in found.cores
        ],
        "kind": found.kind.value,
        "derivatives": found.depth,
        "separated": [_separated(step) for step in found.steps if isinstance(step, Separated)],
        "coincided": [_coincided(step) for step in found.steps if isinstance(step, Coinciding)],
        "dropped": [
            {
                "where": named.get(item.core, item.where) if item.core else item.where,
                "products": _products(item.term),
                "order": str(item.order),
                "leading_order": str(item.leading),
            }
            for item in found.dropped
        ],
        "coefficients": [
            {"s": s, "terms": polynomial_record(value)} for s, value in enumerate(values)
        ],
        "certificate": {
            "matched": list(certificate.matched),
            "failed": list(certificate.failed),
            "holds": certificate.holds,
        },
    }


def _separated(step: Separated) -> dict[str, Any]:
    """A block that is replaced by its mean, and why."""
    split = step.split
    return {
        "block": str(split.block),
        "of": str(step.diagram),
        "variance_order": None if split.variance is None else str(split.variance),
        "square_order": None if split.square is None else str(split.square),
    }


def _coincided(step: Coinciding) -> dict[str, Any]:
    """A diagram that equals simpler ones to leading order."""
    leading = [{"diagram": str(diagram), "coefficient": str(c)} for diagram, c in step.leading]
    return {"diagram": str(step.diagram), "leading": leading, "scale": str(step.scale)}


def _products(term: CoreTerm) -> list[dict[str, Any]]:
    """One record for every monomial of a coefficient."""
    return [
        {
            "coefficient": str(c),
            "cores": [str(core) for core in term.cores],
            "sizes": dict(sorted(powers, key=lambda item: symbol_order(item[0]))),
        }
        for powers, c in term.coefficient
    ]
