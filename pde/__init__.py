"""Layer 3, summation: from leading coefficients to the evolution of the loss.

The coefficients of a leading series obey a recurrence (`recurrences`), hence a first-order
equation, which characteristics solve (`characteristics`, `moments`); derived dynamics are
integrated by kind (`systems`). `solutions` has what is known in closed form; `solving` chooses, and
certifies against the exact coefficients. It stands on `expansion` and `diagrams`.
"""
