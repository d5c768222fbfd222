"""Solved regimes: one file each, with data, conditions and source.

The algorithms live once, in the modules above; a file here names those that apply to its regimes,
in which variables, and exports ``SOLVERS``. Import `SOLVERS` from this package; `pde.solving` tries
them in order. To add one, see CONTRIBUTING.md.
"""

from __future__ import annotations

from pde.solutions import (
    asymmetric_mean_field,
    asymmetric_narrow,
    asymmetric_order2,
    finite_data,
    finite_data_mean_field,
    finite_data_narrow,
    finite_data_small,
    free_evolution,
    modular_addition,
    symmetric_even,
    symmetric_order2,
)
from pde.solver import Solver

__all__ = ["SOLVERS"]

SOLVERS: tuple[Solver, ...] = (
    *symmetric_order2.SOLVERS,
    *symmetric_even.SOLVERS,
    *free_evolution.SOLVERS,
    *asymmetric_order2.SOLVERS,
    *asymmetric_mean_field.SOLVERS,
    *asymmetric_narrow.SOLVERS,
    *modular_addition.SOLVERS,
    *finite_data.SOLVERS,
    *finite_data_mean_field.SOLVERS,
    *finite_data_narrow.SOLVERS,
    *finite_data_small.SOLVERS,
)
"""All solvers; the first that applies is used."""
