"""Exact polyhedral geometry: cones, convex hulls, faces, Newton polyhedra, Pareto sets.

Points are tuples of integers and everything is exact, in any dimension. It knows nothing of
diagrams or series, imports no other module of `expansion`, and is used by the maps of regimes.
"""
