"""Work that is stopped by the clock says how far it was."""

import pytest

from diagrams.errors import BudgetExceededError
from pde.deadline import check_time, seconds_left


def test_without_a_limit_nothing_is_over() -> None:
    check_time("integration", "t = 1 of 2")
    with seconds_left(None):
        check_time("integration")


def test_the_message_says_how_far_it_was() -> None:
    with seconds_left(-1), pytest.raises(BudgetExceededError) as error:
        check_time("integration", "t = 1 of 2")
    assert str(error.value) == (
        "integration: did not end in the time allowed, which ended at t = 1 of 2; raise "
        "budget.seconds, or give earlier times"
    )
