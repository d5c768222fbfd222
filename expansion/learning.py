"""How much of the target a regime sees, from the numbers of target factors on its leading terms.

A regime is *free* if no leading monomial contains the target, *lazy* if the largest number of its
factors stays the same from one period of s to the next, and *rich* if it grows. A number that does
one thing in one period and another thing in the next decides nothing.

>>> learning({1: 2, 2: 2, 3: 2, 4: 2}, period=2).value, learning({0: 1, 1: 2, 2: 3}, period=1).value
('lazy', 'rich')
>>> learning({0: 0, 1: 2, 2: 2, 3: 2, 4: 2}, period=1).value
'lazy'
>>> learning({1: 0, 2: 0, 3: 2, 4: 2, 5: 2, 6: 2}, period=2).value
'unknown'

Source: ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["Learning", "learning"]


class Learning(StrEnum):
    """How much of the target a regime sees."""

    FREE = "free"
    LAZY = "lazy"
    RICH = "rich"
    UNKNOWN = "unknown"


def learning(most: Mapping[int, int], *, period: int) -> Learning:
    """The learning of a regime.

    Parameters
    ----------
    most : mapping from int to int
        For every s the largest number of target factors on a leading monomial.
    period : int
        The period of the vertices in s.
    """
    if not any(most.values()):
        return Learning.FREE
    found = _growth(most, period)
    if found is Learning.UNKNOWN and 0 in most:
        # Y_0 is without its pure-target term, so that its leading terms may be of another kind.
        found = _growth({s: count for s, count in most.items() if s}, period)
    return found


def _growth(most: Mapping[int, int], period: int) -> Learning:
    """Whether the numbers grow from one period to the next, or stay the same."""
    for span in (period, 2 * period):  # the number may grow at every second s only
        steps: dict[int, set[int]] = {}
        for s, count in most.items():
            if s - span in most:
                steps.setdefault(s % span, set()).add(count - most[s - span])
        growth = [step for found in steps.values() for step in found]
        if span > period and len(steps) < span:
            break  # too few to see a longer period
        if growth and min(growth) >= 0 and all(len(found) == 1 for found in steps.values()):
            return Learning.RICH if max(growth) else Learning.LAZY
    return Learning.UNKNOWN
