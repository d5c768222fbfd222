"""The kinds of drawings, apart from the drawing itself, so that the command line loads little.

>>> [what.value for what in What]
['blocks', 'terms', 'contractions']
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["MAXIMAL_PICTURES", "What"]

MAXIMAL_PICTURES = 60
"""So many pictures are drawn unless asked otherwise."""


class What(StrEnum):
    """The kinds of drawings."""

    BLOCKS = "blocks"
    TERMS = "terms"
    CONTRACTIONS = "contractions"
