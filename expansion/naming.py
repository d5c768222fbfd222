"""Names of vertex sequences and regimes.

The vertices of the CP models have names in the literature: A and B see no target (free evolution of
a small and of a large rank), C sees a bounded part of it, D and E learn (large and small rank). The
names are given by these properties, not by exponents, so that they hold for every order. Sequences
of other problems are called V1, V2, ... in the order of their slopes and offsets.

>>> regime_name(["A", "B"]), regime_name(["A", "E"]), regime_name(["V1", "V3"])
('A-B', 'E-A', 'V1-V3')

Source: Yarotsky, Golikov, Gusev 2026, tables 1 and 2; the properties are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from expansion.vertex_sequences import VertexSequence

__all__ = ["CP_FAMILIES", "regime_name", "sequence_names"]

CP_FAMILIES = frozenset({"cp", "autoencoder", "tied-autoencoder"})
"""Families of problems whose vertices have the names of the CP models."""

_LETTERS = {
    "free": {1: ("A",), 2: ("A", "B")},
    "lazy": {0: (), 1: ("C",)},
    "rich": {0: (), 1: ("E",), 2: ("E", "D")},
}
"""Names for each kind of learning, from the smallest power of the rank to the largest."""


def sequence_names(
    sequences: Sequence[VertexSequence],
    *,
    learning: Mapping[VertexSequence, str],
    symbols: Sequence[str],
    family: str | None,
) -> dict[VertexSequence, str]:
    """A name for every vertex sequence.

    Parameters
    ----------
    sequences : sequence of VertexSequence
    learning : mapping from VertexSequence to str
        The learning of the regime of each vertex alone.
    symbols : sequence of str
        The order of the exponents.
    family : str or None
        The family of the problem, if the series comes from one.
    """
    if family in CP_FAMILIES and "H" in symbols:
        named = _cp_names(sequences, learning, tuple(symbols).index("H"))
        if named is not None:
            return named
    return {sequence: f"V{number}" for number, sequence in enumerate(sequences, start=1)}


def regime_name(vertices: Sequence[str]) -> str:
    """The name of a regime from the sorted names of its vertices.

    The edge that closes the polygon of the CP models is written E-A, as in the literature.
    """
    return "E-A" if tuple(vertices) == ("A", "E") else "-".join(vertices)


def _cp_names(
    sequences: Sequence[VertexSequence], learning: Mapping[VertexSequence, str], rank: int
) -> dict[VertexSequence, str] | None:
    named: dict[VertexSequence, str] = {}
    for kind, letters in _LETTERS.items():
        of_kind = sorted(
            (sequence for sequence in sequences if learning[sequence] == kind),
            key=lambda q: (q.slope[rank], tuple(offset[rank] for offset in q.offsets)),
        )
        if len(of_kind) not in letters:
            return None
        named.update(zip(of_kind, letters[len(of_kind)], strict=True))
    return named if len(named) == len(sequences) else None
