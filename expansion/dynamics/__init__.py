"""Effective dynamics: the leading dynamics of a regime, derived from the loss of its problem.

Here live dynamic scales, separation, coincidence, the reduced potential and its hierarchy of cores,
and the exact systems of equations they end in. It stands on `diagrams` and on the rest of
`expansion`; `pde` integrates and sums what is derived here.
"""
