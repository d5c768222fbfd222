"""Every regime that was solved before formulas were shared has the values that it had then.

The values of `tests/reference/solved_values.json` were computed by the revision that is named
there, whose formulas, evaluators and integrators were written regime by regime.
"""

import json
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from expansion import models
from expansion.regimes import Regimes
from pde.solving import solution
from tests.problems import regimes_of

ROWS = json.loads(
    (Path(__file__).parents[1] / "reference" / "solved_values.json").read_text(encoding="utf-8")
)["rows"]

QUICK = {("cp", 2), ("cp", 3), ("tied_autoencoder", None), ("two_layer", None)}
"""Models, and orders, whose values are compared in every run of the tests."""


def _cases() -> list[Any]:
    cases = []
    for (problem, regime), rows in groupby(ROWS, key=lambda row: (row["problem"], row["regime"])):
        model, options, loss = problem
        quick = (model, options.get("order")) in QUICK
        label = " ".join(f"{k}={v}" for k, v in options.items())
        cases.append(
            pytest.param(
                (model, tuple(options.items()), loss),
                regime,
                list(rows),
                id=f"{model} {label} {loss or ''} {regime}",
                marks=() if quick else pytest.mark.slow,
            )
        )
    return cases


def _found(model: str, options: tuple[tuple[str, Any], ...], loss: str | None) -> Regimes:
    return regimes_of(getattr(models, model)(**dict(options)), 4, loss)


@pytest.mark.parametrize(("problem", "regime", "rows"), _cases())
def test_values_are_kept(
    problem: tuple[str, Any, str | None], regime: str, rows: list[dict[str, Any]]
) -> None:
    solved = solution(_found(*problem), regime)
    compared = 0
    for row in rows:
        evolution = solved.at({name: Fraction(value) for name, value in row["numbers"].items()})
        times = np.array(
            [float(Fraction(t) * Fraction(row["numbers"]["T"])) for t in row["losses"]]
        )
        before = np.array(list(row["losses"].values()))
        # Domains are shorter now: they end where the loss would be negative or rise.
        inside = evolution.domain.inside(times)
        compared += int(np.count_nonzero(inside))
        errors = np.zeros(times.shape)
        if row["error"]:
            # The error that was stated, and that of today.
            errors += row["error"] + (evolution.error_estimate or 0.0)
        now = evolution(times[inside])
        assert np.all(abs(now - before[inside]) <= 1e-12 * abs(before[inside]) + errors[inside])
    assert compared >= 2


def test_what_is_compared_is_everything_that_was_solved() -> None:
    assert {row["problem"][0] for row in ROWS} == {"cp", "tied_autoencoder"}
    assert len({(json.dumps(row["problem"]), row["regime"]) for row in ROWS}) == 112
