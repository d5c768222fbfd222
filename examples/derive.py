"""The equations of motion of what is left of the weights: run with `python examples/derive.py`."""

from diagflow import cp, derive, regimes

regime_set = regimes(cp(order=2, symmetric=True), terms=4)
print(derive(regime_set, "B-E"))
