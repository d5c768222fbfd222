"""Sums of diagrams that are products of traces, as cyclic words.

`cyclic_words` are the letters and canonical forms, `merging` is the arithmetic, `representation`
puts them together. Used by `diagrams.engine` alone.
"""
