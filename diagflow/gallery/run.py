"""Run experiments one after the other into a folder.

Every experiment writes its figure and its numbers; ``gallery.json`` has the verdicts.

Source: ours.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from diagflow.files import write_whole
from diagflow.gallery.outcome import Experiment, Outcome, Report
from diagflow.schemas import versioned_text
from diagflow.time_limit import TimeLimit, time_limit
from diagrams.errors import BudgetExceededError, InvalidInputError

__all__ = ["run_gallery"]


def run_gallery(
    chosen: Sequence[Experiment],
    folder: Path,
    *,
    jobs: int,
    report: Report,
    seconds: float | None = None,
) -> tuple[Outcome, ...]:
    """Run experiments; those finished before an interrupt, or before the time is over, are kept.

    Parameters
    ----------
    chosen : sequence of Experiment
    folder : Path
        Made if it is not there.
    jobs : int
        Number of processes of an ensemble.
    report : callable
        Told a line when something begins or ends.
    seconds : float, optional
        Limit on all of them together.

    Returns
    -------
    tuple of Outcome
        Of the first experiments, as many as were finished within the limit.

    Raises
    ------
    InvalidInputError
        If the folder cannot be made or written to, or the limit is not positive.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(
            f"output folder {folder}: cannot be made ({error.strerror}); give another one"
        ) from None
    whole = TimeLimit.begun(seconds, "gallery")
    outcomes: list[Outcome] = []
    spent: list[float] = []
    for experiment in chosen:
        start = time.perf_counter()
        try:
            with time_limit(whole.left, experiment.name):
                outcome = experiment.run(folder, jobs=jobs, report=report)
        except BudgetExceededError:
            if not whole.is_over:
                raise
            report(f"{experiment.name}: not finished, the time was over")
            break
        outcomes.append(outcome)
        spent.append(round(time.perf_counter() - start, 1))
        report(f"{experiment.name}: finished in {spent[-1]:.0f} s")
        records = [
            {"title": done.title, **outcome.record(), "seconds": taken}
            for done, outcome, taken in zip(chosen, outcomes, spent, strict=False)
        ]
        text = versioned_text("gallery", {"experiments": records})
        write_whole(folder / "gallery.json", text)
    return tuple(outcomes)
