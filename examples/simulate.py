"""Gradient flow at finite sizes: run with `python examples/simulate.py`."""

from fractions import Fraction

from diagflow import cp, simulate

at = {"p": 32, "H": 16, "sigma2": Fraction(1, 32)}
print(simulate(cp(order=2, symmetric=True), at=at, times=[0, 0.25, 0.5, 1], runs=8, seed=1))
