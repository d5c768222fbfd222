"""The JSON formats of the command line: their versions, and a JSON Schema for each.

Definition. A *format* is what one command prints or writes, and its *version* a number that the
record carries as ``schema_version``. The version is raised when a reader of the old one could
misread the new one: a name is removed, or gets another meaning or type. A name that is added does
not raise it, so readers should leave alone what they do not know. The files beside this module
describe the formats in JSON Schema, draft 2020-12; they allow no name that this release does not
write.

Convention. Exact numbers are strings in lowest terms, ``"-27/2"``; floating point numbers are
numbers, and ``null`` where there is none.

>>> schema("simulate")["title"]
'Simulated gradient flow'
>>> record = {"path": "s.sqlite3", "series": 0, "records": 0, "damaged": 0, "bytes": 0}
>>> print(versioned_text("store-info", record), end="")
{
 "schema_version": 1,
 "path": "s.sqlite3",
 "series": 0,
 "records": 0,
 "damaged": 0,
 "bytes": 0
}

Source: ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from diagrams.errors import InvalidInputError
from expansion.series_records import SERIES_VERSION

__all__ = ["VERSIONS", "schema", "versioned_text"]

VERSIONS: Mapping[str, int] = MappingProxyType(
    {
        "check": 1,
        "compare": 1,
        "correlators": 1,
        "derive": 1,
        "expand": SERIES_VERSION,
        "explorer": 1,
        "gallery": 1,
        "regimes": 1,
        "series": SERIES_VERSION,
        "series-sum": 1,
        "simulate": 1,
        "solve": 1,
        "solve-list": 1,
        "store-info": 1,
    }
)
"""The version of every format, by its name; ``series`` is what is read, the others are written."""


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a format.

    Parameters
    ----------
    name : str
        A key of `VERSIONS`.

    Returns
    -------
    dict
        It refers to nothing outside itself.

    Raises
    ------
    InvalidInputError
        If there is no such format.

    Examples
    --------
    >>> from diagflow.schemas import schema
    >>> schema("expand")["properties"]["schema_version"]["const"]
    1
    """
    _require(name)
    text = files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def versioned_text(name: str, record: Mapping[str, object]) -> str:
    """A record as JSON, indented, with the version of its format in front.

    Parameters
    ----------
    name : str
        The format, a key of `VERSIONS`.
    record : mapping
        Plain data without a version; numbers are finite.

    Raises
    ------
    InvalidInputError
        If there is no such format.
    ValueError
        If a number is not finite, for which JSON has no word.
    """
    _require(name)
    whole = {"schema_version": VERSIONS[name], **record}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def _require(name: str) -> None:
    if name not in VERSIONS:
        raise InvalidInputError(
            f"format {name!r}: is not known; choose one of {', '.join(VERSIONS)}"
        )
