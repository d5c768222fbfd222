r"""What ``diagflow draw`` draws: blocks, terms and contractions of a problem.

- *blocks*: the diagrams of D, R and the squared norm of the target, of which a loss is made, or
  those of an observable, G;
- *terms*: the distinct diagrams of Y_0, Y_1, ... before the expectation, with their coefficients;
- *contractions*: each of these followed by the results of its contractions, with the number
  of contractions and what each contributes.

Amplitudes and the normalisation of the loss, such as 1/N, are factors of the coefficient under a
picture. What stands after E is the expectation of the picture alone.

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from diagflow.drawing.contractions import (
    MAXIMAL_MATCHINGS,
    Contraction,
    contractions,
    matchings,
)
from diagflow.drawing.cumulants import CumulantTerm, cumulant_terms
from diagflow.drawing.page import check_drawing_file, gallery
from diagflow.drawing.what import MAXIMAL_PICTURES, What
from diagflow.latex.lines import visible_length
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.sums import DiagramSum
from diagrams.wick import Monomial, expectation, monomial
from expansion.cumulants import read_cumulant
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series import LossSeries

__all__ = ["block_items", "contraction_items", "draw", "term_items"]

_CAPTION = 22
"""Visible width of an expectation that fit a caption; more are cut after a monomial."""

_EXPECTATION_MATCHINGS = 2_100_000
"""Captions give the expectation of diagrams with at most so many contractions, 16 equal factors."""

_NOTES: Mapping[What, str] = MappingProxyType(
    {
        What.BLOCKS: "E is the expectation of the picture alone.",
        What.TERMS: "In front of a picture stands its coefficient; E is the expectation of the "
        "picture alone.",
        What.CONTRACTIONS: "Every row begins with a term and its coefficient. Behind the arrows "
        "stand the contractions of the picture: how many there are, times what each contributes.",
    }
)
"""What the captions mean, in a line below the pictures."""

_CUMULANT_NOTES: Mapping[What, str] = MappingProxyType(
    {
        What.BLOCKS: "E is the expectation of the picture alone.",
        What.TERMS: "Every picture is a product of as many diagrams as the order of the cumulant, "
        "with its coefficient in front; the last line is their joint cumulant.",
        What.CONTRACTIONS: "Every row begins with a product of diagrams and its coefficient. "
        "Behind the arrows stand the contractions that connect all of them: how many there are, "
        "times what each contributes.",
    }
)
"""The same for cumulants."""

_EXPECTATION = "\\mathrm{E}"
_ONE = "\\ {1}\\times"
"""The coefficient 1, written out."""

_ARROW = "$\\to\\ "
"""What the caption of a contraction begins with."""

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
        A series may be that of another loss or of an observable of its problem.
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
        If a diagram has too many contractions to draw its contractions.
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
    loss = problem.loss if isinstance(problem, LossSeries) else None
    order = 1 if loss is None else read_cumulant(loss)[1]
    series = problem if isinstance(problem, LossSeries) else LossSeries(problem)
    items = list(islice(_ITEMS[What(what)](series, terms), maximal))
    left_out: int | None = 0
    if len(items) == maximal:
        whole = _count(series, What(what), terms)
        left_out = None if whole is None else whole - maximal
    rest = "" if left_out == 0 else f"$\\ldots$ and {left_out or 'many'} more. "
    # A term begins a row, and its contractions follow it; only their captions begin with an arrow.
    starts = (
        {number for number, (_, caption) in enumerate(items) if not caption.startswith(_ARROW)}
        if what == What.CONTRACTIONS
        else ()
    )
    meaning = _NOTES[What(what)] if order == 1 else _CUMULANT_NOTES[What(what)]
    gallery(items, output, note=(rest + meaning).rstrip(), starts=starts)
    return left_out


def block_items(problem: Problem, loss: str | None = None) -> Iterator[Item]:
    """The diagrams of which a quantity is made, with captions.

    Parameters
    ----------
    problem : Problem
    loss : str, optional
        The name of a loss, which is made of D, R and the squared norm of its target, or of another
        quantity, whose own diagrams are those of G; the loss that drives the flow unless given.
    """
    name = problem.loss_name if loss is None else read_cumulant(loss)[0]
    parts, normalisation = _blocks(problem, name)
    for name, total in parts:
        for whole, coefficient in _sorted(total):
            diagram, factor = _without_amplitudes(whole, problem.amplitude_symbols)
            multiple = _multiple(coefficient, factor, normalisation)
            yield diagram, _captioned(f"${name}{multiple and ':' + multiple}$", diagram)


def _blocks(problem: Problem, loss: str) -> tuple[tuple[tuple[str, DiagramSum], ...], Monomial]:
    """The parts of a quantity by their names, and its normalisation."""
    losses = {known.name: known for known in problem.observed}
    found = problem.driving if loss == problem.loss_name else losses.get(loss)
    if found is None:
        quantity = problem.quantity(loss)
        return (("G", quantity.diagrams),), quantity.normalisation
    parts = (
        ("D", found.model_square),
        ("R", found.overlap),
        ("\\|F\\|^{2}", found.target_square),
    )
    return parts, found.normalisation


def term_items(series: LossSeries, terms: int) -> Iterator[Item]:
    """The diagrams of Y_0 ... Y_terms, with their coefficients and expectations."""
    if read_cumulant(series.loss)[1] > 1:
        yield from _cumulant_items(series, terms, contracted=False)
        return
    for s in range(terms + 1):
        for diagram, multiple in _terms(series, s):
            yield diagram, _captioned(f"$Y_{{{s}}}:{multiple}$", diagram)


def contraction_items(series: LossSeries, terms: int) -> Iterator[Item]:
    """Each diagram of Y_0 ... Y_terms followed by its contractions."""
    if read_cumulant(series.loss)[1] > 1:
        yield from _cumulant_items(series, terms, contracted=True)
        return
    for s in range(terms + 1):
        for diagram, multiple in _terms(series, s):
            yield diagram, f"$Y_{{{s}}}:{multiple}$"
            if diagram.factors:
                yield from map(_contracted, contractions(diagram))


def _contracted(contraction: Contraction) -> Item:
    """A class of contractions with its number and what each contributes."""
    value = Polynomial(dict(contraction.value))
    shown = value.latex()
    if len(value) > 1 or shown.startswith("-"):
        shown = f"({shown})"
    return contraction.diagram, f"{_ARROW}{contraction.count}\\times {shown}$"


def _cumulant_items(series: LossSeries, terms: int, *, contracted: bool) -> Iterator[Item]:
    """The products of diagrams of a cumulant, with their joint cumulants or contractions."""
    problem, (name, order) = series.problem, read_cumulant(series.loss)
    own = problem.quantity(name).normalisation
    for s in range(terms + 1):
        # That of a series has the normalisation of the quantity once.
        normalisation = Counter(dict(series.normalisation(s)))
        for symbol, power in own:
            normalisation[symbol] += (order - 1) * power
        for term in cumulant_terms(problem, name, order, s):
            factor: Counter[str] = Counter()
            parts = []
            for part in term.parts:
                plain, symbols = _without_amplitudes(part, problem.amplitude_symbols)
                factor += symbols
                parts.append(plain)
            shown = CumulantTerm(tuple(parts), term.coefficient)
            multiple = _multiple(term.coefficient, factor, monomial(normalisation))
            head = f"$Y_{{{s}}}:{multiple or _ONE}$"
            if contracted:
                yield shown.diagram, head
                yield from map(_contracted, shown.contractions)
            else:
                joint = _beginning(f"\\kappa_{{{order}}}", shown.value, shown.diagram)
                yield shown.diagram, f"{head}\n{joint}"


_ITEMS: Mapping[What, Callable[[LossSeries, int], Iterator[Item]]] = MappingProxyType(
    {
        What.BLOCKS: lambda series, terms: block_items(series.problem, series.loss),
        What.TERMS: term_items,
        What.CONTRACTIONS: contraction_items,
    }
)


def _sorted(total: DiagramSum) -> list[tuple[Diagram, Fraction]]:
    """Few factors first."""
    return sorted(total, key=lambda item: item[0])


def _terms(series: LossSeries, s: int) -> Iterator[tuple[Diagram, str]]:
    """The diagrams of Y_s without amplitudes, and their factors."""
    if series.problem.drive.is_rewriting:
        raise InvalidInputError(
            f"diagrams of {series.problem.title}: are drawn for flows without finite steps; draw "
            "those of another flow, or the blocks"
        )
    for whole, coefficient in _sorted(series.diagrams(s)):
        diagram, factor = _without_amplitudes(whole, series.problem.amplitude_symbols)
        multiple = _multiple(coefficient, factor, series.normalisation(s))
        yield diagram, multiple or _ONE


def _without_amplitudes(
    diagram: Diagram, amplitudes: Collection[str]
) -> tuple[Diagram, Counter[str]]:
    """The diagram without the single nodes that stand for amplitudes, and their product.

    An amplitude multiplies a whole diagram; nothing is summed over it.
    """
    kept = [i for i, axis in enumerate(diagram.nodes) if axis.name not in amplitudes]
    factor = Counter(axis.name for axis in diagram.nodes if axis.name in amplitudes)
    if not factor:
        return diagram, factor
    place = {node: i for i, node in enumerate(kept)}
    factors = tuple((tensor, tuple(place[n] for n in at)) for tensor, at in diagram.factors)
    return Diagram(tuple(diagram.nodes[i] for i in kept), factors), factor


def _multiple(coefficient: Fraction, factor: Counter[str], normalisation: Monomial) -> str:
    """The factor of a picture in LaTeX; nothing for 1."""
    total = Counter(factor)
    for name, power in normalisation:
        total[name] += power
    if coefficient == 1 and not monomial(total):
        return ""
    return f"\\ {{{Polynomial({monomial(total): coefficient}).latex()}}}\\times"


def _captioned(first: str, diagram: Diagram) -> str:
    """A caption with the beginning of the expectation, where it is quickly known."""
    ways = matchings(diagram)
    if not ways:
        return f"{first}\n$\\mathrm{{E}} = 0$"
    if ways > _EXPECTATION_MATCHINGS:
        return first
    value = Polynomial(expectation(diagram))
    return f"{first}\n{_beginning(_EXPECTATION, value, diagram)}"


def _beginning(name: str, value: Polynomial, diagram: Diagram) -> str:
    """A name and the beginning of its value, as a formula that is not too wide."""
    sizes = {axis.name for axis in diagram.nodes}
    ordered = sorted(value, key=lambda item: (-_nodes(item[0], sizes), -item[1], item[0]))
    shown = ""
    for number, (powers, count) in enumerate(ordered):
        term = Polynomial({powers: count}).latex()
        longer = f"{shown} + {term}" if shown else term
        if number and visible_length(longer) > _CAPTION:
            shown += " + \\cdots"
            break
        shown = longer
    return f"${name} = {shown}$"


def _nodes(powers: Monomial, sizes: Collection[str]) -> int:
    return sum(power for name, power in powers if name in sizes)


def _count(series: LossSeries, what: What, terms: int) -> int | None:
    """How many pictures there are; None if that takes contractions that are too large."""
    if what is What.BLOCKS:
        return sum(1 for _ in block_items(series.problem, series.loss))
    if read_cumulant(series.loss)[1] > 1:
        return sum(1 for _ in _ITEMS[what](series, terms))
    diagrams = Counter(d for s in range(terms + 1) for d, _ in series.diagrams(s))
    if what is What.TERMS:
        return diagrams.total()
    if any(matchings(diagram) > MAXIMAL_MATCHINGS for diagram in diagrams):
        return None
    return sum(
        times * (1 + (len(contractions(diagram)) if diagram.factors else 0))
        for diagram, times in diagrams.items()
    )
