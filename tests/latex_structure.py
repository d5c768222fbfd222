"""What every LaTeX text must have, whoever wrote it."""

import re
from collections import Counter


def check_structure(text: str) -> None:
    """Braces, brackets of displays and environments are balanced and nested."""
    depth = 0
    for token in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if token == "{" else -1
        assert depth >= 0
    assert depth == 0
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    counts = Counter(re.findall(r"\\(left|right|bigl|bigr|\[|\])(?![A-Za-z\d])", text))
    assert counts["left"] == counts["right"]
    assert counts["bigl"] == counts["bigr"]
    assert counts["["] == counts["]"]


def check_scripts(text: str) -> None:
    """No script without a base, and no base with two superscripts or two subscripts."""
    tokens = re.findall(r"\\[A-Za-z]+|\\.|[{}^_]|[^\s\\{}^_]", text)

    def group(at: int) -> int:
        """The end of the group or token that begins at a place."""
        if tokens[at] != "{":
            assert tokens[at] not in {"^", "_", "}"}
            return at + 1
        depth, end = 1, at + 1
        while depth:
            depth += (tokens[end] == "{") - (tokens[end] == "}")
            end += 1
        return end

    def check(at: int, stop: int) -> None:
        used: set[str] | None = None
        while at < stop:
            token = tokens[at]
            if token in {"^", "_"}:
                assert used is not None, f"a script without a base in {text}"
                assert token not in used, f"two scripts on one base in {text}"
                used.add(token)
                end = group(at + 1)
                check(at + 1, end)
                at = end
            elif token == "{":
                end = group(at)
                check(at + 1, end - 1)
                used, at = used if at and tokens[at - 1].startswith("\\") else set(), end
            elif token == "}":
                at += 1
            else:
                used, at = set(), at + 1

    check(0, len(tokens))
