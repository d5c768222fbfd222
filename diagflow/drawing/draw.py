r"""What ``diagflow draw`` draws: blocks, terms and contractions of a problem.

- *blocks*: the diagrams of D, R and the squared norm of the target, of which the loss is made;
- *terms*: the distinct diagrams of Y_0, Y_1, ... before the expectation, with their coefficients;
- *contractions*: each of these followed by what its perfect matchings make of it, with the number
  of matchings and the monomial that each contributes.

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from diagflow.drawing.contractions import MAXIMAL_MATCHINGS, contractions, matchings
from diagflow.drawing.gallery import check_drawing_file, gallery
from diagflow.drawing.what import MAXIMAL_PICTURES, What
from diagflow.latex.lines import visible_length
from diagflow.latex.numbers import number_latex
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.sums import DiagramSum
from diagrams.wick import expectation
from expansion.polynomial import Polynomial, monomial_latex
from expansion.problem import Problem
from expansion.series import LossSeries

__all__ = ["block_items", "contraction_items", "draw", "term_items"]

_CAPTION = 22
"""Visible width of an expectation that fit a caption; more are cut after a monomial."""

_EXPECTATION_MATCHINGS = 2_100_000
"""Captions give the expectation of diagrams with at most so many matchings, 16 equal factors."""

Item = tuple[Diagram, str]


def draw(
    problem: Problem | LossSeries,
    what: What | str,
    *,
    output: Path,
    terms: int = 1,
    maximal: int = MAXIMAL_PICTURES,
) -> int | None:
    """Draw blocks, terms or contractions of a problem.

    Parameters
    ----------
    problem : Problem or LossSeries
    what : What or str
    output : Path
        An ``.svg``, ``.png``, ``.pdf`` or ``.tex`` file.
    terms : int
        Draw Y_0 ... Y_terms; blocks do not depend on it.
    maximal : int
        Draw at most so many pictures; a note counts the others.

    Returns
    -------
    int or None
        Number of pictures that were left out; None if some were and there are too many to count.

    Raises
    ------
    InvalidInputError
        If one of the arguments cannot be, or the file cannot be written.
    CapacityError
        If a diagram has too many matchings to draw its contractions.
    """
    if what not in {*What}:
        raise InvalidInputError(f"draw {what!r}: is not one of {', '.join(What)}; choose one")
    if terms < 0:
        raise InvalidInputError(
            f"draw: Y_0 ... Y_{terms}: s counts time derivatives; give --terms 0 or more"
        )
    if maximal < 1:
        raise InvalidInputError(
            f"draw: at most {maximal} pictures: there must be at least one; give a larger number"
        )
    check_drawing_file(output)
    series = problem if isinstance(problem, LossSeries) else LossSeries(problem)
    items = list(islice(_ITEMS[What(what)](series, terms), maximal))
    left_out: int | None = 0
    if len(items) == maximal:
        whole = _count(series, What(what), terms)
        left_out = None if whole is None else whole - maximal
    note = "" if left_out == 0 else f"$\\ldots$ and {left_out or 'many'} more"
    gallery(items, output, note=note)
    return left_out


def block_items(problem: Problem) -> Iterator[Item]:
    """The diagrams of D, R and the squared norm of the target with captions."""
    for name, total in (
        ("D", problem.model_square),
        ("R", problem.overlap),
        ("\\|F\\|^{2}", problem.target_square),
    ):
        for diagram, coefficient in total:
            multiple = "" if coefficient == 1 else f":\\ {{{number_latex(coefficient)}}}\\times"
            yield diagram, _captioned(f"${name}{multiple}$", diagram)


def term_items(series: LossSeries, terms: int) -> Iterator[Item]:
    """The diagrams of Y_0 ... Y_terms, with their coefficients and expectations."""
    for s in range(terms + 1):
        for diagram, coefficient in _sorted(series.diagrams(s)):
            yield (
                diagram,
                _captioned(f"$Y_{{{s}}}:\\ {{{number_latex(coefficient)}}}\\times$", diagram),
            )


def contraction_items(series: LossSeries, terms: int) -> Iterator[Item]:
    """Each diagram of Y_0 ... Y_terms followed by its contractions."""
    for s in range(terms + 1):
        for diagram, coefficient in _sorted(series.diagrams(s)):
            yield diagram, f"$Y_{{{s}}}:\\ {{{number_latex(coefficient)}}}\\times$"
            if diagram.factors:
                for contraction in contractions(diagram):
                    powers = monomial_latex(contraction.monomial)
                    yield contraction.diagram, f"$\\to\\ {contraction.count}\\times {powers}$"


_ITEMS: Mapping[What, Callable[[LossSeries, int], Iterator[Item]]] = MappingProxyType(
    {
        What.BLOCKS: lambda series, terms: block_items(series.problem),
        What.TERMS: term_items,
        What.CONTRACTIONS: contraction_items,
    }
)


def _sorted(total: DiagramSum) -> list[tuple[Diagram, Fraction]]:
    """Few factors first."""
    return sorted(total, key=lambda item: item[0])


def _captioned(first: str, diagram: Diagram) -> str:
    """A caption with the beginning of the expectation, where it is quickly known."""
    if not 0 < matchings(diagram) <= _EXPECTATION_MATCHINGS:
        return first
    ordered = sorted(
        expectation(diagram).items(),
        key=lambda item: (-_nodes(item[0]), -item[1], item[0]),
    )
    shown = ""
    for number, (powers, count) in enumerate(ordered):
        term = Polynomial({powers: count}).latex()
        longer = f"{shown} + {term}" if shown else term
        if number and visible_length(longer) > _CAPTION:
            shown += " + \\cdots"
            break
        shown = longer
    return f"{first}\n$\\mathrm{{E}} = {shown}$"


def _nodes(powers: tuple[tuple[str, int], ...]) -> int:
    return sum(power for name, power in powers if not name.startswith("sigma"))


def _count(series: LossSeries, what: What, terms: int) -> int | None:
    """How many pictures there are; None if that takes contractions that are too large."""
    if what is What.BLOCKS:
        return sum(1 for _ in block_items(series.problem))
    diagrams = Counter(d for s in range(terms + 1) for d, _ in series.diagrams(s))
    if what is What.TERMS:
        return diagrams.total()
    if any(matchings(diagram) > MAXIMAL_MATCHINGS for diagram in diagrams):
        return None
    return sum(
        times * (1 + (len(contractions(diagram)) if diagram.factors else 0))
        for diagram, times in diagrams.items()
    )
