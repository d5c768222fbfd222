"""Sums of diagrams as arrays of packed factors, for almost all diagrams.

`packing` and `packed_sums` are the format; `labelling` and `colour_refinement` make it canonical;
`merging` and `integration_by_parts` are the arithmetic, `contraction_table` keeps expectations
(with `row_numbers` and `carried`), and `representation` puts them together. `kernel` is the same
labelling and integration compiled from C. Used by `diagrams.engine` alone.
"""
