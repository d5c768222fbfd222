"""Solution of effective dynamics: finite systems, particles, and series with an equation.

A derivation ends in exact data; what solves them knows no model. `system_solution` takes a finite
system.
"""

from pde.systems.exact import taylor, taylor_at
from pde.systems.invariants import first_integrals
from pde.systems.solution import system_curve, system_solution

__all__ = ["first_integrals", "system_curve", "system_solution", "taylor", "taylor_at"]
