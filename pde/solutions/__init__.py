"""Solved regimes: one file each, with data, conditions and source.

The algorithms live once, in the modules above; a file here says which of them apply to its regimes,
in which variables, and exports ``SOLVERS``.
"""

from __future__ import annotations

from pde.solver import Solver

__all__ = ["SOLVERS"]

SOLVERS: tuple[Solver, ...] = ()
"""All solvers, the most special first."""
