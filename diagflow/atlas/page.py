"""A self-contained HTML file: a record as JSON, the scripts and styles of this package, KaTeX.

The file asks for nothing outside itself. The mathematics is set by KaTeX (MIT licence), whose
script, style sheet and fonts are part of it.

>>> text = page({"problem": {"title": "an example"}})
>>> "<title>an example" in text, "http" in text.partition("<body")[0].partition("<title>")[0]
(True, False)

Source: ours.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any

__all__ = ["embedded_json", "filled", "katex_style", "page", "static"]

_FONT = re.compile(
    r"url\(fonts/(KaTeX_[\w-]+)\.woff2\) format\(\"woff2\"\)(?:,url\([^)]*\) "
    r"format\(\"\w+\"\))*"
)
_FACE = re.compile(r"@font-face\{[^}]*\}")
_SCRIPTS = ("numbers.js", "drawing.js", "curves.js", "explorer.js")


def page(record: Mapping[str, Any]) -> str:
    """The page of a problem.

    Parameters
    ----------
    record : mapping
        As `diagflow.atlas.record.explorer_record` makes it.
    """
    problem = record.get("problem") or {}
    return filled(
        "explorer.html",
        title=escape(problem.get("title", "a given series")),
        words=escape(_capital(problem.get("words") or problem.get("title", "a given series"))),
        style=katex_style() + static("explorer.css"),
        katex=static("katex/katex.min.js"),
        script="\n".join(static(name) for name in _SCRIPTS),
        data=embedded_json(record),
    )


def _capital(words: str) -> str:
    """Words with a capital at the beginning, if they are more than a name."""
    return words[:1].upper() + words[1:] if words.startswith("the ") else words


def filled(template: str, **parts: str) -> str:
    """A template of this package with its parts in their places, ``<!--@name-->``."""
    text = static(template)

    def put(match: re.Match[str]) -> str:
        return parts[match[1]]

    return re.sub(r"<!--@(\w+)-->", put, text)


def embedded_json(record: object) -> str:
    r"""A record that may stand inside an element ``script``: nothing in it ends the element.

    Examples
    --------
    >>> embedded_json({"a": "</script>"})
    '{"a":"\\u003c/script>"}'
    """
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@lru_cache(maxsize=16)
def static(name: str) -> str:
    """A text of the folder ``static``."""
    return files("diagflow.atlas").joinpath("static", *name.split("/")).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def katex_style() -> str:
    """The style sheet of KaTeX with those of its fonts that the package has inside."""
    folder = files("diagflow.atlas").joinpath("static", "katex", "fonts")

    def face(match: re.Match[str]) -> str:
        name = _FONT.search(match[0])
        file = None if name is None else folder.joinpath(f"{name[1]}.woff2")
        if file is None or not file.is_file():
            return ""  # a font that no formula of ours uses
        data = base64.b64encode(file.read_bytes()).decode("ascii")
        return _FONT.sub(f'url(data:font/woff2;base64,{data}) format("woff2")', match[0])

    return _FACE.sub(face, static("katex/katex.min.css"))
