r"""Plain sentences as LaTeX: special characters escaped, bits of mathematics set as such.

>>> print(prose("C = M/s!; 5 % of z_2 at τ <= 0, E[v₁²] = ½σ²"))
$C$ = $M$/$s$!; 5 \% of $z_{2}$ at $\tau$ $\le$ 0, $E$[$v_{1}^{2}$] = ½$\sigma^{2}$

>>> print(prose("with _H for H, p_ for p and v_x_2 for sigma2"))
with \_H for $H$, p\_ for $p$ and v\_x\_2 for sigma2

Source: ours.
"""

from __future__ import annotations

import re

__all__ = ["escaped", "name_latex", "prose"]

_NAMES = (
    "alpha beta gamma delta varepsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau "
    "varphi chi psi omega Gamma Delta Theta Lambda Pi Sigma Phi Psi Omega partial nabla ell"
)

_SYMBOLS = {
    **{
        letter: f"\\{name}"
        for letter, name in zip(
            "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΠΣΦΨΩ∂∇ℓ",
            _NAMES.split(),
            strict=True,
        )
    },
    **{"∞": "\\infty", "∫": "\\int", "∮": "\\oint", "√": "\\surd", "⊙": "\\odot"},
}
"""Letters and other symbols that may carry an index."""

_RELATIONS = {
    **{"<=": "\\le", ">=": "\\ge", "->": "\\to", "→": "\\to", "<": "<", ">": ">", "≤": "\\le"},
    **{"≥": "\\ge", "≠": "\\ne", "≍": "\\asymp", "·": "\\cdot", "×": "\\times", "−": "-"},
    **{"≈": "\\approx", "∈": "\\in", "⋆": "\\star"},
}

_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿᵀ", "0123456789-+nT", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₋₊ₙₛ", "0123456789-+ns", strict=True))

_INDEX = (
    rf"[_^](?:[A-Za-z0-9{''.join(_SYMBOLS)}]+|\([^()]*\))"
    rf"|[{''.join(_RAISED)}]+|[{''.join(_LOWERED)}]+"
)
_TOKEN = re.compile(
    # A name of the user's whose underscores are no index: one at an end, or several.
    r"(?P<name>(?<![^\s(,;=])(?:_+[A-Za-z]\w*|[A-Za-z]\w*_(?![\w(])"
    r"|[A-Za-z][A-Za-z0-9]*(?:_+[A-Za-z0-9]+){2,}(?!\w)))"
    rf"|(?P<formula>(?<![A-Za-z\\])[A-Za-z](?:{_INDEX})+"
    # A letter that stands alone, unless it is a word or part of a name such as A-B.
    r"|(?<![\w'\\-])[b-zB-HJ-Z](?![\w'])(?!-[A-Z])"
    rf"|[{''.join(_SYMBOLS)}](?:{_INDEX})*"
    rf"|[{''.join(_RAISED)}]+|[{''.join(_LOWERED)}]+)"
    rf"|(?P<relation>{'|'.join(map(re.escape, _RELATIONS))})"
    r"|(?P<special>[\\{}$&#%_^~])"
)
_SPECIAL = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}


def prose(words: str) -> str:
    """A sentence as LaTeX text."""
    return _TOKEN.sub(_replaced, words)


def escaped(words: str) -> str:
    r"""Words as they are, with the special characters of LaTeX escaped.

    Examples
    --------
    >>> print(escaped("tied_autoencoder & 1%"))
    tied\_autoencoder \& 1\%
    """
    return re.sub(r"[\\{}$&#%_^~]", lambda match: _SPECIAL.get(match[0], "\\" + match[0]), words)


def name_latex(name: str) -> str:
    r"""The name of a regime, with dashes between its vertices.

    Examples
    --------
    >>> print(name_latex("A-B"), name_latex("large-data & mean-field"))
    A--B large-data \& mean-field
    """
    dashed = name if any(len(part) > 2 for part in name.split("-")) else name.replace("-", "--")
    return escaped(dashed)


def _replaced(match: re.Match[str]) -> str:
    if match["name"]:
        return escaped(match["name"])
    if match["formula"]:
        return f"${_formula(match['formula'])}$"
    if match["relation"]:
        return f"${_RELATIONS[match['relation']]}$"
    return _SPECIAL.get(match["special"], "\\" + match["special"])


def _formula(text: str) -> str:
    """A letter with its indices, or indices alone."""
    base, indices = text[:1], text[1:]
    if base in _RAISED or base in _LOWERED:
        base, indices = "{}", text
    result = _SYMBOLS.get(base, base)
    for index in re.findall(_INDEX, indices):
        if index[0] in "_^":
            result += f"{index[0]}{{{_symbols(index[1:])}}}"
        else:
            table, mark = (_RAISED, "^") if index[0] in _RAISED else (_LOWERED, "_")
            result += f"{mark}{{{''.join(table[letter] for letter in index)}}}"
    return result


def _symbols(text: str) -> str:
    return "".join(_SYMBOLS[letter] + " " if letter in _SYMBOLS else letter for letter in text)
