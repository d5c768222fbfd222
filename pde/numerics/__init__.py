"""Numbers with a stated error: quadrature, approximants, resummation, special functions.

Floating point lives here, with tolerance or precision as an argument. It knows no regime; the other
folders of `pde` use it.
"""
