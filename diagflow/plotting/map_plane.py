"""Planes of scalings and their sections with cones, exact.

A regime is a cone of scalings α. In a plane of scalings two exponents vary and the others are
fixed, for the CP models x = α_H and y = α_{σ²} at α_p = 1; a cone meets it in a convex polygon, a
segment or a point, bounded or not. A `Window` clips it; all arithmetic is rational.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
>>> plane = MapPlane.of(regime_set)
>>> window = Window(Fraction(0), Fraction(2), Fraction(-2), Fraction(0))
>>> [(int(x), int(y)) for x, y in plane.section(regime_set["E"].cone, window)]
[(0, -2), (2, -2), (1, -1), (0, -1)]
>>> [(int(x), int(y)) for x, y in plane.section(regime_set["A-B-E"].cone, window)]
[(1, -1)]

Source: ours; clipping after Sutherland and Hodgman 1974.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from diagrams.errors import InvalidInputError
from expansion.geometry.cones import Cone
from expansion.polynomial import symbol_latex
from expansion.regimes import Regime, Regimes

__all__ = [
    "MapPlane",
    "Place",
    "Window",
    "exponents_of_values",
    "free_symbols",
    "sections",
    "window_of",
]

Place = tuple[Fraction, Fraction]

_FAR = Fraction(10**6)
"""Corners of a map farther away than this do not enlarge its window."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle left <= x <= right, bottom <= y <= top."""

    left: Fraction
    right: Fraction
    bottom: Fraction
    top: Fraction

    @property
    def corners(self) -> tuple[Place, ...]:
        """The corners, counter-clockwise."""
        return (
            (self.left, self.bottom),
            (self.right, self.bottom),
            (self.right, self.top),
            (self.left, self.top),
        )


@dataclass(frozen=True, slots=True)
class MapPlane:
    """The scalings α = fixed + x e_across + y e_up, on a slice with the exponents tied to them.

    Parameters
    ----------
    symbols : tuple of str
        What the exponents belong to.
    across, up : int
        Places of the two exponents that vary.
    fixed : tuple of Fraction
        The other exponents; zero at ``across``, at ``up`` and where they are tied.
    tied : tuple of (int, tuple of Fraction), optional
        Places of exponents that a slice ties to the others, each with its coefficients.
    """

    symbols: tuple[str, ...]
    across: int
    up: int
    fixed: tuple[Fraction, ...]
    tied: tuple[tuple[int, tuple[Fraction, ...]], ...] = ()

    @classmethod
    def of(
        cls,
        regime_set: Regimes,
        *,
        across: str | None = None,
        up: str | None = None,
        fixed: Mapping[str, int | Fraction] | None = None,
    ) -> MapPlane:
        """A plane of the scalings of a map of regimes.

        Parameters
        ----------
        regime_set : Regimes
        across : str, optional
            The symbol whose exponent is x; the last size unless given, or with one size only the
            last symbol but one that is no size.
        up : str, optional
            The symbol whose exponent is y; the last symbol that is no size unless given, or the
            last size but one.
        fixed : mapping from str to int or Fraction, optional
            Exponents of other symbols. Without it sizes have 1, other symbols 0.

        Raises
        ------
        InvalidInputError
            If there are fewer than three symbols, a symbol does not occur or occurs twice, or no
            fixed exponent is positive.
        """
        exponents = regime_set.exponents
        symbols = exponents.symbols
        tied = _tied([relation.normal for relation in regime_set.on])
        free = free_symbols(regime_set)
        if len(free) < 3:
            raise InvalidInputError(
                f"regime map: the series has the symbols {', '.join(free)} only, a map takes "
                "three; draw the polygon alone"
            )
        still = [name for name in free if name not in exponents.growing]
        sizes = [name for name in reversed(free) if name in exponents.growing and name != up]
        y = up or next(name for name in [*reversed(still), *reversed(free)] if name != across)
        # One size is kept for the unit of the exponents.
        candidates = [*(sizes if len(sizes) > 1 else []), *reversed(still), *sizes]
        x = across or next(name for name in candidates if name != y)
        values = dict(fixed or {})
        for name in (x, y, *values):
            if name not in symbols:
                raise InvalidInputError(
                    f"symbol {name!r}: does not occur in the series; its symbols are "
                    f"{', '.join(symbols)}"
                )
        for name in (x, y, *values):
            if name not in free:
                raise InvalidInputError(
                    f"symbol {name!r}: its exponent is tied by the slice; choose another one"
                )
        if x == y or {x, y} & values.keys():
            raise InvalidInputError(
                f"regime map of {x} and {y}: an exponent is asked for twice; give two symbols and "
                "fix others"
            )
        entries = tuple(
            Fraction(values.get(name, int(name in sizes and name not in (x, y))))
            for name in symbols
        )
        if not any(
            entry > 0
            for name, entry in zip(symbols, entries, strict=True)
            if name in exponents.growing
        ):
            raise InvalidInputError(
                f"regime map of {x} and {y}: no other size grows; fix a positive exponent"
            )
        return cls(symbols, symbols.index(x), symbols.index(y), entries, tied)

    @property
    def base(self) -> int:
        """The place of the symbol in whose units exponents are given: the first that is fixed."""
        return next(i for i, entry in enumerate(self.fixed) if entry > 0)

    def scaling(self, place: Place) -> tuple[Fraction, ...]:
        """The scaling at a place."""
        entries = list(self.fixed)
        entries[self.across], entries[self.up] = place
        free = tuple(entries)
        for bound, factors in self.tied:
            entries[bound] = sum((c * x for c, x in zip(factors, free, strict=True)), Fraction(0))
        return tuple(entries)

    def on_axes(self, place: Place) -> tuple[float, float]:
        """A place in the units of the axes: exponents of σ instead of σ²."""
        x, y = (
            value / 2 if self.symbols[i].startswith("sigma2") else value
            for i, value in zip((self.across, self.up), place, strict=True)
        )
        return float(x), float(y)

    def section(self, cone: Cone, window: Window) -> tuple[Place, ...]:
        """The corners of the part of a cone in the plane and a window.

        None if they do not meet, one for a point, two for a segment.
        """
        region: tuple[Place, ...] = window.corners
        opposite = [tuple(-entry for entry in row) for row in cone.equations]
        for normal in (*cone.equations, *opposite, *cone.inequalities):
            region = _clipped(region, self._line(normal))
        return region

    def label(self, place: int) -> str:
        """The name of an axis in LaTeX, for example α_H/α_p."""
        name, below = self.symbols[place], symbol_latex(self.symbols[self.base])
        shown = name.replace("sigma2", "sigma", 1)
        return rf"$\alpha_{{{_letter(shown)}}} / \alpha_{{{below}}}$"

    def note(self) -> str:
        """The fixed exponents in LaTeX, empty if only one is fixed and the others are no choice."""
        shown = [
            rf"\alpha_{{{_letter(name)}}} = {_multiple(entry / self.fixed[self.base])}"
            + rf"\alpha_{{{_letter(self.symbols[self.base])}}}"
            if entry
            else rf"\alpha_{{{_letter(name)}}} = 0"
            for i, (name, entry) in enumerate(zip(self.symbols, self.fixed, strict=True))
            if i not in (self.across, self.up, self.base, *(bound for bound, _ in self.tied))
        ]
        shown += [
            rf"\alpha_{{{_letter(self.symbols[bound])}}} = {_sum(self.symbols, factors)}"
            for bound, factors in self.tied
        ]
        return f"${', '.join(shown)}$" if shown else ""

    def _line(self, normal: Sequence[int]) -> tuple[Fraction, Fraction, Fraction]:
        """Coefficients (a, b, c) of the half-plane a x + b y + c >= 0 that a normal cuts out."""
        entries = [Fraction(entry) for entry in normal]
        for bound, factors in self.tied:
            entries = [
                entry + normal[bound] * factor
                for entry, factor in zip(entries, factors, strict=True)
            ]
        constant = sum((n * f for n, f in zip(entries, self.fixed, strict=True)), Fraction(0))
        return entries[self.across], entries[self.up], constant


def _tied(normals: Sequence[Sequence[int]]) -> tuple[tuple[int, tuple[Fraction, ...]], ...]:
    """The last symbol of every equation, after those before it, in terms of the others."""
    rows: dict[int, list[Fraction]] = {}
    for normal in normals:
        row = [Fraction(entry) for entry in normal]
        for place, known in rows.items():
            row = [x - row[place] * y for x, y in zip(row, known, strict=True)]
        pivot = next((i for i in reversed(range(len(row))) if row[i]), None)
        if pivot is not None:
            row = [entry / row[pivot] for entry in row]
            for place, known in rows.items():
                factor = known[pivot]
                rows[place] = [x - factor * y for x, y in zip(known, row, strict=True)]
            rows[pivot] = row
    return tuple(
        (place, tuple(-entry if i != place else Fraction(0) for i, entry in enumerate(row)))
        for place, row in sorted(rows.items())
    )


def _sum(symbols: Sequence[str], factors: Sequence[Fraction]) -> str:
    """A linear combination of exponents in LaTeX."""
    parts = [
        rf"{_multiple(factor)}\alpha_{{{_letter(name)}}}"
        for name, factor in zip(symbols, factors, strict=True)
        if factor
    ]
    return " + ".join(parts).replace("+ -", "- ") or "0"


def free_symbols(regime_set: Regimes) -> tuple[str, ...]:
    """The symbols whose exponents a slice does not tie to others: all, if there is no slice."""
    tied = {place for place, _ in _tied([relation.normal for relation in regime_set.on])}
    return tuple(n for i, n in enumerate(regime_set.exponents.symbols) if i not in tied)


def sections(
    regime_set: Regimes, plane: MapPlane, window: Window
) -> list[tuple[Regime, tuple[Place, ...]]]:
    """The regimes that a part of a plane meets, with their sections.

    A regime whose cone the plane only touches is left out: the place belongs to another one.
    """
    result = []
    for regime in regime_set:
        places = plane.section(regime.cone, window)
        if places:
            middle = (
                sum((x for x, _ in places), Fraction(0)) / len(places),
                sum((y for _, y in places), Fraction(0)) / len(places),
            )
            if regime.cone.contains_in_interior(plane.scaling(middle)):
                result.append((regime, places))
    return result


def window_of(regime_set: Regimes, plane: MapPlane, *, shown: Iterable[Place] = ()) -> Window:
    """A window with all corners of a map, room around them, and some more places."""
    growing = regime_set.exponents.growing_places
    low = [Fraction(0) if i in growing else -_FAR for i in (plane.across, plane.up)]
    far = Window(low[0], _FAR, low[1], _FAR)
    pieces = sections(regime_set, plane, far)
    xs, ys = [], []
    for _, places in pieces:
        near = [(x, y) for x, y in places if abs(x) < _FAR and abs(y) < _FAR]
        if len(places) == 2 and not near:
            near = [((places[0][0] + places[1][0]) / 2, (places[0][1] + places[1][1]) / 2)]
        xs += [x for x, y in near if (x, y) != (low[0], low[1])]
        ys += [y for x, y in near if (x, y) != (low[0], low[1])]
    left, right = _range(xs, zero=plane.across in growing)
    bottom, top = _range(ys, zero=plane.up in growing)
    for x, y in shown:
        wide, high = (right - left) / 12, (top - bottom) / 12
        left, right = min(left, max(x - wide, low[0])), max(right, x + wide)
        bottom, top = min(bottom, max(y - high, low[1])), max(top, y + high)
    return Window(left, right, bottom, top)


def exponents_of_values(
    plane: MapPlane, values: Mapping[str, Fraction | float]
) -> tuple[float, ...]:
    """The scaling that given numbers have, in the units of the plane.

    Raises
    ------
    InvalidInputError
        If a symbol has no positive value, or the symbol of the units none above one.
    """
    logarithms = []
    for name in plane.symbols:
        if name not in values:
            raise InvalidInputError(
                f"values: there is none for {name}; give one for each of {', '.join(plane.symbols)}"
            )
        exact = Fraction(values[name])
        if exact <= 0:
            raise InvalidInputError(
                f"value {name} = {values[name]}: has no logarithm; give a positive number"
            )
        logarithms.append(math.log(exact.numerator) - math.log(exact.denominator))
    unit = logarithms[plane.base] / float(plane.fixed[plane.base])
    if unit <= 0:
        name = plane.symbols[plane.base]
        raise InvalidInputError(
            f"value {name} = {values[name]}: is no base for exponents; give more than 1"
        )
    return tuple(logarithm / unit for logarithm in logarithms)


def _range(values: Sequence[Fraction], *, zero: bool) -> tuple[Fraction, Fraction]:
    """A range with room: twice as far as the farthest value if it begins at zero."""
    if zero:
        return Fraction(0), 2 * max([*values, Fraction(1, 4)])
    low, high = min(values, default=Fraction(0)), max(values, default=Fraction(0))
    room = max(high - low, abs(low), Fraction(1))
    return low - room * Fraction(3, 4), high + room * Fraction(3, 5)


def _clipped(
    region: Sequence[Place], line: tuple[Fraction, Fraction, Fraction]
) -> tuple[Place, ...]:
    """The part of a convex polygon in a closed half-plane, corners without repetition."""
    a, b, c = line
    kept: list[Place] = []
    for (x0, y0), (x1, y1) in zip(region, [*region[1:], *region[:1]], strict=True):
        before, after = a * x0 + b * y0 + c, a * x1 + b * y1 + c
        if before >= 0:
            kept.append((x0, y0))
        if before * after < 0:
            t = before / (before - after)
            kept.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
    return tuple(dict.fromkeys(kept))


def _letter(name: str) -> str:
    return symbol_latex(name.replace("sigma2", "sigma", 1))


def _multiple(factor: Fraction) -> str:
    """A factor as text, empty for one, a decimal if its denominator is large."""
    if factor == 1:
        return ""
    if factor.denominator == 1:
        return f"{factor}\\,"
    if factor.denominator < 10:
        return f"{factor.numerator}/{factor.denominator}\\,"
    return f"{float(factor):.3g}\\,"
