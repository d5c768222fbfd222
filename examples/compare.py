"""Theory against simulation in a regime: run with `python examples/compare.py`."""

from fractions import Fraction

from diagflow import cp, simulate, solve

problem = cp(order=2, symmetric=True)
at = {"p": 128, "H": 64, "sigma2": Fraction(1, 128)}
times = [0, 0.1, 0.3, 1]
theory = solve(problem, "A-B-E", at=at)(times)
runs = simulate(problem, at=at, times=times, runs=8, seed=1)
for t, expected, mean, error in zip(times, theory, runs.mean, runs.standard_error, strict=True):
    print(f"t = {t:<4} theory {expected:8.4f}  simulated {mean:8.4f} +- {error:.4f}")
    assert abs(mean - expected) < 0.01 * theory[0]
