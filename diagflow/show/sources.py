"""Where a solution comes from, in words for a reader: papers by name, this program by its version.

The solvers of `pde` write *ours* for what no paper has.

>>> source_text("ours").startswith("diagflow ")
True
>>> source_text("Yarotsky 2026, section 9; form without cancellation ours").partition("; ")[2]
'form without cancellation by diagflow 0.1.0'

Source: ours.
"""

from __future__ import annotations

import re

from diagflow.version import VERSION

__all__ = ["engine_name", "source_text"]

_ALONE = re.compile(r"(?:^|(?<=; ))ours\b")
_AFTER_WORDS = re.compile(r",? ours\b")


def engine_name() -> str:
    """The name of this program with its version."""
    return f"diagflow {VERSION}"


def source_text(source: str) -> str:
    """A source with the name and the version of this program in the place of *ours*.

    Parameters
    ----------
    source : str
        Of a solution or solver of `pde`.
    """
    return _AFTER_WORDS.sub(f" by {engine_name()}", _ALONE.sub(engine_name(), source))
