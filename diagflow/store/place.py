"""Where the store is, unless a command is told otherwise.

The environment variable ``DIAGFLOW_STORE`` holds the path of the file, or ``off``; without it the
file lies in the user's cache folder, as the platform names it.

Source: ours.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["STORE_VARIABLE", "store_path"]

STORE_VARIABLE = "DIAGFLOW_STORE"
_OFF = "off"
_FILE = "coefficients.sqlite3"


def store_path() -> Path | None:
    """The file of the store; None if the environment says that there is none.

    Examples
    --------
    >>> import pytest
    >>> with pytest.MonkeyPatch.context() as context:
    ...     context.setenv(STORE_VARIABLE, "off")
    ...     print(store_path())
    None
    """
    from platformdirs import user_cache_path

    named = os.environ.get(STORE_VARIABLE)
    if named == _OFF:
        return None
    if named:
        return Path(named)
    return user_cache_path("diagflow", appauthor=False) / _FILE
