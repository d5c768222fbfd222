"""Gradient flow of a problem at finite sizes, simulated.

Loss and gradient come from the problem's own description by networks, so every model that can be
expanded can be simulated: `networks` and `planning` make a program of contractions (`program`),
`gradient` differentiates it, `integrate` follows one run, `ensemble` many, in several processes.
Import the names below. It stands on `expansion.problem` and knows no expansion.

>>> from expansion.models import cp
>>> result = simulate(cp(order=3), at={"p": 2, "H": 3, "sigma2": 0.1}, times=[0.0, 0.5], runs=2)
>>> sorted(trajectory_record(result))
['mean', 'runs', 'seed', 'standard_error', 't']

Source: Yarotsky, Golikov, Gusev 2026, appendix L; the algorithms are ours.
"""

from diagflow.simulation.ensemble import initial_tensors, simulate
from diagflow.simulation.gradient import LossGradient
from diagflow.simulation.integrate import METHODS, LossPath, integrate
from diagflow.simulation.trajectory import Trajectory, trajectory_record

__all__ = [
    "METHODS",
    "LossGradient",
    "LossPath",
    "Trajectory",
    "initial_tensors",
    "integrate",
    "simulate",
    "trajectory_record",
]

Path = LossPath  # its former name
