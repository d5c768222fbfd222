"""Hierarchies of moments that are particles with a Gaussian average.

`hierarchy` is the infinite system, `particles` its characteristics, `common_drift` the case in
which all particles share one drift, `taylor` the exact coefficients. It stands on `pde.numerics`;
solutions use it.
"""
