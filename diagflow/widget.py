"""The page of a problem as a widget of Jupyter: ``regimes(problem)`` shows it in a notebook.

The widget is the page of `diagflow.atlas` in a frame, with the regime that is chosen there as its
trait ``regime``, in both directions. It needs the package anywidget (MIT licence), which is
installed by ``pip install 'diagflow[widget]'``; without it a notebook shows the table of regimes.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> text = widget_page(regimes(cp(order=2, symmetric=True), terms=4), seconds=0.001)
>>> text.startswith("<!DOCTYPE html>")
True

Source: ours.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from diagflow.atlas.page import page, static
from diagflow.atlas.record import explorer_record
from diagflow.report.article import solutions
from diagflow.time_limit import TimeLimit
from diagrams.errors import InvalidInputError
from expansion.regimes import Regimes

__all__ = ["explorer", "is_available", "widget_bundle", "widget_page"]

_SECONDS = 5.0
"""What the solutions may take of the time of a notebook."""

_HEIGHT = 720
"""Of the frame, in pixels."""


def is_available() -> bool:
    """Whether anywidget is installed."""
    return find_spec("anywidget") is not None


def widget_page(regime_set: Regimes, *, seconds: float | None = _SECONDS) -> str:
    """The page that the widget shows, without simulations, cores and tables.

    Parameters
    ----------
    regime_set : Regimes
    seconds : float, optional
        Limit on the solutions together; regimes that are not reached say so.
    """
    limit = TimeLimit.begun(seconds, "the widget")
    return page(explorer_record(regime_set, solutions(regime_set, limit=limit)))


def explorer(
    regime_set: Regimes, *, seconds: float | None = _SECONDS, height: int = _HEIGHT
) -> Any:
    """The widget.

    Parameters
    ----------
    regime_set : Regimes
    seconds : float, optional
        Limit on the solutions together.
    height : int
        Of the frame, in pixels.

    Returns
    -------
    anywidget.AnyWidget
        Its trait ``regime`` is the name of the regime that is chosen, empty if none is.

    Raises
    ------
    InvalidInputError
        If anywidget is not installed.
    """
    if not is_available():
        raise InvalidInputError(
            "widget: needs anywidget, which is not installed; install it with "
            "pip install 'diagflow[widget]', or write a page with report --html"
        )
    return _widget_class()(page=widget_page(regime_set, seconds=seconds), height=height)


def widget_bundle(regime_set: Regimes) -> Any:
    """What a notebook shows of some regimes in place of their table; None without anywidget."""
    if not is_available():
        return None
    bundle = explorer(regime_set)._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    # The text and the table of the regimes remain, for what shows no widgets.
    return {kind: value for kind, value in data.items() if kind != "text/plain"}, metadata


@lru_cache(maxsize=1)
def _widget_class() -> Any:
    """The class of the widget, made when the first one is."""
    anywidget = import_module("anywidget")
    traitlets = import_module("traitlets")

    class Explorer(anywidget.AnyWidget):  # type: ignore[name-defined,misc]
        """A page in a frame, and the regime that is chosen in it."""

        _esm = static("widget.js")
        page = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int(_HEIGHT).tag(sync=True)
        regime = traitlets.Unicode("").tag(sync=True)

    return Explorer
