"""Hierarchies of moments that are particles with a Gaussian average.

`hierarchy` is the infinite system, `particles` its characteristics, `common_drift` the case in
which all particles share one drift, `jacobi_flow` the moments of a matrix that is moved at its
first row, `taylor` the exact coefficients; `few_data`, `narrow_latent` and `complex_particle` are
systems of particles that are not Gaussian. It stands on `pde.numerics`; solutions use it.
"""
