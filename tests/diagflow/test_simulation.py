"""Ensembles: seeds, processes, interrupts, blow-ups, records and refusals."""

import json
import os
import resource
import signal

import numpy as np
import pytest

from diagflow.simulation import Trajectory, simulate, trajectory_record
from diagflow.simulation.processes import processes
from diagrams.errors import BudgetExceededError, InvalidInputError
from expansion.models import cp

AT = {"p": 3, "H": 2, "sigma2": 0.2}


def run(**changed: object) -> Trajectory:
    options = {"at": AT, "times": [-0.02, 0.0, 0.5], "runs": 4, "seed": 5} | changed
    return simulate(cp(order=3, symmetric=True), **options)  # type: ignore[arg-type]


def test_a_seed_gives_the_same_numbers_and_another_one_others() -> None:
    first = run()
    np.testing.assert_array_equal(first.loss, run().loss)
    assert not np.any(first.loss == run(seed=6).loss)
    assert len({tuple(row) for row in first.loss}) == 4


def test_more_runs_keep_the_runs_there_were() -> None:
    np.testing.assert_array_equal(run(runs=6).loss[:4], run().loss)


def test_processes_change_nothing() -> None:
    np.testing.assert_array_equal(run(jobs=2).loss, run().loss)


def test_mean_and_standard_error() -> None:
    ensemble = run()
    assert ensemble.runs == 4
    np.testing.assert_allclose(ensemble.mean, ensemble.loss.sum(axis=0) / 4)
    deviations = ensemble.loss - ensemble.mean
    np.testing.assert_allclose(ensemble.standard_error, np.sqrt((deviations**2).sum(axis=0) / 12))
    assert np.all(np.isnan(run(runs=1).standard_error))


def test_the_start_has_the_variance_that_was_asked_for() -> None:
    """E[L(0)] of free SYM, nu = 2: 1/2 (p^2 H + p H^2 + p H) sigma^4."""
    problem = cp(order=2, symmetric=True, target="zero")
    ensemble = simulate(problem, at={"p": 4, "H": 3, "sigma2": 0.5}, times=[0.0], runs=3000)
    expected = 0.5 * (48 + 36 + 12) * 0.25
    assert ensemble.standard_error[0] < 0.03 * expected
    assert abs(ensemble.mean[0] - expected) < 4 * ensemble.standard_error[0]


def test_progress_and_an_interrupt_that_keeps_the_finished_runs() -> None:
    seen: list[tuple[int, int]] = []

    def interrupt(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    ensemble = run(progress=interrupt)
    assert seen == [(1, 4), (2, 4)]
    assert ensemble.interrupted
    assert ensemble.finished == (0, 1)
    np.testing.assert_array_equal(ensemble.loss, run().loss[:2])
    assert not run().interrupted


def test_an_interrupt_before_the_first_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("diagflow.simulation.ensemble.integrate", stop)
    with pytest.raises(KeyboardInterrupt):
        run()


def test_a_blow_up_is_a_time_in_the_result_and_null_in_the_record() -> None:
    ensemble = run(times=[-100.0, 0.0, 1.0], runs=3)
    assert all(time is not None and -100 < time < 0 for time in ensemble.blow_up)
    assert np.all(ensemble.loss[:, 0] == np.inf)
    record = trajectory_record(ensemble)
    assert set(record) == {"t", "mean", "standard_error", "runs", "seed"}
    parsed = json.loads(json.dumps(record, allow_nan=False))
    assert parsed["mean"][0] is None
    assert parsed["standard_error"][0] is None
    assert parsed["mean"][1:] == ensemble.mean[1:].tolist()
    assert (parsed["t"], parsed["runs"], parsed["seed"]) == ([-100.0, 0.0, 1.0], 3, 5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"times": []}, "times: must be a list of finite numbers that is not empty"),
        ({"times": [0.0, np.nan]}, "times: must be a list of finite numbers that is not empty"),
        ({"runs": 0}, "runs 0: is not an integer of at least 1; give 1 or more"),
        ({"runs": 1.5}, "runs 1.5: is not an integer of at least 1; give 1 or more"),
        ({"jobs": 0}, "jobs 0: is not an integer of at least 1; give 1 or more"),
        ({"seed": -1}, "seed -1: is not an integer of at least 0; give 0 or more"),
        ({"at": AT | {"sigma2": -0.1}}, "variance sigma2=-0.1: is negative; give 0 or more"),
        ({"at": AT | {"p": 10**9}}, "sizes of cp order=3 symmetric=true target=identity: the flow"),
    ],
)
def test_refusals(changed: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        run(**changed)
    assert str(error.value).startswith(message)


def test_a_process_that_dies_is_told_in_one_line() -> None:
    """As the system ends one when memory runs out, or by itself, which has other reasons."""
    with pytest.raises(BudgetExceededError, match="want of memory"), processes(1) as pool:
        pool.submit(signal.raise_signal, signal.SIGKILL).result()
    with pytest.raises(BudgetExceededError, match="ended with status 3; "), processes(1) as pool:
        pool.submit(os._exit, 3).result()


def processor_seconds() -> float:
    """Of this process and its finished children: other users of the machine do not count."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


@pytest.mark.slow
def test_two_processes_do_the_work_in_1_6_times_less_time() -> None:
    """On two free cores: the work of both, halved, against that of one process."""
    at = {"p": 64, "H": 256, "sigma2": 1e-3}
    spent = []
    for jobs in (1, 2):
        start = processor_seconds()
        simulate(cp(order=3), at=at, times=[40.0], runs=12, jobs=jobs)
        spent.append(processor_seconds() - start)
    assert spent[0] > 1.6 * spent[1] / 2
