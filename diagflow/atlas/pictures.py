"""Diagrams for a page: the terms of Y_s with their multiplicities, cores and reduced potentials.

>>> from expansion.models import cp
>>> from expansion.series import LossSeries
>>> record = terms_record(LossSeries(cp(order=2)), 0)
>>> record["left_out"], len(record["items"])
(0, 2)

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from diagflow.drawing.appearance import Appearance
from diagflow.drawing.draw import term_items
from diagflow.drawing.svg import svg
from diagflow.show.derivation import latex as derivation_latex
from diagrams.diagram import Diagram
from expansion.series import LossSeries

if TYPE_CHECKING:
    from expansion.dynamics.derivation import EffectiveDynamics
    from expansion.dynamics.hierarchy import CoreTerm

__all__ = ["dynamics_record", "terms_record"]

_PICTURES = 40
"""Terms that are drawn at most, of all Y_s together."""

_CORES = 12
_TERMS = 8


def terms_record(series: LossSeries, last: int) -> dict[str, Any]:
    """The distinct diagrams of Y_0 ... Y_last, each with its coefficient and its expectation."""
    items = list(islice(term_items(series, last), _PICTURES))
    look = Appearance.of(diagram for diagram, _ in items)
    whole = sum(sum(1 for _ in series.diagrams(s)) for s in range(last + 1))
    return {
        "left_out": whole - len(items),
        "items": [
            {
                "svg": svg(diagram, look=look),
                "text": str(diagram),
                "caption": [line.strip("$") for line in caption.split("\n")],
            }
            for diagram, caption in items
        ],
    }


def dynamics_record(found: EffectiveDynamics) -> dict[str, Any]:
    """The cores of a regime and its reduced potential as drawn diagrams, with the equations."""
    cores = [core for core, _ in found.cores][:_CORES]
    shown = [*cores, *_of(found.potential), *_of(found.output)]
    look = Appearance.of(shown)
    names = {core: f"c_{{{number}}}" for number, (core, _) in enumerate(found.cores, start=1)}
    text = derivation_latex(found, 0)
    start, end = text.index("\\begin{align*}"), text.index("\\end{align*}")
    return {
        "kind": found.kind.value,
        "certificate": str(found.certificate),
        "equations": text[start:end] + "\\end{align*}",
        "cores": [
            {
                "name": names[core],
                "svg": svg(core, look=look),
                "text": str(core),
                "scale": str(scale),
                "initial": found.initial(core).latex(),
            }
            for core, scale in found.cores[:_CORES]
        ],
        "cores_left_out": max(0, len(found.cores) - _CORES),
        "potential": [_term(term, look) for term in found.potential[:_TERMS]],
        "potential_left_out": max(0, len(found.potential) - _TERMS),
    }


def _of(terms: Iterable[CoreTerm]) -> list[Diagram]:
    return [core for term in terms for core in term.cores]


def _term(term: CoreTerm, look: Appearance) -> dict[str, Any]:
    return {
        "coefficient": term.coefficient.latex(),
        "factors": [
            {"svg": svg(core, look=look), "text": str(core), "power": power}
            for core, power in Counter(term.cores).items()
        ],
    }
