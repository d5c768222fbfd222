"""``diagflow gallery``: experiments that set theory against simulation."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.shared_options import INTERRUPTED, USAGE_ERROR, Seconds, optional, stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagflow.gallery.outcome import Experiment, Outcome

__all__ = ["EPILOG", "NAME", "run"]

NAME = "gallery"

EPILOG = (
    "Examples:\n\n"
    "  diagflow gallery --output out/gallery --quick\n\n"
    "  diagflow gallery --output out/gallery --only kernel-limit-order-3 --jobs 2"
)


@dataclass(frozen=True)
class GalleryOptions:
    """The options of ``diagflow gallery``."""

    output: Annotated[
        Path,
        typer.Option("--output", help="Where figures and numbers are written.", metavar="DIR"),
    ] = Path("out/gallery")
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes: minutes instead of the hour.")
    ] = False
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", help="Run only this experiment; may be repeated.", show_default=False
        ),
    ] = None
    jobs: Annotated[
        int | None,
        optional("--jobs", "Number of processes; 2, or 1 where little is to be done."),
    ] = None
    max_seconds: Seconds = None

    @property
    def record(self) -> Path:
        """Where the verdicts are written."""
        return self.output / "gallery.json"


@takes_options(GalleryOptions)
def run(options: GalleryOptions) -> None:
    """Reproduce the experiments: figures, numbers, and whether theory and simulation agree.

    Writes name.pdf, name.png and CSV files for every experiment, and gallery.json with the
    verdicts; "?" marks an experiment that cannot be judged at these sizes. Experiments that finish
    within the time limit are saved. Exits with 1 if an experiment fails, and with 2 if not all of
    them are finished.
    """
    from diagflow.gallery import run_gallery
    from diagflow.terminal import note

    chosen = _chosen(options)
    try:
        outcomes = run_gallery(
            chosen,
            options.output,
            jobs=options.jobs or (1 if options.quick else 2),
            report=note,
            seconds=options.max_seconds,
        )
    except KeyboardInterrupt:
        stop(f"interrupted: finished results are in {options.record}", INTERRUPTED)
    _show(chosen, outcomes)
    _end(chosen, outcomes, options)


def _chosen(options: GalleryOptions) -> "list[Experiment]":
    """The experiments that are asked for."""
    from diagflow.gallery import experiments
    from diagflow.workers.lifetime import check_jobs
    from diagrams.errors import InvalidInputError

    known = {experiment.name: experiment for experiment in experiments(quick=options.quick)}
    only = options.only or ()
    for name in only:
        if name not in known:
            raise InvalidInputError(
                f"experiment {name!r}: is not known; choose one of {', '.join(known)}"
            )
    if options.jobs is not None:
        check_jobs(options.jobs)
    return [experiment for name, experiment in known.items() if not only or name in only]


def _show(chosen: "Sequence[Experiment]", outcomes: "Sequence[Outcome]") -> None:
    """Print the verdict on every finished experiment."""
    from diagflow.comparison.verdict import Agreement

    marks = {Agreement.AGREES: "ok  ", Agreement.DIFFERS: "FAIL", Agreement.UNDECIDED: "?   "}
    for experiment, outcome in zip(chosen, outcomes, strict=False):
        typer.echo(f"{marks[outcome.verdict]}  {experiment.name}")
        for line in outcome.lines:
            typer.echo(f"      {line}")


def _end(
    chosen: "Sequence[Experiment]", outcomes: "Sequence[Outcome]", options: GalleryOptions
) -> None:
    """Exit with an error if an experiment fails or is not finished."""
    from diagflow.comparison.verdict import Agreement

    if any(outcome.verdict is Agreement.DIFFERS for outcome in outcomes):
        raise typer.Exit(1)
    if len(outcomes) < len(chosen):
        missing = ", ".join(experiment.name for experiment in chosen[len(outcomes) :])
        stop(
            f"error: budget: {options.max_seconds:g} seconds were over before {missing}; what was "
            f"finished is in {options.record}; raise --max-seconds or choose with --only",
            USAGE_ERROR,
        )
