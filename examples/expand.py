"""Exact coefficients of a loss, polynomials in the sizes: run with `python examples/expand.py`."""

from fractions import Fraction

from diagflow import cp, loss_series

series = loss_series(cp(order=3, symmetric=True))
for s in range(3):
    print(f"Y_{s} = {series[s]}")
print("Y_2 at p = 4, H = 2, sigma2 = 1/10:", series[2].evaluate(p=4, H=2, sigma2=Fraction(1, 10)))
