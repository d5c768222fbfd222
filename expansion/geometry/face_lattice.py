"""The lattice of the compact faces of a convex hull, climbed from the vertices up.

A face is the set of the generators on it, written as the bits of an integer. Every face is an
intersection of facets; only the compact ones, those without a falling direction, are visited.

>>> from expansion.geometry.convex_hull import convex_hull
>>> square = convex_hull([(0, 0), (0, 1), (1, 0), (1, 1)])
>>> [len(layer) for layer in face_layers(square)]
[4, 4, 1]
>>> corner = convex_hull([(0, 0), (0, 1), (1, 0), (1, 1)], falls=((1, 0), (0, 1)))
>>> [len(layer) for layer in face_layers(corner)]
[1]

Source: the climb from closed sets to closed sets after Kaibel and Pfetsch 2002.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from expansion.geometry.convex_hull import Hull, bits

__all__ = ["LatticeFace", "face_layers"]


class LatticeFace(NamedTuple):
    """A face by its generators and its facets, and the generators of the faces that cover it."""

    members: int
    facets: int
    covers: tuple[int, ...]


def face_layers(hull: Hull) -> Iterator[tuple[LatticeFace, ...]]:
    """The compact faces by dimension: first the vertices, then the edges, and so on.

    Yields
    ------
    tuple of LatticeFace
        The compact faces of one dimension, sorted by their generators. The covers of a face are all
        faces of one dimension more that contain it, compact or not.
    """
    number_of_points = len(hull.points)
    incidence = [0] * (number_of_points + len(hull.falls))
    for number, tight in enumerate(hull.tight):
        for generator in bits(tight):
            incidence[generator] |= 1 << number
    layer = {
        1 << number: incidence[number]
        for number in range(number_of_points)
        if _closure(hull, incidence[number]) == 1 << number
    }
    while layer:
        faces = []
        following: dict[int, int] = {}
        for members, facets in sorted(layer.items()):
            hull.tick()
            covers = {}
            for cover in _covers(hull, incidence, members, facets):
                covers[_closure(hull, cover)] = cover
            faces.append(LatticeFace(members, facets, tuple(sorted(covers))))
            for larger, cover in covers.items():
                if not larger >> number_of_points:
                    following[larger] = cover
        yield tuple(faces)
        layer = following


def _closure(hull: Hull, facets: int) -> int:
    """The generators on all of some facets."""
    members = (1 << (len(hull.points) + len(hull.falls))) - 1
    for number in bits(facets):
        members &= hull.tight[number]
    return members


def _covers(hull: Hull, incidence: Sequence[int], members: int, facets: int) -> list[int]:
    """The sets of facets of the smallest faces that are larger than a face."""
    near = 0
    for number in bits(facets):
        near |= hull.tight[number]
    candidates = {facets & incidence[generator] for generator in bits(near & ~members)}
    if not candidates:
        return [0] if facets else []
    return [
        some
        for some in candidates
        if not any(some != other and some & other == some for other in candidates)
    ]
