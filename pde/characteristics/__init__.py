"""First-order equations solved along their characteristics.

`characteristics` gives formulas where there are any, `integrable` the cases that integrate in
closed form. It stands on `pde.recurrences` and `pde.numerics`; solutions use it.
"""
