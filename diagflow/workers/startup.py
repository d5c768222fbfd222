"""The start of a process of the application, before its command.

Source: ours.
"""

from __future__ import annotations

import sys

__all__ = ["import_igraph_without_matplotlib"]


def import_igraph_without_matplotlib() -> None:
    """Import igraph without the plotting library that it would load for drawings of its own.

    That takes a second, more than most commands, and matplotlib is optional to igraph. Only for a
    process that is all the application's: pictures of igraph cannot be drawn in it. Matplotlib
    itself can be imported afterwards as always.

    Examples
    --------
    >>> import_igraph_without_matplotlib()
    >>> import igraph
    >>> igraph.Graph.Ring(4).count_automorphisms()
    8
    """
    name = "matplotlib"
    if sys.modules.keys() & {name, "igraph"}:
        return
    sys.modules[name] = None  # type: ignore[assignment]  # an import of it fails
    try:
        import igraph  # noqa: F401
    finally:
        del sys.modules[name]


load_graphs = import_igraph_without_matplotlib  # its former name
