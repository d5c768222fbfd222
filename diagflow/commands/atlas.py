"""``diagflow atlas``: pages of many problems with an index."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.shared_options import (
    INTERRUPTED,
    USAGE_ERROR,
    NoStore,
    Seconds,
    Store,
    opened_store,
    optional,
    stop,
)

if TYPE_CHECKING:
    from diagflow.atlas.build import Atlas, Wanted

__all__ = ["EPILOG", "NAME", "run"]

NAME = "atlas"

EPILOG = (
    "Examples:\n\n"
    "  diagflow atlas --output out/atlas --jobs 2 --max-seconds 1800\n\n"
    "  diagflow atlas 'cp --order 2' tied-autoencoder --output out/small\n\n"
    "  diagflow atlas examples --output out/examples --no-simulations"
)


@dataclass(frozen=True)
class AtlasOptions:
    """The options of ``diagflow atlas``."""

    problems: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PROBLEM]...",
            help="Problems, each with its options in one word of the shell, such as "
            "[bold]'cp --order 3 --symmetric'[/bold]; [bold].toml[/bold] files, or folders of "
            "them. Without any, all presets and the folder examples.",
            show_default=False,
        ),
    ] = None
    output: Annotated[
        Path, typer.Option("--output", help="Where the pages are written.", metavar="DIR")
    ] = Path("out/atlas")
    terms: Annotated[
        int | None,
        optional(
            "--terms",
            "Expand Y_0 ... Y_S of every problem; without it as many as decide its map.",
            "S",
        ),
    ] = None
    simulations: Annotated[
        bool,
        typer.Option(
            "--simulations/--no-simulations", help="Compare solved regimes with simulations."
        ),
    ] = True
    problem_seconds: Annotated[
        float,
        typer.Option(
            "--problem-seconds",
            help="Limit on one problem in seconds; its page lists what was not reached.",
            metavar="X",
            rich_help_panel="Limits",
        ),
    ] = 90.0
    jobs: Annotated[
        int, typer.Option("--jobs", help="Number of processes; each makes one page at a time.")
    ] = 1
    max_seconds: Seconds = None
    store: Store = None
    no_store: NoStore = False

    def __post_init__(self) -> None:
        """Reject limits that leave no time before anything is computed."""
        from diagflow.time_limit import check_seconds
        from diagflow.workers.lifetime import check_jobs

        check_jobs(self.jobs)
        check_seconds(self.problem_seconds, "--problem-seconds: a limit")

    @property
    def index(self) -> Path:
        """The first page."""
        return self.output / "index.html"


@takes_options(AtlasOptions)
def run(options: AtlasOptions) -> None:
    """Write pages of many problems with an index: cards, filters, a comparison of two, a table.

    Every page is that of [bold]report --html[/bold]. Pages that the same release has made are
    reused. The pages that finish within the time limit, or before an interrupt, are an atlas, too;
    exits with 2 if a problem has no page.
    """
    from diagflow.atlas.build import build_atlas
    from diagflow.atlas.problems import listed
    from diagflow.terminal import note

    wanted = _wanted(options)
    try:
        atlas = build_atlas(
            listed(options.problems or ()),
            wanted,
            jobs=options.jobs,
            seconds=options.max_seconds,
            told=note,
        )
    except KeyboardInterrupt:
        stop(f"interrupted: finished results are in {options.index}", INTERRUPTED)
    _end(atlas, options)


def _wanted(options: AtlasOptions) -> "Wanted":
    """How the pages are made."""
    from diagflow.atlas.build import Wanted

    kept = opened_store(options.store, no_store=options.no_store)
    return Wanted(
        options.output,
        terms=options.terms,
        simulate=options.simulations,
        seconds=options.problem_seconds,
        store=None if kept is None else kept.path,
    )


def _end(atlas: "Atlas", options: AtlasOptions) -> None:
    """Print where the pages are; exits with an error if a problem has none."""
    from diagflow.columns import counted
    from diagflow.terminal import note

    note(f"written: {options.index}, {counted(len(atlas.pages), 'problem')}", err=False)
    if atlas.left or atlas.failed:
        without = len(atlas.left) + len(atlas.failed)
        stop(
            f"error: budget: {counted(without, 'problem')} without a page, the index lists why; "
            "raise the limits or change --terms",
            USAGE_ERROR,
        )
