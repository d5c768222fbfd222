"""Layer 1, graphs: diagrams, their mergers and their contractions.

Axes and tensors (`tensors`), diagrams in canonical form (`diagram`, `canonical`, `text`), linear
combinations (`sums`), models and targets with open indices (`network`), merging (`merge`),
expectations (`wick`), and the flow that derives a sum again and again (`flow`). These are the
definitions; the bulk engine behind the flow is a wing of its own, entered by `diagrams.engine`.
Nothing here knows polynomials in sizes or differential equations, or imports another package.
"""
