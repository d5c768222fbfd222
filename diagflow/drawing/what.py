"""What can be drawn, apart from how, so that the command line knows it without drawing.

>>> [what.value for what in What]
['blocks', 'terms', 'contractions']
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["MAXIMAL_PICTURES", "What"]

MAXIMAL_PICTURES = 60
"""So many pictures are drawn unless asked otherwise."""


class What(StrEnum):
    """What is drawn."""

    BLOCKS = "blocks"
    TERMS = "terms"
    CONTRACTIONS = "contractions"
