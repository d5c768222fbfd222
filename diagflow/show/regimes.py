"""A map of learning regimes as text, JSON or LaTeX.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=2, symmetric=True, target="zero"), terms=4)
>>> print(text(regime_set), end="")
cp order=2 symmetric=true target=zero
3 regimes, from Y_0 ... Y_4
All vertices move linearly from s = 0 on; 3 coefficients confirm it. Observed, not proved.
<BLANKLINE>
regime  dimension  conditions  natural T  learning
A       0          H/p -> 0    p*sigma2        free
B       0          H/p -> oo   H*sigma2        free
A-B     1          H/p ~ 1     H*sigma2        free
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from html import escape

from diagflow.columns import counted, table
from diagflow.latex.prose import name_latex
from diagflow.schemas import versioned_text
from diagrams.arguments import number_text
from expansion.closest_regime import Location
from expansion.leading import LeadingSeries
from expansion.pareto_theorem import agreement
from expansion.polynomial import quotient_text, square_root, symbol_latex
from expansion.recognition import recognised
from expansion.regime_records import leading_record, place_record, regimes_record
from expansion.regimes import RationalMonomial, Regime, Regimes
from expansion.scaling_conditions import as_monomial

__all__ = [
    "FORMATS",
    "csv_text",
    "html",
    "json_text",
    "latex",
    "power_latex",
    "power_text",
    "support",
    "text",
]

MANY = 12
"""So many undecided regimes are worth a word on what to do about them."""

_NUMBERED = re.compile("F[0-9]+")


def text(
    regime_set: Regimes,
    *,
    leading: LeadingSeries | None = None,
    place: Location | None = None,
    width: int | None = None,
) -> str:
    """A table of the regimes, its evidence, and the other requested parts.

    Parameters
    ----------
    regime_set : Regimes
    leading : LeadingSeries, optional
    place : Location, optional
    width : int, optional
        Of the table, see `diagflow.columns.table`.
    """
    lines = [*_heading(regime_set), "", *_table(regime_set, width)]
    lines += _numbered(regime_set)
    lines += _moving(regime_set)
    lines += _changes(regime_set)
    if leading is not None:
        lines += ["", *_leading(leading)]
    if place is not None:
        lines += ["", *_place(place)]
    return "\n".join(lines) + "\n"


def json_text(
    regime_set: Regimes, *, leading: LeadingSeries | None = None, place: Location | None = None
) -> str:
    """The record of `expansion.regime_records.regimes_record` with its version, indented."""
    record = regimes_record(regime_set)
    if leading is not None:
        record["leading"] = leading_record(leading)
    if place is not None:
        record["place"] = place_record(place)
    return versioned_text("regimes", record)


def csv_text(
    regime_set: Regimes, *, leading: LeadingSeries | None = None, place: Location | None = None
) -> str:
    """A row for every regime; at given numbers with the share that each neglects."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    head, *rows = _rows(regime_set)
    writer.writerow([*head, *([] if place is None else ["neglected"])])
    for regime, row in zip(regime_set, rows, strict=True):
        share = [] if place is None else [f"{float(place.share(regime.name)):.6g}"]
        writer.writerow([*row, *share])
    return buffer.getvalue()


def html(regime_set: Regimes) -> str:
    """A table for a notebook."""
    head, *rows = _rows(regime_set)
    title = "<br>".join(escape(line) for line in _heading(regime_set))
    cells = [
        "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"
        for tag, row in [("th", head), *(("td", row) for row in rows)]
    ]
    return f"<p>{title}</p>\n<table>\n" + "\n".join(cells) + "\n</table>"


def latex(
    regime_set: Regimes, *, leading: LeadingSeries | None = None, place: Location | None = None
) -> str:
    """A table to be set with the package booktabs."""
    rows = [
        " & ".join(
            [
                name_latex(regime.name),
                ", ".join(f"${condition.latex()}$" for condition in regime.conditions),
                f"${power_latex(regime.natural_time)}$",
                regime.learning.value,
            ]
        )
        for regime in regime_set
    ]
    remarks = [line for line in [*_numbered(regime_set), *_changes(regime_set)] if line]
    comments = "\n".join(f"% {line}" for line in [*_heading(regime_set), *remarks])
    body = " \\\\\n".join(rows)
    text = (
        f"{comments}\n\\begin{{tabular}}{{llll}}\n\\toprule\n"
        "regime & scaling condition & natural $T$ & learning \\\\\n\\midrule\n"
        f"{body} \\\\\n\\bottomrule\n\\end{{tabular}}\n"
    )
    if leading is not None:
        rows = [
            f"\\operatorname{{lead}}(Y_{{{s}}}) &= {leading[s].latex()}"
            for s in sorted(leading.regimes.polyhedra)
        ]
        text += "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}\n"
    return text


def power_text(powers: RationalMonomial) -> str:
    """A monomial with rational powers; an integer one as a quotient.

    Examples
    --------
    >>> power_text((("p", Fraction(1)), ("sigma2", Fraction(1, 2))))
    'p*sigma2**(1/2)'
    """
    if all(power.denominator == 1 for _, power in powers):
        return quotient_text(tuple((name, int(power)) for name, power in powers))
    return "*".join(
        name
        if power == 1
        else f"{name}**{power}"
        if power.denominator == 1
        else f"{name}**({power})"
        for name, power in powers
    )


def power_latex(powers: RationalMonomial) -> str:
    r"""A monomial with rational powers in LaTeX.

    Examples
    --------
    >>> power_latex((("p", Fraction(1)), ("sigma2", Fraction(3, 2))))
    'p \\sigma^{3}'
    """
    parts = []
    for name, power in powers:
        variance_of = square_root(name)
        if power.denominator == 1:
            parts.append(symbol_latex(name, int(power)))
        elif variance_of is not None:
            # A variance is a square, so that a broken power of it is a power of its root.
            root = symbol_latex(variance_of)
            parts.append(root if 2 * power == 1 else f"{root}^{{{2 * power}}}")
        else:
            parts.append(f"{symbol_latex(name)}^{{{power}}}")
    return " ".join(parts) or "1"


def _title(regime_set: Regimes) -> str:
    problem, loss = regime_set.exponents.problem, regime_set.exponents.loss
    if problem is None:
        return "given series"
    return problem.title if loss is None else f"{problem.title}, {loss}"


def _preset(regime_set: Regimes) -> list[str]:
    """Which preset the problem is, where that is not its title."""
    problem = regime_set.exponents.problem
    known = None if problem is None else recognised(problem)
    if known is None or known.preset == problem:
        return []
    return [f"This is {known}."]


def _heading(regime_set: Regimes) -> list[str]:
    exponents = regime_set.exponents
    number = counted(len(regime_set), "regime")
    lines = [
        _title(regime_set),
        *_preset(regime_set),
        f"{number}{_slice(regime_set)}, from Y_0 ... Y_{exponents.last}",
        support(regime_set),
    ]
    agreed = agreement(exponents)
    if agreed is not None:
        every = agreed == tuple(range(exponents.last + 1))
        lines.append(
            f"The Pareto terms are those of the theorem for s = 0 ... {exponents.last}."
            if every
            else f"The Pareto terms differ from the theorem except at s = {agreed}."
        )
    return lines


def support(regime_set: Regimes) -> str:
    """The motion of the vertices and its evidence, in a sentence or two."""
    last, count = regime_set.exponents.last, regime_set.confirmed_by
    if regime_set.exponents.discrete:
        steps = "the start alone" if not last else f"{last} step{'s' * (last > 1)} and the start"
        return f"Exact, for {steps}; T counts steps. More steps may have another map."
    period = "" if regime_set.period == 1 else f" with period {regime_set.period}"
    if regime_set.law_last is None:
        return (
            f"Y_0 ... Y_{last} obey no law of the vertices: the regimes are those of the last "
            "coefficients, and none of them is decided. More terms decide more."
        )
    head = f"All vertices move linearly{period} from s = {regime_set.start} "
    if regime_set.law_last < last:
        return f"{head}to s = {regime_set.law_last}, not beyond. Observed, not proved."
    if not count:
        return f"{head}on; with fewer coefficients the map is not the same: not confirmed."
    number, ending = counted(count, "coefficient"), "s" if count == 1 else ""
    if regime_set.confirmed:
        return f"{head}on; {number} confirm{ending} it. Observed, not proved."
    return f"{head}on; {number} agree{ending} with it, not yet confirmed. Observed, not proved."


def _slice(regime_set: Regimes) -> str:
    return f" on the slice {', '.join(map(str, regime_set.on))}" if regime_set.on else ""


def _changes(regime_set: Regimes) -> list[str]:
    """What later coefficients do not share with the law, and the regimes that this leaves open."""
    lines = []
    symbols = regime_set.exponents.symbols
    for change in regime_set.changes:
        parts = []
        for what, points in (("new", change.appeared), ("gone", change.vanished)):
            shown = ", ".join(quotient_text(as_monomial(symbols, point)) for point in points)
            parts += [f"{what} {shown}"] if shown else []
        lines.append(f"  Y_{change.s}: {'; '.join(parts)}")
    if lines:
        lines = ["", "Vertices that appear or vanish late:", *lines]
    if regime_set.undecided:
        decided = [regime.name for regime in regime_set if regime.decided]
        lines += ["", f"Undecided: {', '.join(regime.name for regime in regime_set.undecided)}."]
        lines += [f"Decided for all s seen: {', '.join(decided)}."] if decided else []
        if len(regime_set.undecided) >= MANY:
            lines += ["More --terms decide more; --slice restricts the map to fewer scalings."]
    return lines


def _table(regime_set: Regimes, width: int | None) -> list[str]:
    return table(_rows(regime_set), width=width)


def _rows(regime_set: Regimes) -> list[tuple[str, ...]]:
    """The regimes in words, with a heading."""
    rows: list[tuple[str, ...]] = [("regime", "dimension", "conditions", "natural T", "learning")]
    rows += [
        (
            regime.name,
            str(regime.dimension),
            ", ".join(str(condition) for condition in regime.conditions) or "sizes grow",
            power_text(regime.natural_time),
            regime.learning.value,
        )
        for regime in regime_set
    ]
    return rows


def _numbered(regime_set: Regimes) -> list[str]:
    """The vertices of the regimes that are called by a number."""
    numbered = [r for r in regime_set if _NUMBERED.fullmatch(r.name)]
    if not numbered:
        return []
    return ["", "Regimes of many vertices:"] + [
        f"  {regime.name}: {', '.join(regime.vertices)}" for regime in numbered
    ]


def _moving(regime_set: Regimes) -> list[str]:
    moving = [regime for regime in regime_set if len(regime.vertices) == 2 and regime.moving]
    if not moving:
        return []
    lines = ["", "Walls that move with s, given above by their limits:"]
    for regime in moving:
        lines.append(f"  {regime.name}: {_wall(regime)} ~ 1")
    return lines


def _wall(regime: Regime) -> str:
    """The monomial of a moving wall with exponents that depend on s."""
    (wall,) = regime.moving
    branches = []
    for offset in dict.fromkeys(wall.offsets):
        parts = []
        for name, a, b in zip(regime.symbols, offset, wall.slope, strict=True):
            if a or b:
                parts.append(f"{name}**({_linear(a, b)})")
        branches.append("*".join(parts))
    return " (even s), ".join(branches) + (" (odd s)" if len(branches) > 1 else "")


def _linear(constant: Fraction, slope: Fraction) -> str:
    if not slope:
        return str(constant)
    head = {1: "s", -1: "-s"}.get(int(slope)) if slope.denominator == 1 else None
    term = head or f"{slope}*s"
    return term if not constant else f"{term} {'+' if constant > 0 else '-'} {abs(constant)}"


def _leading(leading: LeadingSeries) -> list[str]:
    regime = leading.regime
    variables = ", ".join(
        f"{name} = {quotient_text(powers)}" for name, powers in leading.variables.items()
    )
    time = power_text(regime.natural_time)
    lines = [f"Leading series of {regime.name}: {variables or 'one term for each s'}; T = {time}"]
    for s in sorted(leading.regimes.polyhedra):
        scale, polynomial = leading.scaled(s)
        lines.append(f"Y_{s} ~ {quotient_text(scale)} * ({polynomial})")
        dropped = leading.dropped(s)
        if dropped:
            shown = ", ".join(f"{quotient_text(term)} ({why})" for term, why in dropped)
            lines.append(f"  dropped: {shown}")
    return lines


def _place(place: Location) -> list[str]:
    values = ", ".join(f"{name} = {number_text(Fraction(value))}" for name, value in place.values)
    lines = [
        f"At {values} the closest regime is {place.closest.name}.",
        "Estimated size of the neglected terms, relative to the leading loss, at early times:",
    ]
    rows = [(entry.regime.name, f"{float(entry.largest):.2g}") for entry in place.table]
    return [*lines, *(f"  {row}" for row in table(rows))]


FORMATS: Mapping[str, Callable[..., str]] = {
    "text": text,
    "json": json_text,
    "csv": csv_text,
    "latex": latex,
}
"""How a map is printed, by the name of the format."""
