"""One style for all figures: colour-blind-safe colours, sizes of paper columns, whole files.

Readers with any of the common colour deficiencies can distinguish the colours of the palette;
hatches and line styles repeat the colours.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import DiagflowError, InvalidInputError
from expansion.regimes import Learning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "COLUMN_WIDTH",
    "EXTENSIONS",
    "LEARNING_FILL",
    "PAGE_WIDTH",
    "RESOLUTION",
    "FigureError",
    "article_fonts",
    "beside_formula",
    "check_figure_file",
    "dashes",
    "draw_to_file",
    "figure_style",
    "spans_decades",
    "wrapped",
    "write_figure",
]


class FigureError(DiagflowError):
    """A figure of something that is right could not be drawn."""

    code = "figure"


COLUMN_WIDTH = 3.4
"""Width of one column of a paper, in inches."""

PAGE_WIDTH = 7.0
"""Width of two columns."""

RESOLUTION = 300
"""Dots per inch of a figure in pixels."""

EXTENSIONS = ("svg", "pdf", "png")

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "blue": "#0072B2",
        "orange": "#E69F00",
        "green": "#009E73",
        "vermilion": "#D55E00",
        "purple": "#CC79A7",
        "sky": "#56B4E9",
        "yellow": "#F0E442",
        "grey": "#7F7F7F",
        "black": "#000000",
    }
)

LEARNING_FILL: Mapping[Learning, tuple[str, str]] = MappingProxyType(
    {
        Learning.FREE: ("#DCEBF5", ""),
        Learning.LAZY: ("#FBEBC8", "...."),
        Learning.RICH: ("#D6EFE6", "////"),
        Learning.UNKNOWN: ("#EEEEEE", ""),
    }
)
"""Colour and hatch of a region by how much is learnt there."""

_SETTINGS: Mapping[Any, Any] = MappingProxyType(
    {
        "font.size": 8,
        "axes.labelsize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "axes.linewidth": 0.6,
        "lines.linewidth": 1.2,
        "hatch.linewidth": 0.4,
        "mathtext.fontset": "cm",
        "svg.hashsalt": "diagflow",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
    }
)


_ARTICLE: Mapping[Any, Any] = MappingProxyType(
    {
        # Computer Modern has few letters; the others come from Stix.
        "font.family": ["cmr10", "STIXGeneral"],
        "axes.formatter.use_mathtext": True,
        "axes.unicode_minus": False,
    }
)

_DECADES = 100


@contextmanager
def figure_style() -> Iterator[None]:
    """The settings of all figures, for the time of a ``with`` block."""
    import matplotlib as mpl

    with mpl.rc_context(dict(_SETTINGS)):
        yield


@contextmanager
def article_fonts() -> Iterator[None]:
    """The letters of an article set by TeX in all figures, for the time of a ``with`` block."""
    import matplotlib as mpl

    with mpl.rc_context(dict(_ARTICLE)):
        yield


def spans_decades(values: NDArray[np.float64]) -> bool:
    """Whether positive values differ by more than a hundred, so that an axis is logarithmic.

    Parameters
    ----------
    values : array
        Finite.

    Examples
    --------
    >>> spans_decades(np.array([1.0, 200.0])), spans_decades(np.array([0.0, 200.0]))
    (True, False)
    """
    return bool(values.size and values.min() > 0 and values.max() > _DECADES * values.min())


def dashes(name: str) -> str:
    """The name of a regime as it is printed, with dashes between its vertices."""
    return name.replace("-", "\N{EN DASH}")


def beside_formula(text: str) -> str:
    """A text that stands in one line with a formula: Computer Modern has its dash there only."""
    import matplotlib as mpl

    if mpl.rcParams["font.family"][:1] != _ARTICLE["font.family"][:1]:
        return text
    return text.replace("\N{EN DASH}", "$\\mathrm{\N{EN DASH}}$")


def wrapped(name: str) -> tuple[str, ...]:
    """The printed name of a regime in one line, and with a line for each face that meets there.

    Examples
    --------
    >>> wrapped("small-data & free")[-1].splitlines()
    ['small–data &', 'free']
    """
    printed = dashes(name)
    broken = printed.replace(" & ", " &\n")
    return (printed,) if broken == printed else (printed, broken)


def check_figure_file(file: Path) -> None:
    """Reject a file that cannot become a figure, before work is spent on it.

    Raises
    ------
    InvalidInputError
        If the extension is not one of `EXTENSIONS` it is a folder, or the one it
        lies in does not exist or cannot be written.
    """
    if file.suffix.lstrip(".").lower() not in EXTENSIONS:
        raise InvalidInputError(
            f"figure {file}: its extension is not one of {', '.join(EXTENSIONS)}; rename it"
        )
    if not file.parent.is_dir():
        raise InvalidInputError(
            f"figure {file}: the folder {file.parent} does not exist; make it first"
        )
    if file.is_dir():
        raise InvalidInputError(f"figure {file}: is a folder; give the name of a file")
    if not os.access(file.parent, os.W_OK):
        raise InvalidInputError(
            f"figure {file}: the folder {file.parent} cannot be written; give another place"
        )


@contextmanager
def _quiet_fonts() -> Iterator[None]:
    """Without the remarks of the font library on dates, which a reproducible file leaves out."""
    logger = logging.getLogger("fontTools")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def write_figure(figure: Figure, file: Path) -> None:
    """Write a figure whole or not at all; the same figure gives the same bytes.

    Raises
    ------
    InvalidInputError
        If the file cannot be written.
    """
    check_figure_file(file)
    extension = file.suffix.lstrip(".").lower()
    dates: dict[str, None] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[
        extension
    ]
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(suffix=f".{extension}", dir=file.parent)
        os.close(handle)
        with _quiet_fonts():
            figure.savefig(temporary, dpi=RESOLUTION, metadata=dates)
        Path(temporary).chmod(0o644)
        os.replace(temporary, file)
    except OSError as error:
        raise InvalidInputError(
            f"figure {file}: cannot be written ({error.strerror}); give another place"
        ) from None
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def draw_to_file(draw: Callable[[], Figure], file: Path, *, what: str) -> None:
    """Draw a figure and write it, whole or not at all.

    Parameters
    ----------
    draw : callable
        Makes the figure, in the style of the project.
    file : Path
        An ``.svg``, ``.pdf`` or ``.png`` file.
    what : str
        What the figure shows, which is right without it: the numbers, the regimes.

    Raises
    ------
    InvalidInputError
        If the file cannot be written.
    FigureError
        If there is no such picture.
    """
    check_figure_file(file)
    try:
        with figure_style():
            write_figure(draw(), file)
    except DiagflowError:
        raise
    except Exception as error:
        # Whatever it is: the reader has what it shows, and a line instead of a traceback.
        reason = f"{type(error).__name__}: {error}".replace("\n", " ")
        raise FigureError(
            f"figure {file}: cannot be drawn ({reason}); {what} themselves are not in doubt, leave "
            "the figure out"
        ) from error
