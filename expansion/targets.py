"""Targets of the CP family: what the model is fitted to.

A target of order nu is a sum of networks with nu open indices on the axis p. To add one, add a
function to `TARGETS`; nothing else has to know.

>>> [network.output for network in TARGETS["identity"](3)]
[('i', 'i', 'i')]
>>> TARGETS["zero"](3)
()

Source: Yarotsky, Golikov, Gusev 2026, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from diagrams.network import Network

__all__ = ["TARGETS", "identity", "zero"]


def identity(order: int) -> tuple[Network, ...]:
    """F = 1 where all indices agree and 0 elsewhere."""
    return (Network((), ("i",) * order),)


def zero(order: int) -> tuple[Network, ...]:
    """F = 0: free evolution."""
    return ()


TARGETS: Mapping[str, Callable[[int], tuple[Network, ...]]] = MappingProxyType(
    {"identity": identity, "zero": zero}
)
"""Targets by name, as functions of the order."""
