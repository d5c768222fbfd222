r"""Untrusted input: files, and values and names that messages repeat.

Files are untrusted. Only regular files are opened, so that a pipe or a device cannot keep a
command waiting for ever, and never more bytes are read than are allowed. A value that does not
belong where it stands is repeated in the message about it, short, on one line and whatever it is:
Python itself does not write integers of many digits and lists nested deeply.

>>> shown("a\nb"), shown("a" * 100, 10), shown(10**5000)
("'a\\nb'", "'aaaaaaaaa", 'of type int')
>>> legible("model.toml"), legible("two\nlines")
('model.toml', "'two\\nlines'")

Source: ours.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

from diagrams.arguments import shown
from diagrams.errors import InvalidInputError

__all__ = ["MAXIMAL_NAME", "is_name", "legible", "read_file", "read_stream", "shown"]

MAXIMAL_NAME = 100
"""Longest name that is read, in characters."""

_TYPESETTING = frozenset("$\\{}")
"""Characters that pictures and papers would take for commands."""


def legible(text: str, characters: int = 200) -> str:
    """A text as it stands if it can be printed on one line, in quotes and escaped otherwise."""
    text = text[:characters]
    return text if text.isprintable() else repr(text)


def is_name(text: str) -> bool:
    r"""Whether a text can name something on a line, in a picture and in a paper.

    Examples
    --------
    >>> is_name("first-layer"), is_name(""), is_name("two\nlines"), is_name("$x$")
    (True, False, False, False)
    """
    return 0 < len(text) <= MAXIMAL_NAME and text.isprintable() and _TYPESETTING.isdisjoint(text)


def read_file(path: Path, *, title: str, maximal_bytes: int, remedy: str) -> str:
    """The text in a file, without the byte order mark that some editors put in front.

    Parameters
    ----------
    path : Path
        Of a regular file, or a link to one.
    title : str
        What messages call it.
    maximal_bytes : int
    remedy : str
        What to do about a file that is larger.

    Raises
    ------
    InvalidInputError
        If it cannot be read, is no regular file, too large or not text in UTF-8.
    """
    try:
        content = _beginning(path, maximal_bytes + 1)
    except OSError as error:
        raise InvalidInputError(
            f"{title}: cannot be read ({error.strerror}); check its name"
        ) from None
    except ValueError:  # a null character in the name
        raise InvalidInputError(f"{title}: is not the name of a file; check it") from None
    if content is None:
        raise InvalidInputError(f"{title}: is not a regular file; name one")
    return _text(content, title=title, maximal_bytes=maximal_bytes, remedy=remedy)


def read_stream(stream: BinaryIO, *, title: str, maximal_bytes: int, remedy: str) -> str:
    """The text that a stream holds up to its end; as `read_file`, but it waits for the writer.

    Parameters
    ----------
    stream : binary stream
        Such as the standard input. No more of it is read than is allowed.
    title, maximal_bytes, remedy
        See `read_file`.

    Raises
    ------
    InvalidInputError
        If it cannot be read, is too large or not text in UTF-8.
    """
    try:
        content = stream.read(maximal_bytes + 1)
    except (OSError, ValueError) as error:  # a folder, or closed
        reason = getattr(error, "strerror", None) or "it is closed"
        raise InvalidInputError(
            f"{title}: cannot be read ({reason}); write the text into a pipe"
        ) from None
    return _text(content, title=title, maximal_bytes=maximal_bytes, remedy=remedy)


def _text(content: bytes, *, title: str, maximal_bytes: int, remedy: str) -> str:
    if len(content) > maximal_bytes:
        raise InvalidInputError(f"{title}: is larger than {maximal_bytes} bytes; {remedy}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError(f"{title}: is not text in UTF-8; save it as such") from None


def _beginning(path: Path, size: int) -> bytes | None:
    """The first bytes of a regular file, None if it is none."""
    # Asked before it is opened: opening a pipe waits for somebody who writes to it.
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    with path.open("rb") as file:
        return file.read(size)
