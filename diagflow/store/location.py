"""Where the store is, unless an option names another file.

The environment variable ``DIAGFLOW_STORE`` holds the path of the file, or that there is none: one
of ``off``, ``no``, ``none``, ``false`` and ``0``, in capitals or not. A path that begins with ``~``
lies in the home folder, also where no shell has replaced it. Without the variable, or with an empty
one, the file lies in the user's cache folder, as the platform names it. ``DIAGFLOW_STORE_MB`` is
the largest size of its records in megabytes, 500 unless given.

Source: ours.
"""

from __future__ import annotations

import os
from pathlib import Path

from diagflow.store.sqlite_store import MOST_BYTES
from diagrams.errors import InvalidInputError
from expansion.input_limits import legible

__all__ = ["SIZE_VARIABLE", "STORE_VARIABLE", "expanded", "store_bytes", "store_path"]

STORE_VARIABLE = "DIAGFLOW_STORE"
SIZE_VARIABLE = "DIAGFLOW_STORE_MB"
_OFF = frozenset({"off", "no", "none", "false", "0"})
_FILE = "coefficients.sqlite3"


def store_path() -> Path | None:
    """The file of the store; None if the environment turns it off.

    Raises
    ------
    InvalidInputError
        If the path begins with ``~`` and there is no such home folder.

    Examples
    --------
    >>> import pytest
    >>> with pytest.MonkeyPatch.context() as context:
    ...     context.setenv(STORE_VARIABLE, "Off")
    ...     print(store_path())
    None
    """
    from platformdirs import user_cache_path

    named = os.environ.get(STORE_VARIABLE, "").strip()
    if named.lower() in _OFF:
        return None
    if named:
        return expanded(Path(named), STORE_VARIABLE)
    return user_cache_path("diagflow", appauthor=False) / _FILE


def expanded(path: Path, origin: str) -> Path:
    """A path with the home folder in place of a leading ``~``.

    Parameters
    ----------
    path : Path
    origin : str
        Where it was given, for the message.

    Raises
    ------
    InvalidInputError
        If there is no such home folder.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise InvalidInputError(
            f"{origin} {path}: there is no such home folder; give the whole path"
        ) from None


def store_bytes() -> int:
    """The largest size of the records of the store, in bytes.

    Raises
    ------
    InvalidInputError
        If the environment has no positive integer for it.
    """
    named = os.environ.get(SIZE_VARIABLE, "").strip()
    if not named:
        return MOST_BYTES
    if not (named.isascii() and named.isdigit() and len(named) < 10 and int(named) > 0):
        raise InvalidInputError(
            f"{SIZE_VARIABLE} {legible(named, 40)}: counts megabytes; give a positive integer, or "
            f"{STORE_VARIABLE}=off for no cache"
        )
    return int(named) * 10**6
