"""Names of vertex sequences and regimes.

The vertices of the CP models have names in the literature: A and B see no target (free evolution of
a small and of a large rank), C sees a bounded part of it, D and E learn (large and small rank). The
names are given by these properties, not by exponents, so that they hold for every order.

The weight-tied linear autoencoder on finite data has a triangular prism: three free, rich or small
faces around the CP triangle A, B, E, and one face for much and one for little data. An edge or a
vertex is named by the faces that meet there.

Sequences of other problems are called V1, V2, ... in the order of their slopes and offsets; a
regime of many vertices is called F1, F2, ... instead of by all of them.

>>> regime_name(["A", "B"]), regime_name(["A", "E"]), regime_name(["V1", "V3"])
('A-B', 'E-A', 'V1-V3')
>>> regime_name(["large-data & narrow-latent & free", "small-data & narrow-latent & free"])
'narrow-latent & free'

Source: Yarotsky, Golikov, Gusev 2026, tables 1 and 2; the properties and the prism are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from expansion.vertex_sequences import VertexSequence

__all__ = ["CP_FAMILIES", "natural_key", "regime_name", "regime_names", "sequence_names"]

CP_FAMILIES = frozenset({"cp", "autoencoder", "tied-autoencoder"})
"""Families of problems whose vertices have the names of the CP models."""

_LETTERS = {
    "free": {1: ("A",), 2: ("A", "B")},
    "lazy": {0: (), 1: ("C",)},
    "rich": {0: (), 1: ("E",), 2: ("E", "D")},
}
"""Names for each kind of learning, from the smallest power of the rank to the largest."""

_PRISM_FACES = ("large-data", "small-data", "mean-field", "narrow-latent", "free")
"""The two triangles of the prism and its three other faces."""

_SIDES = {
    "A": ("narrow-latent", "free"),
    "B": ("mean-field", "free"),
    "E": ("mean-field", "narrow-latent"),
}
"""The faces that meet at the three edges along the number of data."""

_PARTS = re.compile(r"([^0-9]*)([0-9]*)")

_AND = " & "

_MOST_IN_NAME = 5
"""Vertices that are spelled out in the name of a regime."""

_CP_SYMBOLS = {"p", "H", "sigma2"}
"""With further symbols, such as those of a teacher, the polyhedron is another one."""


def natural_key(name: str) -> tuple[tuple[str, int], ...]:
    """What names are sorted by, so that V2 comes before V10.

    Examples
    --------
    >>> sorted(["V10", "V2", "V1-V10", "V1-V2", "A"], key=natural_key)
    ['A', 'V1-V2', 'V1-V10', 'V2', 'V10']
    """
    return tuple((text, int(digits or -1)) for text, digits in _PARTS.findall(name))


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
    if family in CP_FAMILIES and {"H", "N"} <= set(symbols):
        named = _prism_names(sequences, learning, tuple(symbols))
        if named is not None:
            return named
    elif family in CP_FAMILIES and "H" in symbols and set(symbols) <= _CP_SYMBOLS:
        named = _cp_names(sequences, learning, tuple(symbols).index("H"))
        if named is not None:
            return named
    return {sequence: f"V{number}" for number, sequence in enumerate(sequences, start=1)}


def regime_name(vertices: Sequence[str]) -> str:
    """The name of a regime from the names of its vertices in natural order.

    The edge that closes the polygon of the CP models is written E-A, as in the literature. Vertices
    that are named by faces meet in the faces they have in common.
    """
    if all(_AND in name for name in vertices):
        shared = set.intersection(*(set(name.split(_AND)) for name in vertices))
        return _AND.join(face for face in _PRISM_FACES if face in shared) or "prism"
    return "E-A" if tuple(vertices) == ("A", "E") else "-".join(vertices)


def regime_names(vertices: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The names of regimes, in a fixed order, from the names of their vertices in natural order.

    A regime of more than five vertices, or one that shares them with another one, is called F1,
    F2, ... by its place among those.

    Examples
    --------
    >>> regime_names([["A", "B"], ["A", "B", "C", "D", "E"], ["V1", "V2", "V3", "V4", "V5", "V6"]])
    ('A-B', 'A-B-C-D-E', 'F1')
    """
    long = [regime_name(names) for names in vertices]
    names: list[str] = []
    number = 0
    for corners, name in zip(vertices, long, strict=True):
        many = len(corners) > _MOST_IN_NAME and not all(_AND in corner for corner in corners)
        if many or long.count(name) > 1:
            number += 1
            name = f"F{number}"
        names.append(name)
    return tuple(names)


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


def _prism_names(
    sequences: Sequence[VertexSequence],
    learning: Mapping[VertexSequence, str],
    symbols: tuple[str, ...],
) -> dict[VertexSequence, str] | None:
    """The vertices of the prism: those of the CP triangle, with much and with little data."""
    data = symbols.index("N")
    named: dict[VertexSequence, str] = {}
    for face in ("large-data", "small-data"):
        layer = [q for q in sequences if (q.slope[data] < 0) == (face == "small-data")]
        corners = _cp_names(layer, learning, symbols.index("H")) or {}
        # Without a target only the free face is left.
        if set(corners.values()) not in ({*_SIDES}, {"A", "B"}):
            return None
        named |= {q: _AND.join((face, *_SIDES[corner])) for q, corner in corners.items()}
    return named
