"""Files that are there whole or not at all.

Source: ours.
"""

from __future__ import annotations

import os
from pathlib import Path

from diagrams.errors import InvalidInputError

__all__ = ["write_whole"]


def write_whole(path: Path, content: str) -> None:
    """Write a file so that it is there whole or not at all.

    Raises
    ------
    InvalidInputError
        If the file cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(content, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InvalidInputError(
            f"file {path}: cannot be written ({error.strerror}); give another folder"
        ) from None
