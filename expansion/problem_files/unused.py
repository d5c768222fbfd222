r"""What a problem file declares and never uses: a slip of the pen more often than an intention.

A declared name is *used* if it is a word of another text of the file: of a formula, a flow, a law,
a rate, or a list such as ``axes`` of a tensor. Names of indices, which stand in brackets, and of
the problem itself are no uses.

>>> from expansion.problem_files.toml_document import TomlDocument
>>> text = '''
... amplitudes = ["c", "d"]
... axes = { p = "growing", H = "growing", N = "growing" }
... tensors.W = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }
... tensors.V = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }
... [losses.train]
... outputs = ["k", "d"]
... model = "c W[k,d]"
... target = "0"
... '''
>>> for line in unused_declarations(TomlDocument.parse("file.toml", text)):
...     print(line)
file.toml, line 2: amplitudes: nothing uses 'd'; leave it out, or write it into a formula
file.toml, line 3: axes.N: nothing uses it; leave it out, or give it to a tensor
file.toml, line 5: tensors.V: nothing uses it; leave it out, or write it into a formula

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from expansion.problem_files.toml_document import Path as Keys
from expansion.problem_files.toml_document import TomlDocument

__all__ = ["unused_declarations"]

_INDICES = re.compile(r"\[[^\]]*\]")
_WORD = re.compile(r"[^\W\d]\w*")

_NO_USES = (("family",), ("amplitudes",), ("tensors", "*", "kind"), ("losses", "*", "outputs"))
"""Places whose texts use nothing; a star is any name."""


def unused_declarations(document: TomlDocument) -> tuple[str, ...]:
    """A line, in three parts, for every amplitude, axis and tensor that nothing uses.

    Parameters
    ----------
    document : TomlDocument
        One that describes a problem.
    """
    used = set(_words(document.values))
    found = [
        str(
            document.error(
                ("amplitudes",),
                f"nothing uses {name!r}; leave it out, or write it into a formula",
            )
        )
        for name in document.strings((), "amplitudes", ())
        if name not in used
    ]
    for table, remedy in (("axes", "give it to a tensor"), ("tensors", "write it into a formula")):
        found += [
            str(document.error((table, name), f"nothing uses it; leave it out, or {remedy}"))
            for name in document.table((table,))
            if name not in used
        ]
    return tuple(found)


def _words(value: Any, path: Keys = ()) -> Iterator[str]:
    """The words of the texts of a table, and the names of the powers of a normalisation."""
    if any(_is_at(path, place) for place in _NO_USES):
        return
    if isinstance(value, str):
        yield from _WORD.findall(_INDICES.sub(" ", value))
    elif isinstance(value, list):
        for part in value:
            yield from _words(part, path)
    elif isinstance(value, Mapping):
        if path[-1:] == ("normalisation",):
            yield from value
        for key, part in value.items():
            yield from _words(part, (*path, key))


def _is_at(path: Keys, place: Keys) -> bool:
    """Whether a path is a place, in which a star is any name."""
    return len(path) == len(place) and all(
        expected in ("*", name) for name, expected in zip(path, place, strict=True)
    )
