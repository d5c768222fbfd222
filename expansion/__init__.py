"""Layer 2, exact algebra: from a problem to the exact coefficients of its loss expansion.

Problems (`problem`, with presets in `models` and `targets`), exact polynomials (`polynomial`), the
series Y_0, Y_1, ... (`series`) and its plain-data form (`records`).
"""
