r"""TOML documents whose errors point at a line.

`tomllib` gives values without places. A `TomlDocument` keeps the text beside them, finds the line
on which a key, or the table that it should be in, is written, and reads values of an expected type.

>>> document = TomlDocument.parse("example.toml", '[axes]\np = "growing"\nH = 3.5\n')
>>> document.get(("axes",), "p", str)
'growing'
>>> document.place("axes", "H"), document.place("axes", "N"), document.place("losses")
('example.toml, line 3', 'example.toml, line 1', 'example.toml')

Source: ours.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from diagrams.arguments import shown
from diagrams.errors import InvalidInputError
from expansion.input_limits import MAXIMAL_NAME, legible

__all__ = [
    "MAXIMAL_CHARACTERS",
    "MAXIMAL_DOTS",
    "MAXIMAL_ENTRIES",
    "Path",
    "TomlDocument",
    "listed",
]

MAXIMAL_CHARACTERS = 100_000
"""Longest text that is read: larger files do not describe problems."""

MAXIMAL_ENTRIES = 50
"""Most entries of a table or a list."""

MAXIMAL_DOTS = 2_000
"""Most dots in a text: reading a key of n parts with dots between them takes n^2 steps."""

Path = tuple[str, ...]
"""The keys that lead to a value."""

Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")

_LISTED = 20
"""Most names that a message lists."""

_KEY = r"""\s*(?:[\w-]+|"[^"]*"|'[^']*')\s*"""
_HEADER = re.compile(rf"\s*\[({_KEY}(?:\.{_KEY})*)\]")
_ASSIGNMENT = re.compile(rf"({_KEY}(?:\.{_KEY})*)=")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_QUOTES = re.compile(r'"""' + "|'''")

_EXPECTED: dict[type, str] = {
    str: "a text in quotes",
    dict: "a table",
    list: 'a list such as ["i", "j"]',
    bool: "true or false",
    int: "an integer",
}


@dataclass(frozen=True, slots=True)
class TomlDocument:
    """The values of a TOML text, the text, and the name by which errors call it."""

    name: str
    text: str
    values: Mapping[str, Any]

    @classmethod
    def parse(cls, name: str, text: str) -> TomlDocument:
        """Read a text.

        Raises
        ------
        InvalidInputError
            If it is not TOML, too long or nested too deeply.
        """
        if len(text) > MAXIMAL_CHARACTERS:
            raise InvalidInputError(
                f"{name}: is longer than {MAXIMAL_CHARACTERS} characters; describe the problem in "
                "fewer"
            )
        if text.count(".") > MAXIMAL_DOTS:
            raise InvalidInputError(
                f"{name}: has more than {MAXIMAL_DOTS} dots; describe the problem with fewer"
            )
        try:
            return cls(name, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            reason = legible(str(error)[:100])
            raise InvalidInputError(
                f"{name}: is not TOML, {reason[:1].lower()}{reason[1:]}; write keys as name = "
                '"value" under tables such as [tensors.W]'
            ) from None
        except ValueError:
            raise InvalidInputError(
                f"{name}: has a number of more digits than Python reads; write a shorter one"
            ) from None
        except RecursionError:
            raise InvalidInputError(
                f"{name}: is nested too deeply; write tables such as [tensors.W]"
            ) from None

    # -- errors --------------------------------------------------------------------------------

    def place(self, *path: str) -> str:
        """The name, and the line of the key or of the longest part of its path that is there."""
        best, line = 0, None
        header: Path = ()
        inside = False
        for number, content in enumerate(self.text.splitlines(), 1):
            found: Path = ()
            if not inside and (match := _HEADER.match(content)):
                found = header = _parts(match[1])
            elif not inside and (match := _ASSIGNMENT.match(content)):
                found = header + _parts(match[1])
            if len(found) > best and found == path[: len(found)]:
                best, line = len(found), number
            inside ^= len(_QUOTES.findall(content)) % 2 == 1
        return self.name if line is None else f"{self.name}, line {line}"

    def error(self, path: Path, message: str) -> InvalidInputError:
        """An error about a value."""
        name = ".".join(path)[:100]
        return InvalidInputError(f"{self.place(*path)}: {name}{': ' if name else ''}{message}")

    def checked(
        self,
        path: Path,
        make: Callable[Arguments, Value],
        *values: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Value:
        """The result of a function of values; its errors with the line in front."""
        try:
            return make(*values, **named)
        except InvalidInputError as error:
            raise InvalidInputError(f"{self.place(*path)}: {error}") from None

    # -- values --------------------------------------------------------------------------------

    def get(self, path: Path, key: str, kind: type[Value], default: Value | None = None) -> Value:
        """The value of a key in the table at a path, which must be of a type.

        Raises
        ------
        InvalidInputError
            If it is of another type, or missing without a default.
        """
        table: Any = self.values
        for name in path:
            table = table[name]
        if key not in table:
            if default is None:
                raise self.error(path, f"{key!r} is missing; give it as {_EXPECTED[kind]}")
            return default
        value = table[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error((*path, key), f"is {shown(value)}; expected {_EXPECTED[kind]}")
        return value

    def table(self, path: Path, known: Sequence[str] = ()) -> dict[str, Any]:
        """The table at a path; if keys are given it may have no others.

        Raises
        ------
        InvalidInputError
            If it is no table, has other keys or too many.
        """
        table = dict(self.values) if not path else self.get(path[:-1], path[-1], dict, {})
        for key in table:
            self._checked_name(path, key)
            if known and key not in known:
                raise self.error((*path, key), f"is not known here; expected {listed(known)}")
        if len(table) > MAXIMAL_ENTRIES:
            raise self.error(path, f"has more than {MAXIMAL_ENTRIES} entries; describe fewer")
        return table

    def strings(self, path: Path, key: str, default: Path | None = None) -> tuple[str, ...]:
        """A list of texts.

        Raises
        ------
        InvalidInputError
            If it is none, or too long.
        """
        values = self.get(path, key, list, None if default is None else list(default))
        if not all(isinstance(value, str) for value in values) or len(values) > MAXIMAL_ENTRIES:
            raise self.error((*path, key), f"is {shown(values)}; expected {_EXPECTED[list]}")
        for value in values:
            self._checked_name((*path, key), value)
        return tuple(values)

    def _checked_name(self, path: Path, name: str) -> None:
        """Names stand in messages, so they are short and on one line."""
        if len(name) > MAXIMAL_NAME or not name.isprintable():
            raise self.error(
                path,
                f"{shown(name)} is not a name of at most {MAXIMAL_NAME} printable characters; "
                "choose another",
            )


def listed(names: Iterable[str]) -> str:
    """Names with commas, for messages; of many names the first ones."""
    first = [*islice(names, _LISTED + 1)]
    return ", ".join([*first[:_LISTED], "..."] if len(first) > _LISTED else first) or "(none)"


def _parts(key: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(key))
