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
from typing import Any, ParamSpec, TypeVar

from diagrams.errors import InvalidInputError

__all__ = ["MAXIMAL_CHARACTERS", "MAXIMAL_ENTRIES", "Path", "TomlDocument", "listed"]

MAXIMAL_CHARACTERS = 100_000
"""Longest text that is read: larger files do not describe problems."""

MAXIMAL_ENTRIES = 50
"""Most entries of a table or a list."""

Path = tuple[str, ...]
"""The keys that lead to a value."""

Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")

_KEY = r"""\s*(?:[\w-]+|"[^"]*"|'[^']*')\s*"""
_HEADER = re.compile(rf"\s*\[({_KEY}(?:\.{_KEY})*)\]")
_ASSIGNMENT = re.compile(rf"({_KEY}(?:\.{_KEY})*)=")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_QUOTES = re.compile(r'"""' + "|'''")

_EXPECTED: dict[type, str] = {
    str: "a text in quotes",
    dict: "a table",
    list: 'a list such as ["i", "j"]',
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
        try:
            return cls(name, text, tomllib.loads(text))
        except (tomllib.TOMLDecodeError, ValueError) as error:
            reason = str(error)[:100]
            raise InvalidInputError(
                f"{name}: is not TOML, {reason[:1].lower()}{reason[1:]}; write keys as name = "
                '"value" under tables such as [tensors.W]'
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
        """What a function makes of values; its errors with the line in front."""
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
        if not isinstance(value, kind):
            raise self.error((*path, key), f"is {value!r:.40}; expected {_EXPECTED[kind]}")
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
            raise self.error((*path, key), f"is {values!r:.40}; expected {_EXPECTED[list]}")
        return tuple(values)


def listed(names: Iterable[str]) -> str:
    """Names with commas, for messages."""
    return ", ".join(names) or "(none)"


def _parts(key: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(key))
