"""Work that is stopped by the clock says how far it was."""

import re

import pytest

from diagrams.errors import BudgetExceededError
from pde.deadline import check_time, seconds_left
from tests.command import Run


def test_without_a_limit_nothing_is_over() -> None:
    check_time("integration", "t = 1 of 2")
    with seconds_left(None):
        check_time("integration")


def test_the_message_says_how_far_it_was() -> None:
    with seconds_left(-1), pytest.raises(BudgetExceededError) as error:
        check_time("integration", "t = 1 of 2")
    assert str(error.value) == (
        "integration: did not end in the time allowed, which ended at t = 1 of 2; allow more with "
        "--max-seconds, or give earlier times"
    )


def test_small_data_at_late_times_names_the_time_that_was_reached(run: Run) -> None:
    done = run(
        *("solve", "tied-autoencoder", "--data", "--regime", "small-data", "--terms", "4"),
        *("--at", "p=200,H=100,N=20,sigma2=1/200", "--times", "0:1e6:3", "--max-seconds", "4"),
    )
    assert done.code == 2
    reached = re.search(r"which ended at t = ([0-9.e+]+) of 1e\+06; allow more", done.err)
    assert reached is not None, done.err
    assert 0 < float(reached[1]) < 1e6
