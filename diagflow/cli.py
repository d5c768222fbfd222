"""The command line: ``diagflow COMMAND PROBLEM [options]``.

Every command reads a problem, calls the layers below and prints; each has its own module in
`diagflow.commands`. Bad input gives one line on standard error that names the thing, the rule and
the remedy, and exit status 2; an interrupt prints finished results and exits with 130; where the
reader of a pipe has had enough, the status is 141, as after the signal SIGPIPE. Heavy imports
happen inside the commands, so that ``--help`` answers at once. Every command has ``--quiet``;
colours are left out where standard output is not a terminal or NO_COLOR is set.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Annotated, Any

import typer

from diagflow import __version__
from diagflow.commands import (
    atlas,
    check,
    compare,
    correlators,
    demo,
    derive,
    draw,
    expand,
    gallery,
    regimes,
    report,
    simulate,
    solve,
    store,
)
from diagflow.commands.shared_options import BROKEN_PIPE, INTERRUPTED, USAGE_ERROR, can_be_quiet
from diagflow.workers.startup import import_igraph_without_matplotlib

__all__ = ["GROUPS", "app", "main"]

app = typer.Typer(
    name="diagflow",
    help="Diagram expansions of the training dynamics of large models.",
    invoke_without_command=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

GROUPS = {
    "Theory": (expand, regimes, derive, solve, correlators),
    "Experiments": (simulate, compare, gallery),
    "Pictures and papers": (draw, report, atlas),
    "First steps": (demo,),
    "Upkeep": (check, store),
}
"""The commands as ``--help`` groups them."""


def _begun(command: Callable[..., None]) -> Callable[..., None]:
    """The command, after the start, with an interrupt turned into an `Abort`.

    Typer alone ends without a word.
    """

    @wraps(command)
    def wrapped(**given: Any) -> None:
        try:
            import_igraph_without_matplotlib()
            command(**given)
        except KeyboardInterrupt:
            raise typer.Abort from None

    return wrapped


for _group, _commands in GROUPS.items():
    for _command in _commands:
        app.command(name=_command.NAME, epilog=_command.EPILOG, rich_help_panel=_group)(
            _begun(can_be_quiet(_command.run))
        )


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"diagflow {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Diagram expansions of the training dynamics of large models."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line and turn errors into one line and an exit status."""
    if sys.stdout is None:  # closed by who called, as by >&-
        message = "standard output: is closed; let it go to a file or to /dev/null"
        typer.echo(f"diagflow: error: {message}", err=True)
        sys.exit(USAGE_ERROR)
    try:
        status = _status()
        sys.stdout.flush()
    except OSError as error:
        status = _unusable(error)
    except SystemExit as error:
        # Typer and rich end like this when the reader of a pipe has had enough.
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        status = _unusable(error.__context__)
    sys.exit(status)


def _status() -> int:
    """The exit status of the command, after the line about an error if there is one."""
    from diagflow.wording import as_options
    from diagrams.errors import DiagflowError

    try:
        return int(app(standalone_mode=False) or 0)
    except typer.TyperException as error:
        context: typer.Context | None = getattr(error, "ctx", None)
        hint = f"; see '{context.command_path} --help'" if context else ""
        message = " ".join(error.format_message().split()).rstrip(".")
        typer.echo(f"diagflow: error: {message}{hint}", err=True)
    except DiagflowError as error:
        typer.echo(f"diagflow: error: {as_options(error)}", err=True)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("diagflow: interrupted", err=True)
        return INTERRUPTED
    return USAGE_ERROR


def _unusable(error: OSError) -> int:
    """Print that a place cannot be read or written; the exit status."""
    if isinstance(error, BrokenPipeError):
        _discard_output()
        return BROKEN_PIPE
    from expansion.input_limits import legible

    place = error.filename or ("standard output" if error.errno == errno.ENOSPC else None)
    if place is None:  # no place: a fault of the program
        raise error
    if error.errno == errno.ENOSPC:
        _discard_output()
    remedy = "make room" if error.errno == errno.ENOSPC else "check the path"
    typer.echo(f"diagflow: error: {legible(str(place))}: {error.strerror}; {remedy}", err=True)
    return USAGE_ERROR


def _discard_output() -> None:
    """What waits for the standard output at the end cannot be written either.

    The same for errors, if nobody reads them: a Python that cannot write them at its end takes an
    exit status of its own.
    """
    streams = [sys.stdout]
    try:
        sys.stderr.flush()
    except OSError:
        streams.append(sys.stderr)
    for stream in streams:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
