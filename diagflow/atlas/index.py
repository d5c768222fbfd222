"""The index of an atlas: a card for every problem, filters, a comparison, the table of regimes.

>>> text = index_page([entry("cp", "cp-order-2.html", {"regimes": [], "problem": None}, "<svg/>")])
>>> "cp-order-2.html" in text
True

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import diagflow
from diagflow.atlas.page import embedded_json, filled, static

__all__ = ["entry", "index_page"]


def entry(name: str, file: str, record: Mapping[str, Any], thumbnail: str) -> dict[str, Any]:
    """The entry of a problem in the index.

    Parameters
    ----------
    name : str
        As it is written on the command line.
    file : str
        The name of its page.
    record : mapping
        Of its page, see `diagflow.atlas.record`.
    thumbnail : str
        Its map as SVG.
    """
    problem = record.get("problem") or {}
    options = problem.get("options", {})
    regimes = record.get("regimes", [])
    return {
        "name": name,
        "file": file,
        "title": problem.get("title", name),
        "words": problem.get("words") or problem.get("title", name),
        "model": problem.get("model", ""),
        "family": problem.get("family", ""),
        "preset": problem.get("preset"),
        "order": options.get("order", options.get("depth", options.get("degree"))),
        "symmetric": options.get("symmetric"),
        "data": options.get("data"),
        "target": options.get("target"),
        "symbols": [symbol["name"] for symbol in record.get("symbols", [])],
        "last_term": record.get("last_term"),
        "thumbnail": thumbnail,
        "missing": list(record.get("missing", [])),
        "ways": dict(Counter(regime["solved"] for regime in regimes)),
        "regimes": [
            {
                "name": regime["name"],
                "dimension": regime["dimension"],
                "learning": regime["learning"],
                "time": regime["natural_time"]["text"],
                "conditions": ", ".join(row["text"] for row in regime["conditions"]),
                "solved": regime["solved"],
            }
            for regime in regimes
        ],
    }


def index_page(
    entries: Sequence[Mapping[str, Any]], failed: Mapping[str, str] | None = None
) -> str:
    """The index as a self-contained page beside those of the problems.

    Parameters
    ----------
    entries : sequence of mapping
        As `entry` makes them.
    failed : mapping from str to str, optional
        Problems without a page, and why.
    """
    record = {
        "generator": f"diagflow {diagflow.__version__}",
        "problems": list(entries),
        "failed": dict(failed or {}),
    }
    return filled(
        "index.html",
        style=static("explorer.css") + static("index.css"),
        script=static("index.js"),
        data=embedded_json(record),
    )
