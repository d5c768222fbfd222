"""The tools for recurrences of one's own are found where they were before they moved."""

from importlib import import_module

import pytest

PLACES = {
    "pde.algebraic": "pde.recurrences.algebraic",
    "pde.characteristics": "pde.characteristics.characteristics",
    "pde.equation": "pde.recurrences.equation",
    "pde.hadamard": "pde.recurrences.hadamard",
    "pde.recurrence": "pde.recurrences.recurrence",
    "pde.recurrence_search": "pde.recurrences.search",
    "pde.resummation": "pde.numerics.resummation",
}


@pytest.mark.parametrize(("former", "place"), PLACES.items())
def test_a_tool_is_found_at_its_former_place(former: str, place: str) -> None:
    old, new = import_module(former), import_module(place)
    assert old.__all__ == new.__all__
    assert all(getattr(old, name) is getattr(new, name) for name in new.__all__)
