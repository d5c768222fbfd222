"""A store of coefficients in one SQLite file that trusts nothing it reads.

Every record is canonical JSON with a SHA-256 digest over its key, its number and its text. A
record whose digest differs is not used, and the next computation replaces it. A file that is not a
store of this layout (foreign, truncated, damaged, from a newer program) is renamed, with a
message, and a new one is begun. A place that cannot be written, or a full disk, costs the
caching, never the result: the store reports it once and continues without.

Each coefficient is a transaction of its own in a write-ahead log. Steps on the way to one
(`diagrams.engine.steps`) are written together, once a second, so that a process that is killed
loses about a second of them, and one that is done before leaves none. Several processes may use one
file at once.

The records have a largest size together. When it is reached, those that were not used for the
longest time are removed: steps first, then coefficients. That a record is used is noted if the last
note is an hour old: reading should not cost writing.

Source: ours.
"""

from __future__ import annotations

import random
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from diagrams.errors import DiagflowError, InvalidInputError
from expansion.series_store import StoredCoefficient, read_stored, write_stored

__all__ = ["MOST_BYTES", "Connect", "Contents", "SQLiteStore", "insert_steps"]

Connect = Callable[[Path], sqlite3.Connection]
"""Opens a connection to a file; a test puts a failing one in its place."""

T = TypeVar("T")

_APPLICATION = 0x44464C57
_LAYOUT = 2
_WAIT_SECONDS = 10.0
_PAUSE_SECONDS = (0.001, 0.02)  # by chance within these, so that two do not collide again
_KEEP_SECONDS = 1.0
MOST_BYTES = 500 * 10**6
"""Largest size of the records together, unless another is given."""

_NOTED_MILLISECONDS = 3_600_000
"""A use within this time of the last is not noted."""

_ROOM = 0.8
"""Part of the largest size that is left when records have to be removed."""
_CREATE = (
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_LAYOUT}",
    "CREATE TABLE coefficients (series TEXT NOT NULL, s INTEGER NOT NULL, record TEXT NOT NULL, "
    "digest TEXT NOT NULL, PRIMARY KEY (series, s)) WITHOUT ROWID",
    "CREATE TABLE steps (key TEXT NOT NULL PRIMARY KEY, data BLOB NOT NULL, digest TEXT NOT NULL)",
)
"""The first layout, which `_UPGRADE` makes the present one."""

_UPGRADE = (
    f"PRAGMA user_version = {_LAYOUT}",
    "ALTER TABLE coefficients ADD COLUMN used INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE steps ADD COLUMN used INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX steps_by_use ON steps (used)",
    "CREATE TABLE removed (kind TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL)",
)
"""When records were used, in seconds, and how many of a kind were removed for want of room."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a store.

    The number of series, of their coefficients, of steps on the way to others, of records of both
    kinds that fail their digest, the bytes on disk, how many bytes the records may have together,
    and how many of both kinds were removed because of that.
    """

    path: Path
    series: int
    records: int
    steps: int
    damaged: int
    bytes: int
    most_bytes: int = MOST_BYTES
    removed_records: int = 0
    removed_steps: int = 0


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
    most_bytes : int, default 500 MB
        The records have at most about this size; those that were not used for the longest time are
        removed for new ones.

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
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.path = path
        self._tell = tell or (lambda text: None)
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._given_up = False
        self._most_bytes = most_bytes
        self._has_steps: bool | None = None
        self._waiting: list[tuple[str, bytes, str]] = []
        self._used_steps: list[str] = []
        self._written = time.monotonic()

    # -- the interface -------------------------------------------------------------------------

    def get(self, key: str, s: int) -> StoredCoefficient | None:
        """The coefficient Y_s of a series, None if it is not known or its record is damaged."""
        rows = self._run(
            "SELECT record, digest, used FROM coefficients WHERE series = ? AND s = ?", key, s
        )
        if not rows:
            return None
        *record, used = rows[0]
        stored = _checked(key, s, *record)
        if stored is None:
            self._tell(f"diagflow: store {self.path}: the record of Y_{s} is damaged; not used")
        elif _is_old(used):
            self._do(lambda connection: _note_use(connection, "coefficients", [(key, s)]))
        return stored

    def put(self, key: str, s: int, coefficient: StoredCoefficient) -> None:
        """Keep a coefficient."""
        record = write_stored(coefficient)
        self._do(lambda connection: _make_room(connection, len(record), self._most_bytes))
        self._run(
            "INSERT OR REPLACE INTO coefficients VALUES (?, ?, ?, ?, ?)",
            *(key, s, record, _digest(key, s, record), _now()),
        )

    def recall(self, key: str) -> bytes | None:
        """The result of a step, None if it is not known or its record is damaged."""
        if self._has_steps is None:
            self._has_steps = bool(self._run("SELECT 1 FROM steps LIMIT 1"))
        if not self._has_steps:
            return None
        rows = self._run("SELECT data, digest, used FROM steps WHERE key = ?", key)
        if not rows:
            return None
        *record, used = rows[0]
        if _is_old(used):
            self._used_steps.append(key)
            if time.monotonic() - self._written > _KEEP_SECONDS:
                self._write_steps()
        return _checked_step(key, *record)

    def keep(self, key: str, data: bytes) -> None:
        """Keep the result of a step, together with others of the same second."""
        if self._given_up or len(data) > self._most_bytes:
            return
        packed = zlib.compress(data, 1)
        self._waiting.append((key, packed, _digest(key, 0, packed)))
        if time.monotonic() - self._written > _KEEP_SECONDS:
            self._write_steps()

    def _write_steps(self) -> None:
        """Write the steps that wait, and which records were used."""
        steps, self._waiting = self._waiting, []
        used, self._used_steps = self._used_steps, []
        if used:
            self._do(lambda connection: _note_use(connection, "steps", [(key,) for key in used]))
        if steps:
            self._do(lambda connection: insert_steps(connection, steps, self._most_bytes))
        self._written = time.monotonic()

    def _size(self) -> int:
        """Bytes of the file and of what its log will add to it."""
        return self._do(lambda connection: _bytes(connection, "page_count")) or 0

    # -- upkeep --------------------------------------------------------------------------------

    def contents(self) -> Contents:
        """Count records and verify every digest."""
        rows = self._run("SELECT series, s, record, digest FROM coefficients") or []
        damaged = sum(1 for row in rows if _checked(*row) is None)
        keys = self._run("SELECT key FROM steps") or []
        for (key,) in keys:
            step = self._run("SELECT data, digest FROM steps WHERE key = ?", key)
            damaged += not step or _checked_step(key, *step[0]) is None
        series = len({row[0] for row in rows})
        removed = dict(self._run("SELECT kind, number FROM removed") or [])
        return Contents(
            *(self.path, series, len(rows), len(keys), damaged, self._size(), self._most_bytes),
            removed_records=removed.get("coefficients", 0),
            removed_steps=removed.get("steps", 0),
        )

    def clear(self) -> int:
        """Remove all records; the number of coefficients among them.

        Raises
        ------
        InvalidInputError
            If the file cannot be changed.
        """
        held = self._run("SELECT count(*) FROM coefficients")
        tables = ("coefficients", "steps", "removed")
        if held is None or any(self._run(f"DELETE FROM {table}") is None for table in tables):
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

    def _run(self, statement: str, *values: str | int) -> list[tuple[Any, ...]] | None:
        """The rows of a statement; None if it cannot be run."""
        return self._do(lambda connection: connection.execute(statement, values).fetchall())

    def _do(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """The result of an action; None, and no further attempts, if it cannot be done."""
        has_set_aside = False
        while not self._given_up:
            try:
                return _patiently(lambda: action(self._opened()))
            # A damaged file may put bytes that are no text into the library's own message.
            except (_ForeignFileError, sqlite3.DatabaseError, UnicodeDecodeError) as error:
                self.close()
                # A new file that is damaged at once is not the last: nothing is gained by a third.
                unusable = isinstance(error, sqlite3.OperationalError) and self._is_the_same_file()
                if has_set_aside or unusable or not self._set_aside(error):
                    self._give_up(error)
                has_set_aside = True
            except OSError as error:
                self._give_up(error)
        return None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            connection = self._connect(self.path)
            self._file = _identity(self.path)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process opens the file or sets it aside meanwhile.

        Where no lock can be had, as in a folder that may not be written, work continues without.
        """
        from filelock import FileLock

        lock = FileLock(
            self.path.with_name(f"{self.path.name}.lock"),
            timeout=_WAIT_SECONDS,
            fallback_to_soft=False,
        )
        with suppress(OSError, NotImplementedError):
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Check that the file is a store, or make it one if it is empty or of an older layout."""
        if self._layout(connection) == _LAYOUT:
            return
        # Only a file that is empty, or an older store, gets here: a foreign one is not changed.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have been faster: look again, now that nobody else can write.
        layout = self._layout(connection)
        for statement in (
            *(_CREATE if not layout else ()),
            *(_UPGRADE if layout < _LAYOUT else ()),
        ):
            connection.execute(statement)
        connection.execute("COMMIT")

    @staticmethod
    def _layout(connection: sqlite3.Connection) -> int:
        """The number of its layout; 0 if it is empty."""
        reading = not connection.in_transaction
        if reading:  # one snapshot for the three answers
            connection.execute("BEGIN")
        [[tables]] = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        [[application]] = connection.execute("PRAGMA application_id").fetchall()
        [[layout]] = connection.execute("PRAGMA user_version").fetchall()
        if reading:
            connection.execute("COMMIT")
        if (application, layout, tables) == (0, 0, 0):
            return 0
        if application == _APPLICATION and layout > _LAYOUT:
            raise _ForeignFileError("it was written by a newer version")
        if application != _APPLICATION or layout < 1:
            raise _ForeignFileError("it is no store of coefficients")
        return int(layout)

    def _set_aside(self, error: Exception) -> bool:
        """Rename the file and its log, unless another process has done so; False if that fails."""
        with self._alone():
            if not self._is_the_same_file():
                return True
            number = 1
            while (aside := self.path.with_name(f"{self.path.name}.set-aside-{number}")).exists():
                number += 1
            try:
                for suffix in ("-wal", "-shm", ""):
                    part = self.path.with_name(self.path.name + suffix)
                    if part.exists() or not suffix:
                        part.rename(aside.with_name(aside.name + suffix))
            except OSError:
                return False
        self._tell(
            f"diagflow: store {self.path}: {error}; set aside as {aside.name}, a new one is begun"
        )
        return True

    def _is_the_same_file(self) -> bool:
        """Whether the file is still the one that was opened."""
        return self._file == _identity(self.path)

    def _give_up(self, error: Exception) -> None:
        self._given_up = True
        self._tell(f"diagflow: store {self.path}: {error}; going on without it")


def _patiently(attempt: Callable[[], T]) -> T:
    """The result of an attempt, repeated while other processes keep the file locked.

    The library's own time-out does not cover this: where waiting might be for each other, as when
    several processes make the same new file, it answers at once that the file is busy.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(*_PAUSE_SECONDS))


def _is_busy(error: sqlite3.Error) -> bool:
    # The lowest byte is the kind of the error; the others distinguish its variants.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF == sqlite3.SQLITE_BUSY


def _identity(path: Path) -> tuple[int, int] | None:
    """An identity that distinguishes files of the same name; None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _now() -> int:
    """Milliseconds, as records are marked by them."""
    return int(1000 * time.time())


def _is_old(used: object) -> bool:
    """Whether it should be noted that a record is used again."""
    return not (isinstance(used, int) and abs(_now() - used) < _NOTED_MILLISECONDS)


def _bytes(connection: sqlite3.Connection, pages: str) -> int:
    """The size of some of the pages of the file."""
    [[number]], [[size]] = (
        connection.execute(f"PRAGMA {name}").fetchall() for name in (pages, "page_size")
    )
    return int(number) * int(size)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def insert_steps(
    connection: sqlite3.Connection, steps: Sequence[tuple[str, bytes, str]], most_bytes: int
) -> None:
    """Insert steps; the oldest make room where there would be more bytes than allowed."""
    _make_room(connection, sum(len(data or b"") for _, data, _ in steps), most_bytes)
    with _transaction(connection):
        now = _now()
        connection.executemany(
            "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?)", [(*step, now) for step in steps]
        )


def _note_use(
    connection: sqlite3.Connection, table: str, places: Sequence[tuple[str | int, ...]]
) -> None:
    """Note that records are used; nothing is lost where that cannot be written."""
    place = "key = ?" if table == "steps" else "series = ? AND s = ?"
    with suppress(sqlite3.OperationalError), _transaction(connection):
        now = _now()
        connection.executemany(
            f"UPDATE {table} SET used = ? WHERE {place}", [(now, *values) for values in places]
        )


def _make_room(connection: sqlite3.Connection, needed: int, most_bytes: int) -> None:
    """Remove records unused for longest, if new ones would exceed the most."""
    held = _bytes(connection, "page_count") - _bytes(connection, "freelist_count")
    if held + needed <= most_bytes:
        return
    with _transaction(connection):
        surplus = held + needed - int(_ROOM * most_bytes)
        for table, content in (("steps", "data"), ("coefficients", "record")):
            surplus -= _remove(connection, table, content, surplus)
    # A file much larger than allowed is from before there was a limit, or had another one.
    if _bytes(connection, "page_count") > 2 * most_bytes:
        connection.execute("VACUUM")


def _remove(connection: sqlite3.Connection, table: str, content: str, surplus: int) -> int:
    """Remove the records of a table that were used before others; the bytes that this frees."""
    freed, number, last = 0, 0, None
    rows = connection.execute(
        f"SELECT used, count(*), sum(length({content})) FROM {table} GROUP BY used ORDER BY used"
    )
    for used, count, size in rows.fetchall():
        if freed >= surplus:
            break
        freed, number, last = freed + size, number + count, used
    if last is not None:
        connection.execute(f"DELETE FROM {table} WHERE used <= ?", (last,))
        connection.execute(
            "INSERT INTO removed VALUES (?, ?) ON CONFLICT (kind) DO UPDATE "
            "SET number = number + excluded.number",
            (table, number),
        )
    return freed


def _digest(key: str, s: int, record: str | bytes) -> str:
    digest = sha256(f"{key}\n{s}\n".encode("utf-8", "surrogatepass"))
    content = record if isinstance(record, bytes) else record.encode("utf-8", "surrogatepass")
    digest.update(content)
    return digest.hexdigest()


def _checked_step(key: object, data: object, digest: object) -> bytes | None:
    """The result of a step; None if anything about its record is wrong."""
    if not (isinstance(key, str) and isinstance(data, bytes)):
        return None
    if _digest(key, 0, data) != digest:
        return None
    try:
        return zlib.decompress(data)
    except zlib.error:
        return None


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
