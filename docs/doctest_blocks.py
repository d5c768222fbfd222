"""Examples in the text of a docstring become code blocks.

Docstrings show examples as interactive sessions. Under the heading ``Examples`` the reader of the
documentation recognises them by itself; those in the middle of a text, as in the docstring of a
module, are put between fences here. Used by ``mkdocs.yml``.
"""

from __future__ import annotations

import re

from griffe import Extension, Object

EXAMPLES = re.compile(r"^Examples\n-+$", re.MULTILINE)
SESSION = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", re.MULTILINE)


def fenced(text: str) -> str:
    """The text with fences around its sessions, up to the heading ``Examples``."""
    heading = EXAMPLES.search(text)
    end = heading.start() if heading else len(text)
    return SESSION.sub(lambda found: f"```pycon\n{found[0]}\n```", text[:end]) + text[end:]


class DoctestBlocks(Extension):
    """Puts fences around the sessions of all docstrings."""

    def on_object(self, *, obj: Object, **_: object) -> None:
        """Called with every module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
