"""A loss in closed form, with its certificate: run with `python examples/solve.py`."""

from fractions import Fraction

from diagflow import cp, solve

at = {"p": 512, "H": 256, "sigma2": Fraction(1, 512)}
loss = solve(cp(order=2, symmetric=True), "A-B-E", at=at)
print(loss.formula())
print("certified at s =", loss.certificate.matched)
for t, value in zip((0, 0.5, 1), loss([0, 0.5, 1]), strict=True):
    print(f"E[L({t})] = {value:.6f}")
print("for ever:", loss.limit(), " to 30 digits at t = 1:", loss.precise(1, 30))
