"""What somebody solved by hand, found again by the machine that knows no model.

Left a solution on file, with its own derivation; right the one from effective dynamics, which sees
diagrams and no name. They agree to 1e-9 of the loss wherever both exist.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from expansion.models import cp
from expansion.problem import Problem
from expansion.regimes import Regimes
from pde.effective import effective_solution
from pde.hierarchies import HierarchyKind
from pde.solving import solution
from tests.problems import regimes_of

PROBLEMS: dict[str, tuple[Problem, int]] = {
    "SYM 2": (cp(order=2, symmetric=True), 5),
    "SYM 4": (cp(order=4, symmetric=True), 3),
    "ASYM 2": (cp(order=2), 5),
    "ASYM 3": (cp(order=3), 4),
}
BOTH = [
    *(("SYM 2", name) for name in ("A", "B", "E", "A-B", "A-B-E")),
    *(("SYM 4", name) for name in ("A", "B", "A-B", "E-A", "A-B-E")),
    *(("ASYM 2", name) for name in ("A", "B", "C", "B-C", "C-D", "E-A")),
    *(("ASYM 3", name) for name in ("A", "C", "E-A", "C-D")),
]


def found(name: str) -> Regimes:
    return regimes_of(*PROBLEMS[name])


@pytest.mark.parametrize(("problem", "regime"), BOTH)
def test_a_solution_on_file_is_found_again(problem: str, regime: str) -> None:
    on_file = solution(found(problem), regime)
    derived = effective_solution(found(problem), regime)
    assert derived is not None and derived.certificate.holds
    assert on_file.source != derived.source or on_file.derivation != derived.derivation
    numbers = {"p": Fraction(3), "H": Fraction(2), "sigma2": Fraction(1, 7), "T": Fraction(1)}
    left, right = on_file.at(numbers), derived.at(numbers)
    last = min(1.0, 0.9 * left.domain.stop, 0.9 * right.domain.stop)
    first = max(-0.1, 0.9 * left.domain.start, 0.9 * right.domain.start)
    times = np.linspace(first, last, 9)
    expected = np.array([float(left(t)) for t in times])
    mine = np.array([float(right(t)) for t in times])
    assert np.max(np.abs(mine - expected)) <= 1e-9 * np.max(np.abs(expected))


@pytest.mark.parametrize(
    ("problem", "regime", "kind"),
    [
        ("SYM 4", "A-B-E", HierarchyKind.ONE_SITE),
        ("ASYM 3", "E-A", HierarchyKind.ONE_SITE),
        ("ASYM 2", "C-D", HierarchyKind.FINITE),
        ("ASYM 2", "E-A", HierarchyKind.FINITE),
    ],
)
def test_the_kind_that_is_found(problem: str, regime: str, kind: HierarchyKind) -> None:
    derived = effective_solution(found(problem), regime)
    assert derived is not None and derived.hierarchy.kind is kind
