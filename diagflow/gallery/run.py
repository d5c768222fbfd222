"""Run experiments one after the other into a folder.

Every experiment writes its figure and its numbers; ``gallery.json`` has what was found.

Source: ours.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from diagflow.files import write_whole
from diagflow.gallery.outcome import Experiment, Outcome, Report
from diagflow.schemas import versioned_text
from diagrams.errors import InvalidInputError

__all__ = ["run_gallery"]


def run_gallery(
    chosen: Sequence[Experiment], folder: Path, *, jobs: int, report: Report
) -> tuple[Outcome, ...]:
    """Run experiments; those finished before an interrupt are kept.

    Parameters
    ----------
    chosen : sequence of Experiment
    folder : Path
        Made if it is not there.
    jobs : int
        Number of processes of an ensemble.
    report : callable
        Told a line when something begins or ends.

    Raises
    ------
    InvalidInputError
        If the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(
            f"output folder {folder}: cannot be made ({error.strerror}); give another one"
        ) from None
    outcomes: list[Outcome] = []
    seconds: list[float] = []
    for experiment in chosen:
        start = time.perf_counter()
        outcomes.append(experiment.run(folder, jobs=jobs, report=report))
        seconds.append(round(time.perf_counter() - start, 1))
        report(f"{experiment.name}: finished in {seconds[-1]:.0f} s")
        records = [
            {"title": done.title, **outcome.record(), "seconds": spent}
            for done, outcome, spent in zip(chosen, outcomes, seconds, strict=False)
        ]
        text = versioned_text("gallery", {"experiments": records})
        write_whole(folder / "gallery.json", text)
    return tuple(outcomes)
