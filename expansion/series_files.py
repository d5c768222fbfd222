"""Coefficients from a JSON file: the way in for a series that was computed elsewhere.

The file has the layout of ``diagflow expand --format json``, of which only ``coefficients`` is
needed. A file is a stranger's: its size and depth are limited, and nothing in it is evaluated.

Source: ours.
"""

from __future__ import annotations

import json
from pathlib import Path

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from expansion.records import read_series

__all__ = ["MAXIMAL_BYTES", "read_series_file"]

MAXIMAL_BYTES = 50_000_000


def read_series_file(path: Path) -> tuple[Polynomial, ...]:
    """The coefficients Y_0, Y_1, ... in a file.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, is too large, is not JSON or not of the layout.
    """
    try:
        if path.stat().st_size > MAXIMAL_BYTES:
            raise InvalidInputError(
                f"series file {path}: is larger than {MAXIMAL_BYTES} bytes; give fewer coefficients"
            )
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(
            f"series file {path}: cannot be read ({error.strerror}); check its name"
        ) from None
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidInputError(
            f"series file {path}: is not JSON ({reason}); write it as expand --format json does"
        ) from None
    if not isinstance(record, dict) or "coefficients" not in record:
        raise InvalidInputError(
            f"series file {path}: has no list of coefficients; write it as expand --format json "
            "does"
        )
    return read_series(record["coefficients"])
