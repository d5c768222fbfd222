"""``diagflow gallery``: experiments that set theory against simulation."""

from pathlib import Path
from typing import Annotated

import typer

from diagflow.commands.shared_options import INTERRUPTED, USAGE_ERROR, Seconds

__all__ = ["EPILOG", "NAME", "run"]

NAME = "gallery"

EPILOG = (
    "Examples:\n\n"
    "  diagflow gallery --output out/gallery --quick\n\n"
    "  diagflow gallery --output out/gallery --only kernel-limit-order-3 --jobs 2"
)


def run(
    output: Annotated[
        Path,
        typer.Option("--output", help="Where figures and numbers are written.", metavar="DIR"),
    ] = Path("out/gallery"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes: minutes instead of the hour.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", help="Run only this experiment; may be repeated.", show_default=False
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            help="Number of processes; 2, or 1 where little is to be done.",
            show_default=False,
        ),
    ] = None,
    max_seconds: Seconds = None,
) -> None:
    """Reproduce the experiments: figures, numbers, and whether theory and simulation agree.

    Writes name.pdf, name.png and CSV files for every experiment, and gallery.json with the
    verdicts; "?" marks an experiment that cannot be judged at these sizes. Experiments that finish
    within the time limit are saved. Exits with 1 if an experiment fails, and with 2 if not all of
    them are finished.
    """
    from diagflow.comparison.verdict import Agreement
    from diagflow.gallery import experiments, run_gallery
    from diagflow.terminal import note
    from diagflow.workers.lifetime import check_jobs
    from diagrams.errors import InvalidInputError

    known = {experiment.name: experiment for experiment in experiments(quick=quick)}
    for name in only or ():
        if name not in known:
            raise InvalidInputError(
                f"experiment {name!r}: is not known; choose one of {', '.join(known)}"
            )
    if jobs is not None:
        check_jobs(jobs)
    chosen = [experiment for name, experiment in known.items() if not only or name in only]

    try:
        outcomes = run_gallery(
            chosen, output, jobs=jobs or (1 if quick else 2), report=note, seconds=max_seconds
        )
    except KeyboardInterrupt:
        typer.echo(
            f"diagflow: interrupted: finished results are in {output / 'gallery.json'}", err=True
        )
        raise typer.Exit(INTERRUPTED) from None
    marks = {Agreement.AGREES: "ok  ", Agreement.DIFFERS: "FAIL", Agreement.UNDECIDED: "?   "}
    for experiment, outcome in zip(chosen, outcomes, strict=False):
        typer.echo(f"{marks[outcome.verdict]}  {experiment.name}")
        for line in outcome.lines:
            typer.echo(f"      {line}")
    if any(outcome.verdict is Agreement.DIFFERS for outcome in outcomes):
        raise typer.Exit(1)
    if len(outcomes) < len(chosen):
        missing = ", ".join(experiment.name for experiment in chosen[len(outcomes) :])
        typer.echo(
            f"diagflow: error: budget: {max_seconds:g} seconds were over before {missing}; what "
            f"was finished is in {output / 'gallery.json'}; raise --max-seconds or choose with "
            "--only",
            err=True,
        )
        raise typer.Exit(USAGE_ERROR)
