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
