"""A store of coefficients in one SQLite file that trusts nothing it reads.

Every record is canonical JSON with a SHA-256 digest over its key, its number and its text. A
record whose digest differs is not used, and the next computation replaces it. A file that is not a
store of this layout (foreign, truncated, damaged, from a newer program) is renamed, with a
message, and a new one is begun. A place that cannot be written, or a full disk, costs the
keeping, never the result: the store says so once and goes on without.

Each record is a transaction of its own in a write-ahead log, so that a process that is killed
loses at most the coefficient it was computing, and several processes may use one file at once.

Source: ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from diagrams.errors import DiagflowError, InvalidInputError
from expansion.series_store import StoredCoefficient, read_stored, write_stored

__all__ = ["Connect", "Contents", "SQLiteStore"]

Connect = Callable[[Path], sqlite3.Connection]
"""Opens a connection to a file; a test puts a failing one in its place."""

_APPLICATION = 0x44464C57
_LAYOUT = 1
_WAIT_SECONDS = 10.0
_CREATE = (
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_LAYOUT}",
    "CREATE TABLE coefficients (series TEXT NOT NULL, s INTEGER NOT NULL, record TEXT NOT NULL, "
    "digest TEXT NOT NULL, PRIMARY KEY (series, s)) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store holds: series, records, records that fail their digest, bytes on disk."""

    path: Path
    series: int
    records: int
    damaged: int
    bytes: int


class _ForeignFileError(Exception):
    """The file is no store of this layout."""


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)


class SQLiteStore:
    """Coefficients of series in a file, see `expansion.series_store.SeriesStore`.

    Parameters
    ----------
    path : Path
        The file; it and its folder are made when the first coefficient is kept or looked for.
    tell : callable, optional
        Takes one line about what went wrong.
    connect : callable, optional
        Opens a connection.

    Examples
    --------
    >>> import tempfile
    >>> from expansion.models import cp
    >>> from expansion.series import LossSeries
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = SQLiteStore(Path(folder) / "store.sqlite3")
    ...     first = LossSeries(cp(order=2), store=store)[1]
    ...     second = LossSeries(cp(order=2), store=store)[1]
    ...     store.close()
    >>> first == second
    True
    """

    def __init__(
        self,
        path: Path,
        *,
        tell: Callable[[str], None] | None = None,
        connect: Connect = _connect,
    ) -> None:
        self.path = path
        self._tell = tell or (lambda text: None)
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._given_up = False

    # -- the interface -------------------------------------------------------------------------

    def get(self, key: str, s: int) -> StoredCoefficient | None:
        """The coefficient Y_s of a series, None if it is not known or its record is damaged."""
        rows = self._run(
            "SELECT record, digest FROM coefficients WHERE series = ? AND s = ?", key, s
        )
        if not rows:
            return None
        stored = _checked(key, s, *rows[0])
        if stored is None:
            self._tell(f"diagflow: store {self.path}: the record of Y_{s} is damaged; not used")
        return stored

    def put(self, key: str, s: int, coefficient: StoredCoefficient) -> None:
        """Keep a coefficient."""
        record = write_stored(coefficient)
        self._run(
            "INSERT OR REPLACE INTO coefficients VALUES (?, ?, ?, ?)",
            *(key, s, record, _digest(key, s, record)),
        )

    # -- upkeep --------------------------------------------------------------------------------

    def contents(self) -> Contents:
        """Count records and verify every digest."""
        rows = self._run("SELECT series, s, record, digest FROM coefficients") or []
        damaged = sum(1 for row in rows if _checked(*row) is None)
        size = self.path.stat().st_size if self.path.is_file() else 0
        return Contents(self.path, len({row[0] for row in rows}), len(rows), damaged, size)

    def clear(self) -> int:
        """Remove all records; their number.

        Raises
        ------
        InvalidInputError
            If the file cannot be changed.
        """
        held = self._run("SELECT count(*) FROM coefficients")
        if held is None or self._run("DELETE FROM coefficients") is None:
            raise InvalidInputError(
                f"store {self.path}: cannot be cleared; check who may write it, or remove the file"
            )
        self._run("VACUUM")
        return int(held[0][0])

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    # -- the file ------------------------------------------------------------------------------

    def _run(self, statement: str, *values: str | int) -> list[tuple[str, ...]] | None:
        """The rows of a statement; None, and no further attempts, if it cannot be run."""
        for _ in range(2):
            if self._given_up:
                return None
            try:
                if self._connection is None:
                    self._connection = self._open()
                return self._connection.execute(statement, values).fetchall()
            # A damaged file may put bytes that are no text into the library's own message.
            except (_ForeignFileError, sqlite3.DatabaseError, UnicodeDecodeError) as error:
                self.close()
                if isinstance(error, sqlite3.OperationalError) or not self._set_aside(error):
                    self._give_up(error)
            except OSError as error:
                self._give_up(error)
        return None

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connect(self.path)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Check that the file is a store, or make it one if it is empty."""
        if self._is_store(connection):
            return
        # Only a file that is empty gets here: a foreign one is not changed.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have been faster: look again, now that nobody else can write.
        if not self._is_store(connection):
            for statement in _CREATE:
                connection.execute(statement)
        connection.execute("COMMIT")

    @staticmethod
    def _is_store(connection: sqlite3.Connection) -> bool:
        """Whether it is a store of this layout; False if it is empty."""
        reading = not connection.in_transaction
        if reading:  # one snapshot for the three answers
            connection.execute("BEGIN")
        [[tables]] = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        [[application]] = connection.execute("PRAGMA application_id").fetchall()
        [[layout]] = connection.execute("PRAGMA user_version").fetchall()
        if reading:
            connection.execute("COMMIT")
        if (application, layout, tables) == (0, 0, 0):
            return False
        if application == _APPLICATION and layout > _LAYOUT:
            raise _ForeignFileError("it was written by a newer version")
        if (application, layout) != (_APPLICATION, _LAYOUT):
            raise _ForeignFileError("it is no store of coefficients")
        return True

    def _set_aside(self, error: Exception) -> bool:
        """Rename the file and its log; False if that fails."""
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.set-aside-{number}")).exists():
            number += 1
        try:
            self.path.rename(aside)
            for suffix in ("-wal", "-shm"):
                log = self.path.with_name(self.path.name + suffix)
                if log.exists():
                    log.rename(aside.with_name(aside.name + suffix))
        except OSError:
            return False
        self._tell(
            f"diagflow: store {self.path}: {error}; set aside as {aside.name}, a new one is begun"
        )
        return True

    def _give_up(self, error: Exception) -> None:
        self._given_up = True
        self._tell(f"diagflow: store {self.path}: {error}; going on without it")


def _digest(key: str, s: int, record: str) -> str:
    return sha256(f"{key}\n{s}\n{record}".encode("utf-8", "surrogatepass")).hexdigest()


def _checked(key: object, s: object, record: object, digest: object) -> StoredCoefficient | None:
    """The coefficient of a record; None if anything about it is wrong."""
    if not (isinstance(key, str) and isinstance(s, int) and isinstance(record, str)):
        return None
    if _digest(key, s, record) != digest:
        return None
    try:
        return read_stored(record)
    except DiagflowError:
        return None
