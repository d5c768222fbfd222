r"""Names of tensors and indices as mathematics, so that every name compiles and no two are alike.

A number at the end of a tensor, or an index after an underscore, stands above, in brackets: below
stand the indices of its entries.

>>> tensor_latex("U"), tensor_latex("U12"), tensor_latex("W_out"), tensor_latex("kernel")
('U', 'U^{(12)}', 'W^{(\\mathrm{out})}', '\\mathit{kernel}')
>>> tensor_latex("_w"), tensor_latex("w_"), tensor_latex("U__a")
('\\mathit{\\_w}', '\\mathit{w\\_}', '\\mathit{U\\_\\_a}')
>>> indices_latex(["i1", "j", "_k", "a_b", "mu", "k''"])
"i_{1} j \\mathit{\\_k} a_{\\mathrm{b}} \\mu k''"

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from expansion.polynomial import symbol_latex

__all__ = ["indices_latex", "tensor_latex"]

_TENSOR = re.compile(r"([A-Za-z]+)(?:(\d+)|_([A-Za-z0-9]+))?")
_INDEX = re.compile(r"([A-Za-z]+)(\d+)('*)")


def tensor_latex(name: str) -> str:
    """The name of a tensor.

    Parameters
    ----------
    name : str
    """
    match = _TENSOR.fullmatch(name)
    if match is None:
        escaped = name.replace("_", "\\_")
        return f"\\mathit{{{escaped}}}"
    stem, number, index = match.groups()
    letter = stem if len(stem) == 1 else f"\\mathit{{{stem}}}"
    if index and not index.isdigit() and len(index) > 1:
        index = f"\\mathrm{{{index}}}"
    above = number or index
    return f"{letter}^{{({above})}}" if above else letter


def indices_latex(names: Sequence[str], *, between: str = " ") -> str:
    """Indices side by side.

    Parameters
    ----------
    names : sequence of str
        An apostrophe at the end is a prime.
    between : str
        What separates them.
    """
    return between.join(map(_index, names))


def _index(name: str) -> str:
    numbered = _INDEX.fullmatch(name)
    if numbered:
        return f"{symbol_latex(numbered[1])}_{{{numbered[2]}}}{numbered[3]}"
    stem = name.rstrip("'")
    return symbol_latex(stem) + name[len(stem) :]
