"""Problems as TOML: reading a document, declaring axes and tensors, writing the losses down.

A file may come from anybody: what is read is bounded, and nothing in it is evaluated. Import
`problem_file`; it stands on `expansion.problem` and on the formulas of `expansion.formula_parser`.
"""
