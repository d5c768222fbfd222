"""Coefficients from a JSON file: the way in for a series that was computed elsewhere.

The file has the layout of ``diagflow expand --format json``, of which only ``coefficients`` is
needed; ``schema_version``, if it is there, has to be `expansion.series_records.SERIES_VERSION`.
Files are untrusted: their size and depth are limited, and nothing in them is evaluated.

Source: ours.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import NoReturn

from diagrams.arguments import shown
from diagrams.errors import InvalidInputError
from expansion.input_limits import legible, read_file
from expansion.polynomial import Polynomial
from expansion.series_records import SERIES_VERSION, read_series

__all__ = ["MAXIMAL_BYTES", "MAXIMAL_DIGITS", "read_series_file"]

MAXIMAL_BYTES = 2_000_000
"""Largest file that is read: reading one of this size takes a second or two."""

MAXIMAL_DIGITS = 4_000
"""Most digits of an integer."""


def read_series_file(path: Path) -> tuple[Polynomial, ...]:
    """The coefficients Y_0, Y_1, ... in a file.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, is too large, is not JSON, or not of the layout and version.
    """
    title = f"series file {legible(str(path))}"
    text = read_file(
        path, title=title, maximal_bytes=MAXIMAL_BYTES, remedy="give fewer coefficients"
    )
    try:
        record = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer
        )
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidInputError(
            f"{title}: is not JSON ({reason}); write it with series_record"
        ) from None
    if not isinstance(record, dict) or "coefficients" not in record:
        raise InvalidInputError(
            f"{title}: has no list of coefficients; write it with series_record"
        )
    version = record.get("schema_version", SERIES_VERSION)
    if type(version) is not int or version != SERIES_VERSION:
        raise InvalidInputError(
            f"{title}: its schema_version is not {SERIES_VERSION}, the one that is read "
            "here; use the release that wrote it, or write it again with this one"
        )
    return read_series(record["coefficients"])


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; for a key that occurs twice JSON does not define the value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {shown(twice)} occurs twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    """NaN and infinities, which Python's parser knows and JSON does not."""
    raise ValueError(f"{name} is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > MAXIMAL_DIGITS:
        raise ValueError(f"a number has more than {MAXIMAL_DIGITS} digits")
    return int(digits)
