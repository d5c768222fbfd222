"""Layer 1, graphs: diagrams, their mergers and their contractions.

Axes and tensors (`tensors`), diagrams in canonical form (`diagram`, `canonical`, `text`), linear
combinations (`sums`), models and targets with open indices (`network`), merging (`merge`),
expectations (`wick`), and the engine that does both in bulk (`flow` on top of `traces` and
`arrays`). Nothing here knows polynomials in sizes or differential equations.
"""
