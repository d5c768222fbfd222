"""Names of vertices: those of the literature where their properties fit, numbers elsewhere."""

from fractions import Fraction
from itertools import pairwise

import pytest

from expansion.polynomial import Polynomial
from expansion.regime_names import natural_key, regime_name, sequence_names
from expansion.regime_records import regimes_record
from expansion.regimes import regimes
from expansion.vertex_sequences import VertexSequence

SYMBOLS = ("p", "H", "N", "sigma2")


def vertex(H: int, N: int = 0, *, offset: int = 0) -> VertexSequence:
    """A sequence with given slopes in H and N."""
    zero = Fraction(0)
    return VertexSequence(
        slope=(zero, Fraction(H), Fraction(N), zero),
        offsets=((zero, Fraction(offset), zero, zero),),
        start=0,
    )


def names(
    learning: dict[VertexSequence, str], *, family: str | None = "cp", data: bool = False
) -> list[str]:
    """The names, in the order of the vertices."""
    places = range(4) if data else (0, 1, 3)
    cut = {
        VertexSequence(
            slope=tuple(v.slope[k] for k in places),
            offsets=tuple(tuple(offset[k] for k in places) for offset in v.offsets),
            start=v.start,
        ): kind
        for v, kind in learning.items()
    }
    found = sequence_names(
        tuple(cut), learning=cut, symbols=[SYMBOLS[k] for k in places], family=family
    )
    return [found[sequence] for sequence in cut]


PENTAGON = {
    vertex(2): "free",
    vertex(1): "free",
    vertex(3): "lazy",
    vertex(1, offset=2): "rich",
    vertex(1, offset=1): "rich",
}


def test_letters_go_by_learning_and_then_by_the_power_of_the_rank() -> None:
    assert names(PENTAGON) == ["B", "A", "C", "D", "E"]
    assert names(dict(reversed(PENTAGON.items()))) == ["E", "D", "C", "A", "B"]


@pytest.mark.parametrize(
    "learning",
    [
        {vertex(1): "free", vertex(2): "free", vertex(3): "free"},
        {vertex(1): "free", vertex(2): "lazy", vertex(3): "lazy"},
        {vertex(1): "free", **{vertex(k): "rich" for k in (2, 3, 4)}},
        {vertex(1): "rich", vertex(2): "lazy"},  # nothing is free
        {vertex(1): "free", vertex(2): "another kind"},
    ],
)
def test_vertices_without_the_properties_of_the_literature_are_numbered(
    learning: dict[VertexSequence, str],
) -> None:
    assert names(learning) == [f"V{number}" for number in range(1, len(learning) + 1)]


def test_other_families_have_numbers() -> None:
    assert names(PENTAGON, family="two-layer") == names(PENTAGON, family=None)
    assert names(PENTAGON, family=None) == ["V1", "V2", "V3", "V4", "V5"]


def prism(*, corners: tuple[str, str, str] = ("free", "free", "rich")) -> dict[VertexSequence, str]:
    """Three vertices with much and three with little data, for which N has a negative power."""
    triangle = [vertex(H, -N) for N in (0, 1) for H in (1, 2, 3)]
    return dict(zip(triangle, ("free", "free", "rich", *corners), strict=True))


def test_the_vertices_of_a_prism_have_the_names_of_their_faces() -> None:
    assert names(prism(), family="tied-autoencoder", data=True) == [
        "large-data & narrow-latent & free",
        "large-data & mean-field & free",
        "large-data & mean-field & narrow-latent",
        "small-data & narrow-latent & free",
        "small-data & mean-field & free",
        "small-data & mean-field & narrow-latent",
    ]


@pytest.mark.parametrize(
    "corners",
    [("free", "rich", "rich"), ("free", "lazy", "rich"), ("free", "free", "free")],
)
def test_what_is_no_prism_is_numbered(corners: tuple[str, str, str]) -> None:
    found = names(prism(corners=corners), family="tied-autoencoder", data=True)
    assert found == ["V1", "V2", "V3", "V4", "V5", "V6"]


def test_regimes_meet_in_the_faces_that_their_vertices_share() -> None:
    corners = names(prism(), family="tied-autoencoder", data=True)
    assert regime_name(corners) == "prism"
    assert regime_name(corners[:3]) == "large-data"
    assert regime_name([corners[1], corners[4]]) == "mean-field & free"
    assert regime_name(["B", "E"]) == "B-E"


def test_more_than_nine_vertices_are_listed_in_natural_order() -> None:
    """Powers of a polynomial whose Newton polygon has twelve vertices."""
    base = Polynomial({(("H", 80 - k * (k + 1) // 2), ("p", k)): 1 for k in range(12)})
    series = [base]
    for _ in range(3):
        series.append(series[-1] * base)
    found = regimes(series)
    names = [f"V{number}" for number in range(1, 13)]
    edges = [f"{name}-{after}" for name, after in pairwise(names)]
    assert [regime.name for regime in found] == [*names, *edges]
    assert [row["name"] for row in regimes_record(found)["regimes"]] == [*names, *edges]
    assert found["V10-V9"].vertices == ("V9", "V10")
    assert sorted(edges, key=natural_key) == edges
