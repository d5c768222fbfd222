"""The declared cases: what `python -m benchmarks` measures and what it requires.

A *reach* case asks how far the series goes: Y_0 ... Y_terms in one process, within limits of time
and memory. A *ratio* case compares the engine with the textbook enumerator on the same problem, in
the same process and the same run. A *curve* case evaluates a loss evolution at many times, and
simulates one run of the same curve. A *speed-up* case computes a series by one process and by two.
All these are CP models with the identity target. A *start* case is a whole command, from a cold
start.

>>> REACH[0].name, REACH[0].title, REACH[0].terms
('reach:sym2', 'SYM order 2', 40)
>>> [case.name for case in selected(RATIO, ["ratio:sym3"])]
['ratio:sym3']

Source: ours; the numbers of terms are those the project was asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = [
    "CURVES",
    "CURVE_POINTS",
    "MEMORY_LIMIT",
    "RATIO",
    "REACH",
    "REQUIRED_RATIO",
    "REQUIRED_SPEEDUP",
    "SPEEDUPS",
    "STARTS",
    "TIME_LIMIT",
    "CurveCase",
    "RatioCase",
    "ReachCase",
    "SeriesCase",
    "SpeedupCase",
    "StartCase",
    "names",
    "selected",
]

TIME_LIMIT = 60.0
"""Seconds in which a reach case has to finish, start of the interpreter and imports included."""

MEMORY_LIMIT = 4 * 2**30
"""Bytes that a reach case may hold at its peak."""

REQUIRED_RATIO = 500.0
"""How many times faster than the textbook enumerator the engine has to be."""


REQUIRED_SPEEDUP = 1.7
"""How many times faster than one process two have to be."""


@dataclass(frozen=True, kw_only=True)
class SeriesCase:
    """A CP model with the identity target and the last coefficient to compute."""

    order: int
    symmetric: bool
    terms: int
    quick_terms: int

    kind = "case"

    @property
    def model(self) -> str:
        return f"{'sym' if self.symmetric else 'asym'}{self.order}"

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.model}"

    @property
    def title(self) -> str:
        return f"{'SYM' if self.symmetric else 'ASYM'} order {self.order}"

    def last(self, *, quick: bool) -> int:
        """The last coefficient of a full or of a quick run."""
        return self.quick_terms if quick else self.terms


@dataclass(frozen=True, kw_only=True)
class ReachCase(SeriesCase):
    """Y_0 ... Y_terms in a process of its own."""

    kind = "reach"


@dataclass(frozen=True, kw_only=True)
class RatioCase(SeriesCase):
    """The engine against the textbook enumerator."""

    kind = "ratio"


@dataclass(frozen=True, kw_only=True)
class SpeedupCase(ReachCase):
    """Y_0 ... Y_terms by one process and by two."""

    kind = "speedup"


@dataclass(frozen=True, kw_only=True)
class CurveCase(SeriesCase):
    """A loss evolution at `CURVE_POINTS` times, after set-up."""

    regime: str
    at: tuple[tuple[str, float], ...]
    times: tuple[float, float]
    limit: float

    kind = "curve"

    @property
    def name(self) -> str:
        return f"{super().name}:{self.regime}"


@dataclass(frozen=True, kw_only=True)
class StartCase:
    """A command in a fresh process.

    Parameters
    ----------
    command : str
        What stands after ``diagflow``; FOLDER is a new folder.
    limit : float
        How many times longer than ``import numpy, scipy, sympy`` it may take.
    relative : bool
        Otherwise the limit is in seconds.
    stored : bool
        Whether the coefficients are in the store.
    """

    command: str
    limit: float
    relative: bool = True
    stored: bool = False

    kind = "start"

    @property
    def name(self) -> str:
        """The kind, the verb, and what is special.

        >>> StartCase(
        ...     command="solve cp --order 2 --regime E --at p=2,H=3", limit=2, stored=True
        ... ).name
        'start:solve:cp-order-2-E:stored'
        """
        verb, *words = self.command.split(" --at ")[0].replace("--regime ", "").split()
        rest = "-".join(word.strip("-") for word in words)
        parts = (self.kind, verb.strip("-"), rest, "stored" if self.stored else "")
        return ":".join(part for part in parts if part)


REACH = (
    ReachCase(order=2, symmetric=True, terms=40, quick_terms=20),
    ReachCase(order=2, symmetric=False, terms=13, quick_terms=9),
    ReachCase(order=3, symmetric=True, terms=6, quick_terms=4),
    ReachCase(order=3, symmetric=False, terms=6, quick_terms=4),
    ReachCase(order=4, symmetric=True, terms=5, quick_terms=3),
    ReachCase(order=4, symmetric=False, terms=6, quick_terms=4),
)

RATIO = (
    RatioCase(order=2, symmetric=True, terms=4, quick_terms=3),
    RatioCase(order=3, symmetric=True, terms=2, quick_terms=1),
    RatioCase(order=3, symmetric=False, terms=3, quick_terms=2),
)

SPEEDUPS = (SpeedupCase(order=4, symmetric=False, terms=6, quick_terms=5),)

CURVE_POINTS = 10_000

CURVES = (
    CurveCase(
        order=2,
        symmetric=True,
        terms=4,
        quick_terms=2,
        regime="A-B-E",
        at=(("p", 128), ("H", 64), ("sigma2", 1 / 128)),
        times=(0.0, 2.0),
        limit=0.020,
    ),
    CurveCase(
        order=4,
        symmetric=True,
        terms=3,
        quick_terms=2,
        regime="A-B-E",
        at=(("p", 64), ("H", 682), ("sigma2", 0.001)),
        times=(-10.0, 0.0),
        limit=1.0,
    ),
)
"""A closed form and a moment solution, with the seconds they may take."""

_VALUES = "p=64,H=32,sigma2=1/128"
_WITH_TEACHER = f"{_VALUES},H_teacher=32,sigma2_teacher=1/128"
_WITH_DATA = f"{_VALUES},N=256"

_SOLVED = (
    ("cp --order 2", "A-B-C-D-E", _VALUES),
    ("cp --order 2 --symmetric", "A-B-E", _VALUES),
    ("cp --order 3", "A-B", _VALUES),
    ("cp --order 3 --symmetric", "A-B", _VALUES),
    ("cp --order 4", "E-A", _VALUES),
    ("cp --order 4 --symmetric", "A-B-E", _VALUES),
    ("cp --order 2 --target teacher", "V1", _WITH_TEACHER),
    ("cp --order 2 --symmetric --target teacher", "V1-V2", _WITH_TEACHER),
    ("cp --order 3 --target teacher", "V1", _WITH_TEACHER),
    ("cp --order 3 --symmetric --target teacher", "V1", _WITH_TEACHER),
    ("cp --order 2 --symmetric --target zero", "A-B", _VALUES),
    ("cp --order 3 --target zero", "A-B", _VALUES),
    ("cp --order 2 --symmetric --target spiked", "V1-V2", f"{_VALUES},alpha=2"),
    ("cp --order 3 --symmetric --target modular-addition", "auto", _VALUES),
    ("autoencoder", "A-B-C-D-E", _VALUES),
    ("autoencoder --data", "auto", _WITH_DATA),
    ("tied-autoencoder", "A-B-E", _VALUES),
    ("tied-autoencoder --data", "mean-field", _WITH_DATA),
    ("tied-autoencoder --data", "narrow-latent", _WITH_DATA),
    ("tied-autoencoder --data", "small-data", _WITH_DATA),
    ("tied-autoencoder --data", "free", _WITH_DATA),
    ("deep-linear --depth 2", "A-B-C-D-E", _VALUES),
    ("deep-linear --depth 3", "auto", _VALUES),
    ("deep-linear --depth 4", "auto", _VALUES),
    ("mlp-linear --depth 2", "auto", _VALUES),
    ("mlp-linear --depth 2 --wide-ends", "auto", _VALUES),
    ("two-layer --degree 2", "auto", _VALUES),
    ("two-layer --degree 3", "auto", _VALUES),
)
"""The presets, each with a typical regime and some numbers; of finite data several."""

_FIRST = tuple(dict.fromkeys(problem for problem, _, _ in _SOLVED))

STARTS = (
    StartCase(command="--help", limit=0.3, relative=False),
    StartCase(command="expand cp --order 2 --terms 2", limit=0.6, relative=False),
    *(StartCase(command=f"regimes {problem}", limit=3) for problem in _FIRST),
    *(
        StartCase(command=f"solve {problem} --regime {name} --at {at}", limit=limit, stored=stored)
        for limit, stored in ((5, False), (2, True))
        for problem, name, at in _SOLVED
    ),
    StartCase(command="report cp --order 2 --symmetric --output FOLDER/report", limit=15),
)
"""Whole commands; the presets are those of an atlas."""

AnyCase = TypeVar("AnyCase", bound=SeriesCase | StartCase)


def names() -> tuple[str, ...]:
    """What ``--only`` accepts: a kind, or the name of a case."""
    groups: tuple[tuple[str, Sequence[SeriesCase | StartCase]], ...] = (
        ("reach", REACH),
        ("ratio", RATIO),
        ("speedup", SPEEDUPS),
        ("curve", CURVES),
        ("start", STARTS),
    )
    return tuple(name for kind, cases in groups for name in (kind, *(c.name for c in cases)))


def selected(cases: Iterable[AnyCase], only: Collection[str]) -> tuple[AnyCase, ...]:
    """The cases whose name or kind was asked for; all if nothing was."""
    return tuple(case for case in cases if not only or case.name in only or case.kind in only)
