"""Layer 2, exact algebra: from a problem to its coefficients, regimes and leading dynamics.

Problems (`problem`, with presets in `models` and `targets`, files in `problem_files`), exact
polynomials (`polynomial`), the series Y_0, Y_1, ... (`series`), the regimes (`regimes`, on the
polyhedra of `geometry`), their leading series (`leading`) and effective dynamics (`dynamics`). It
stands on `diagrams`, integrates nothing, and is exact throughout.
"""
