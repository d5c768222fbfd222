"""Sums of diagrams as arrays of packed factors, for almost all diagrams.

`packing` and `packed_sums` are the format; `labelling` and `colour_refinement` make it canonical;
`merging` and `integration_by_parts` are the arithmetic, `contraction_table` keeps expectations, and
`representation` puts them together. Used by `diagrams.engine` alone.
"""
