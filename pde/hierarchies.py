"""The hierarchy of cores behind a solution, for lists of solutions.

>>> print(HierarchySummary(HierarchyKind.FINITE, 5))
finite system, 5 cores
>>> print(HierarchySummary())
none

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["NO_HIERARCHY", "HierarchyKind", "HierarchySummary"]


class HierarchyKind(StrEnum):
    """Kinds of hierarchies of cores, by how they are solved."""

    FINITE = "finite system"
    RANDOM = "random order parameters"
    """A finite system that starts from Gaussian numbers and is averaged over them."""

    ONE_SITE = "one site"
    WORDS = "words"
    OPEN = "open"
    """Cores that make none of these; their first derivatives are known."""

    NONE = "none"
    """No cores: none were needed, or none were found."""


@dataclass(frozen=True, slots=True)
class HierarchySummary:
    """The kind of a hierarchy and how many of its cores were met.

    Parameters
    ----------
    kind : HierarchyKind
    cores : int, optional
        None if there are none.
    remark : str
        Why there are none, or what keeps the hierarchy from solving the regime; empty if it does.
    """

    kind: HierarchyKind = HierarchyKind.NONE
    cores: int | None = None
    remark: str = ""

    def __str__(self) -> str:
        if self.cores is None:
            return self.kind.value
        return f"{self.kind.value}, {self.cores} core{'s' if self.cores != 1 else ''}"


NO_HIERARCHY = HierarchySummary()
"""Of solutions that need no cores."""
