"""From coefficients to equations: recurrences, their generating functions, algebraic equations.

`recurrence` checks, `search` finds by exact linear algebra, `equation` is the theorem that turns a
recurrence into a differential equation. It stands on `expansion.polynomial`; solutions use it.
"""
