"""Correlators of a network at the start, exactly: run with `python examples/correlators.py`."""

from diagflow import correlators, mlp_linear
from diagflow.show.correlators import text

print(text(correlators(mlp_linear(depth=2))), end="")
