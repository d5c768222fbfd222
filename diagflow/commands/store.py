"""``diagflow store``: the cache of coefficients."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.shared_options import optional, stop

if TYPE_CHECKING:
    from diagflow.store import Contents

__all__ = ["EPILOG", "NAME", "Action", "run"]

NAME = "store"

EPILOG = (
    "Examples:\n\n"
    "  diagflow store info --format json\n\n"
    "  diagflow store verify --store coefficients.sqlite3"
)


class Action(StrEnum):
    """The actions on the store."""

    info = "info"
    verify = "verify"
    clear = "clear"


class StoreFormat(StrEnum):
    """How the contents of the store are printed."""

    text = "text"
    json = "json"


@dataclass(frozen=True)
class StoreOptions:
    """The options of ``diagflow store``."""

    action: Annotated[
        Action, typer.Argument(help="Count the records, verify their checksums, or remove them.")
    ] = Action.info
    store: Annotated[
        Path | None,
        optional("--store", "Another file.", "FILE"),
    ] = None
    output: Annotated[StoreFormat, typer.Option("--format", help="Format of the output.")] = (
        StoreFormat.text
    )
    as_json: Annotated[
        bool, typer.Option("--json", help="The same as --format json.", hidden=True)
    ] = False

    @property
    def wants_json(self) -> bool:
        """Whether JSON is printed."""
        return self.as_json or self.output is StoreFormat.json

    @property
    def path(self) -> Path:
        """The file of the store, which has to exist."""
        from diagflow.store import expanded, store_path
        from diagrams.errors import InvalidInputError

        path = store_path() if self.store is None else expanded(self.store, "--store")
        if path is None:
            raise InvalidInputError(
                "store: is switched off by DIAGFLOW_STORE; name a file by --store"
            )
        if not path.exists():
            raise InvalidInputError(
                f"store {path}: there is none yet; the first diagflow expand makes it"
            )
        if path.is_dir():
            raise InvalidInputError(f"store {path}: is a folder; name a file in it")
        return path


@takes_options(StoreOptions)
def run(options: StoreOptions) -> None:
    """Show, verify or empty the cache of coefficients.

    [bold]verify[/bold] recomputes the digest of every record and exits with 1 if one differs; such
    records are never used.
    """
    from diagflow.store import SQLiteStore, store_bytes
    from diagflow.terminal import note

    path = options.path
    opened = SQLiteStore(path, tell=note, most_bytes=store_bytes())
    try:
        if options.action is Action.clear:
            typer.echo(f"{opened.clear()} records removed from {path}")
            return
        held = opened.contents()
    finally:
        opened.close()
    typer.echo(_json_text(held) if options.wants_json else _text(held), nl=False)
    if options.action is Action.verify and held.damaged:
        stop(f"{held.damaged} damaged records; they are not used")


def _text(held: "Contents") -> str:
    """What a store holds, in three lines."""
    return (
        f"{held.path}\n{held.records} coefficients of {held.series} series, "
        f"{held.steps} steps, {held.damaged} damaged, {held.bytes} bytes\n"
        f"at most {held.most_bytes // 10**6} MB; removed for want of room: "
        f"{held.removed_records} coefficients, {held.removed_steps} steps\n"
    )


def _json_text(held: "Contents") -> str:
    """The same as a record, indented."""
    from diagflow.schemas import versioned_text

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
    return versioned_text("store-info", record)
