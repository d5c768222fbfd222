r"""Plain sentences as LaTeX: special characters escaped, bits of mathematics set as such.

>>> print(prose("C = M/s!; 5 % of z_2 at τ <= 0, σ² = 1"))
C = M/s!; 5 \% of $z_{2}$ at $\tau$ $\le$ 0, $\sigma^{2}$ = 1

Source: ours.
"""

from __future__ import annotations

import re

__all__ = ["name_latex", "prose"]

_GREEK = {
    "α": "\\alpha",
    "θ": "\\theta",
    "κ": "\\kappa",
    "ν": "\\nu",
    "ρ": "\\rho",
    "σ": "\\sigma",
    "τ": "\\tau",
    "Φ": "\\Phi",
    "φ": "\\varphi",
    "χ": "\\chi",
    "ψ": "\\psi",
    "∂": "\\partial",
    "∇": "\\nabla",
}
_SYMBOLS = {
    "<=": "\\le",
    ">=": "\\ge",
    "->": "\\to",
    "<": "<",
    ">": ">",
    "∞": "\\infty",
    "·": "\\cdot",
    "×": "\\times",
    "−": "-",
    "≍": "\\asymp",
}
_RAISED = {"²": "2", "³": "3", "⁴": "4", "⁶": "6"}
_LETTER = f"[A-Za-z{''.join(_GREEK)}]"
_INDEX = rf"[_^](?:[A-Za-z0-9{''.join(_GREEK)}]+|\([^()]*\))|[{''.join(_RAISED)}]"
_TOKEN = re.compile(
    rf"(?P<formula>\b{_LETTER}(?:{_INDEX})+|[{''.join(_GREEK)}](?:{_INDEX})*)"
    rf"|(?P<symbol>{'|'.join(map(re.escape, _SYMBOLS))})"
    r"|(?P<special>[\\{}$&#%_^~])"
)
_SPECIAL = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}


def prose(words: str) -> str:
    """A sentence as LaTeX text."""
    return _TOKEN.sub(_replaced, words)


def name_latex(name: str) -> str:
    r"""The name of a regime, with dashes between its vertices.

    Examples
    --------
    >>> print(name_latex("A-B"), name_latex("large-data & mean-field"))
    A--B large-data \& mean-field
    """
    dashed = name if any(len(part) > 2 for part in name.split("-")) else name.replace("-", "--")
    return prose(dashed)


def _replaced(match: re.Match[str]) -> str:
    if match["formula"]:
        return f"${_formula(match['formula'])}$"
    if match["symbol"]:
        return f"${_SYMBOLS[match['symbol']]}$"
    return _SPECIAL.get(match["special"], "\\" + match["special"])


def _formula(text: str) -> str:
    text = re.sub(r"([_^])(\w+|\([^()]*\))", r"\1{\2}", text)
    for raised, digit in _RAISED.items():
        text = text.replace(raised, f"^{{{digit}}}")
    for letter, command in _GREEK.items():
        text = re.sub(rf"{letter}(?=[A-Za-z])", rf"\{command} ", text).replace(letter, command)
    return text
