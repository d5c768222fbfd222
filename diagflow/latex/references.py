r"""The papers that documents cite, and their bibliography.

>>> print(cited("Yarotsky, Golikov, Gusev 2026, section 9"))
\cite[section 9]{yarotsky2026}
>>> print(cited("ours; order 4: Golikov, Gusev, Yarotsky 2026").partition("; ")[2])
order 4: \cite{golikov2026}

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from diagflow.latex.prose import prose
from diagflow.show.sources import engine_name, source_text

__all__ = ["REFERENCES", "Reference", "bibliography", "cited"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A paper.

    Parameters
    ----------
    key : str
        By which a document cites it.
    name : str
        As the sources of solutions name it.
    entry : str
        Its line of a bibliography, in LaTeX.
    """

    key: str
    name: str
    entry: str


REFERENCES = (
    Reference(
        "yarotsky2026",
        "Yarotsky, Golikov, Gusev 2026",
        "D.~Yarotsky, E.~Golikov, Y.~Gusev, \\emph{Gradient Flow Through Diagram Expansions: "
        "Learning Regimes and Explicit Solutions}, arXiv:2602.04548, 2026.",
    ),
    Reference(
        "golikov2026",
        "Golikov, Gusev, Yarotsky 2026",
        "E.~Golikov, Y.~Gusev, D.~Yarotsky, \\emph{A prism hierarchy of learning regimes in large "
        "linear autoencoders}, arXiv:2606.05335, 2026.",
    ),
    Reference(
        "dyer2019",
        "Dyer, Gur-Ari 2019",
        "E.~Dyer, G.~Gur-Ari, \\emph{Asymptotics of Wide Networks from Feynman Diagrams}, "
        "arXiv:1909.11304, 2019.",
    ),
)
"""Those that sources of solutions name, see the page *Bibliography* of the documentation."""

_ENGINE = "diagflow"
_SECTION = r"(?:, (sections? \d[\d.]*(?:(?:, | and |–|-)\d[\d.]*)*))?"


def cited(source: str) -> str:
    """A source as LaTeX, with papers and this program as citations.

    Parameters
    ----------
    source : str
        Of a solution or solver of `pde`.
    """
    text = source_text(source)
    parts: list[str] = []
    names = {reference.name: reference.key for reference in REFERENCES} | {engine_name(): _ENGINE}
    pattern = re.compile(f"({'|'.join(map(re.escape, names))}){_SECTION}")
    end = 0
    for match in pattern.finditer(text):
        parts.append(prose(text[end : match.start()]))
        place = f"[{match[2]}]" if match[2] else ""
        written = engine_name() + "~" if names[match[1]] == _ENGINE else ""
        parts.append(f"{written}\\cite{place}{{{names[match[1]]}}}")
        end = match.end()
    return "".join([*parts, prose(text[end:])])


def bibliography(text: str, more: Sequence[str] = ()) -> str:
    r"""The ``thebibliography`` of what a text cites; empty where it cites nothing.

    Parameters
    ----------
    text : str
        A document in LaTeX.
    more : sequence of str
        Keys that are listed in any case.

    Examples
    --------
    >>> bibliography("nothing is cited")
    ''
    """
    keys = {*more}
    for match in re.finditer(r"\\cite(?:\[[^]]*\])?\{([^}]*)\}", text):
        keys.update(match[1].split(","))
    engine = Reference(
        _ENGINE,
        engine_name(),
        f"\\emph{{{engine_name()}}}, diagram expansions of the training dynamics of large models, "
        "computed for this document.",
    )
    items = "".join(
        f"\\bibitem{{{reference.key}}} {reference.entry}\n"
        for reference in (*REFERENCES, engine)
        if reference.key in keys
    )
    return f"\\begin{{thebibliography}}{{9}}\n{items}\\end{{thebibliography}}\n" if items else ""
