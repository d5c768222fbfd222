"""``diagflow atlas``: pages of many problems with an index."""

from pathlib import Path
from typing import Annotated

import typer

from diagflow.commands.shared_options import (
    INTERRUPTED,
    USAGE_ERROR,
    NoStore,
    Seconds,
    Store,
    opened_store,
)

__all__ = ["EPILOG", "NAME", "run"]

NAME = "atlas"

EPILOG = (
    "Examples:\n\n"
    "  diagflow atlas --output out/atlas --jobs 2 --max-seconds 1800\n\n"
    "  diagflow atlas 'cp --order 2' 'cp --order 2 --symmetric' two-layer --output out/small\n\n"
    "  diagflow atlas examples --output out/examples --no-simulations"
)


def run(
    problems: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PROBLEM]...",
            help="Problems, each with its options in one word of the shell, such as "
            "[bold]'cp --order 3 --symmetric'[/bold]; [bold].toml[/bold] files, or folders of "
            "them. Without any, all presets and the folder examples.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", help="Where the pages are written.", metavar="DIR")
    ] = Path("out/atlas"),
    terms: Annotated[
        int | None,
        typer.Option(
            "--terms",
            help="Expand Y_0 ... Y_S of every problem; without it as many as decide its map.",
            metavar="S",
            show_default=False,
        ),
    ] = None,
    simulations: Annotated[
        bool,
        typer.Option(
            "--simulations/--no-simulations", help="Compare solved regimes with simulations."
        ),
    ] = True,
    problem_seconds: Annotated[
        float,
        typer.Option(
            "--problem-seconds",
            help="Limit on one problem; what it does not reach is named on its page.",
            metavar="X",
            rich_help_panel="Limits",
        ),
    ] = 90.0,
    jobs: Annotated[
        int, typer.Option("--jobs", help="Number of processes; each makes one page at a time.")
    ] = 1,
    max_seconds: Seconds = None,
    store: Store = None,
    no_store: NoStore = False,
) -> None:
    """Write pages of many problems with an index: cards, filters, a comparison of two, a table.

    Every page is that of [bold]report --html[/bold]. Pages that the same release has made are
    reused. The pages that finish within the time limit, or before an interrupt, are an atlas, too;
    exits with 2 if a problem has no page.
    """
    from diagflow.atlas.build import Wanted, build_atlas
    from diagflow.atlas.problems import listed
    from diagflow.columns import counted
    from diagflow.terminal import note
    from diagflow.time_limit import check_seconds
    from diagflow.workers.lifetime import check_jobs

    check_jobs(jobs)
    check_seconds(problem_seconds, "--problem-seconds: a limit")
    kept = opened_store(store, no_store=no_store)
    wanted = Wanted(
        output,
        terms=terms,
        simulate=simulations,
        seconds=problem_seconds,
        store=None if kept is None else kept.path,
    )
    try:
        atlas = build_atlas(
            listed(problems or ()), wanted, jobs=jobs, seconds=max_seconds, told=note
        )
    except KeyboardInterrupt:
        typer.echo(
            f"diagflow: interrupted: finished results are in {output / 'index.html'}", err=True
        )
        raise typer.Exit(INTERRUPTED) from None
    note(f"written: {output / 'index.html'}, {counted(len(atlas.pages), 'problem')}", err=False)
    if atlas.left or atlas.failed:
        without = len(atlas.left) + len(atlas.failed)
        typer.echo(
            f"diagflow: error: budget: {counted(without, 'problem')} without a page, the index "
            "lists why; raise the limits or change --terms",
            err=True,
        )
        raise typer.Exit(USAGE_ERROR)
