"""``diagflow store``: the cache of coefficients."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EPILOG", "NAME", "Action", "run"]

NAME = "store"

EPILOG = (
    "Examples:\n\n  diagflow store info\n\n  diagflow store verify --store coefficients.sqlite3"
)


class Action(StrEnum):
    """The actions on the store."""

    info = "info"
    verify = "verify"
    clear = "clear"


def run(
    action: Annotated[
        Action, typer.Argument(help="Count the records, verify their checksums, or remove them.")
    ] = Action.info,
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Another file.", metavar="FILE", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show, verify or empty the cache of coefficients.

    [bold]verify[/bold] recomputes the digest of every record and exits with 1 if one differs; such
    records are never used.
    """
    from diagflow.schemas import versioned_text
    from diagflow.store import SQLiteStore, expanded, store_bytes, store_path
    from diagflow.terminal import note
    from diagrams.errors import InvalidInputError

    path = store_path() if store is None else expanded(store, "--store")
    if path is None:
        raise InvalidInputError("store: is switched off by DIAGFLOW_STORE; name a file by --store")
    if not path.exists():
        raise InvalidInputError(
            f"store {path}: there is none yet; the first diagflow expand makes it"
        )
    if path.is_dir():
        raise InvalidInputError(f"store {path}: is a folder; name a file in it")
    opened = SQLiteStore(path, tell=note, most_bytes=store_bytes())
    try:
        if action is Action.clear:
            typer.echo(f"{opened.clear()} records removed from {path}")
            return
        held = opened.contents()
    finally:
        opened.close()
    if as_json:
        record = {
            "path": str(held.path),
            "series": held.series,
            "records": held.records,
            "steps": held.steps,
            "damaged": held.damaged,
            "bytes": held.bytes,
            "most_bytes": held.most_bytes,
            "removed_records": held.removed_records,
            "removed_steps": held.removed_steps,
        }
        typer.echo(versioned_text("store-info", record), nl=False)
    else:
        typer.echo(
            f"{held.path}\n{held.records} coefficients of {held.series} series, "
            f"{held.steps} steps, {held.damaged} damaged, {held.bytes} bytes\n"
            f"at most {held.most_bytes // 10**6} MB; removed for want of room: "
            f"{held.removed_records} coefficients, {held.removed_steps} steps"
        )
    if action is Action.verify and held.damaged:
        typer.echo(f"diagflow: {held.damaged} damaged records; they are not used", err=True)
        raise typer.Exit(1)
