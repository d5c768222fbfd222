"""Solution of effective dynamics: finite systems, particles, and series with an equation.

A derivation ends in exact data; what solves them knows no model. `system_solution` takes a finite
system, `mixed_solution` one that starts from Gaussian numbers, `site_solution` a potential of
bundles on one site, `spectrum_solution` chains of cores that are moments of a spectrum,
`singular_solution` words of one large matrix, `free_solution` words of several, `series_solution`
exact coefficients alone. Import the names below; it stands on `expansion.dynamics` and
`pde.numerics`, and `pde.effective` uses it.
"""

from pde.systems.averages import site_curve, site_solution
from pde.systems.exact import taylor, taylor_at
from pde.systems.free_matrices import free_curve, free_solution
from pde.systems.guess import find_equation
from pde.systems.invariants import first_integrals
from pde.systems.laws import GAUSSIAN, RADEMACHER, UNIFORM, StartLaw
from pde.systems.mixed import mixed_curve, mixed_solution
from pde.systems.singular_values import singular_curve, singular_solution
from pde.systems.site import SiteProblem
from pde.systems.solution import system_curve, system_solution
from pde.systems.spectra import spectrum_curve, spectrum_solution
from pde.systems.words import CONFIRMED, equation_curve, series_curve, series_solution

__all__ = [
    "CONFIRMED",
    "GAUSSIAN",
    "RADEMACHER",
    "UNIFORM",
    "SiteProblem",
    "StartLaw",
    "equation_curve",
    "find_equation",
    "first_integrals",
    "free_curve",
    "free_solution",
    "mixed_curve",
    "mixed_solution",
    "series_curve",
    "series_solution",
    "singular_curve",
    "singular_solution",
    "site_curve",
    "site_solution",
    "spectrum_curve",
    "spectrum_solution",
    "system_curve",
    "system_solution",
    "taylor",
    "taylor_at",
]
