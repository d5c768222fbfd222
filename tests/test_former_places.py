"""What the documentation imported before modules moved is found where it was."""

from importlib import import_module

import pytest

PLACES = {
    "diagflow.regime_comparison": "diagflow.comparison.regime",
    "diagflow.show_regimes": "diagflow.show.regimes",
    "expansion.newton": "expansion.geometry.newton",
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
