"""All checks of some problems, one after the other.

>>> problem, *_ = default_problems()
>>> first, *_ = check_problems([problem], quick=True)
>>> first.check, first.verdict.value in ("passed", "skipped")
('versions', True)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from diagflow.checking.exact import (
    check_certificates,
    check_counters,
    check_oracle,
    check_wishart,
)
from diagflow.checking.findings import Finding, Verdict
from diagflow.checking.machine import check_versions
from diagflow.checking.simulated import check_simulation
from diagrams.errors import DiagflowError, InvalidInputError
from expansion.models import autoencoder, cp
from expansion.problem import Problem
from expansion.regimes import regimes

__all__ = ["STEPS", "check_problems", "default_problems"]

STEPS = 4
"""Checks of one problem: oracle, counters, certificates, simulation; two more are of none."""

_RUNS = 24
_QUICK_RUNS = 12
_QUICK_REGIMES = 2
_MONOMIALS = 200_000
_QUICK_MONOMIALS = 20_000


def default_problems() -> tuple[Problem, ...]:
    """What is checked unless a problem is named: one model of each kind of engine."""
    return cp(order=2, symmetric=True), cp(order=3), autoencoder(data=True)


def check_problems(
    problems: Sequence[Problem],
    *,
    quick: bool = False,
    seed: int = 0,
    begin: Callable[[str], None] | None = None,
) -> Iterator[Finding]:
    """The findings as they are made.

    Parameters
    ----------
    problems : sequence of Problem
    quick : bool
        Fewer coefficients, runs and regimes.
    seed : int
        Of the simulations, not negative; nothing else is random.
    begin : callable, optional
        Told what begins.

    Raises
    ------
    InvalidInputError
        If the seed is negative.
    """
    if seed < 0:
        raise InvalidInputError(f"--seed {seed}: is negative; give 0 or more")

    def tell(text: str) -> None:
        if begin is not None:
            begin(text)

    tell("versions")
    yield check_versions()
    tell("counters")
    yield check_wishart()
    for problem in problems:
        title = problem.title
        tell(f"{title}: oracle")
        yield check_oracle(problem, monomials=_QUICK_MONOMIALS if quick else _MONOMIALS)
        tell(f"{title}: counters")
        yield check_counters(problem, terms=1 if quick else 2)
        tell(f"{title}: certificates")
        try:
            found = regimes(problem)
        except DiagflowError as error:
            for check in ("certificates", "simulation"):
                yield Finding(title, check, Verdict.SKIPPED, str(error))
            continue
        yield check_certificates(found)
        yield check_simulation(
            found,
            runs=_QUICK_RUNS if quick else _RUNS,
            seed=seed,
            at_most=_QUICK_REGIMES if quick else None,
            progress=lambda name, title=title: tell(f"{title}: simulation of {name}"),  # type: ignore[misc]
        )
