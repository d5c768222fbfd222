"""The store: what it keeps, and that nothing done to its file makes a coefficient wrong."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from diagflow.store import SQLiteStore, sqlite_store, store_path
from diagrams.errors import BudgetExceededError, InvalidInputError
from expansion.models import cp, tied_autoencoder
from expansion.problem import Problem
from expansion.regimes import regimes
from expansion.series import Budget, LossSeries
from expansion.series_store import StoredCoefficient, read_stored, series_key, write_stored
from tests.command import Run

LAST = 3


class Counting(SQLiteStore):
    """Counts what is asked and kept."""

    found = 0
    kept = 0

    def get(self, key: str, s: int) -> StoredCoefficient | None:
        stored = super().get(key, s)
        self.found += stored is not None
        return stored

    def put(self, key: str, s: int, coefficient: StoredCoefficient) -> None:
        self.kept += 1
        super().put(key, s, coefficient)


def expanded(store: SQLiteStore | None, problem: Problem | None = None) -> LossSeries:
    series = LossSeries(problem or cp(order=2), store=store)
    _ = series[LAST]
    return series


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "store.sqlite3"


@pytest.mark.parametrize(
    "problem",
    [cp(order=2), tied_autoencoder(data=True), cp(order=3, target="modular-addition")],
    ids=lambda problem: problem.title,
)
def test_a_second_series_takes_everything_from_the_store(path: Path, problem: Problem) -> None:
    fresh = expanded(None, problem)
    first, second = Counting(path), Counting(path)
    expanded(first, problem)
    recalled = expanded(second, problem)
    assert (first.found, first.kept, second.found, second.kept) == (0, LAST + 1, LAST + 1, 0)
    assert recalled.known == fresh.known
    assert recalled.divisors == fresh.divisors
    for s in range(LAST + 1):
        assert recalled.cost(s).diagrams == fresh.cost(s).diagrams
        assert recalled.cost(s).contractions == fresh.cost(s).contractions
    assert recalled[LAST + 1] == fresh[LAST + 1]
    assert recalled.diagrams(LAST) == fresh.diagrams(LAST)


def test_keys_tell_apart_what_differs_and_only_that() -> None:
    data = tied_autoencoder(data=True)
    pairs = [
        (cp(order=2), "train"),
        (cp(order=2, symmetric=True), "train"),
        (cp(order=2, target="zero"), "train"),
        (cp(order=2), "ntk-trace"),
        (cp(order=2).with_target_amplitude("a"), "train"),
        (data, "train"),
        (data, "population"),
    ]
    keys = [series_key(problem, quantity) for problem, quantity in pairs]
    assert len(set(keys)) == len(keys)
    # Not the names of presets.
    renamed = Problem(
        family="other",
        model=cp(order=2).model,
        target=cp(order=2).target,
        output_axes=cp(order=2).output_axes,
    )
    assert series_key(renamed, "train") == keys[0]


def test_keys_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from expansion.models import cp; from expansion.series_store import series_key;"
        "print(series_key(cp(order=3), 'train'))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_a_record_is_read_as_it_was_written(path: Path) -> None:
    series = expanded(None, cp(order=3, target="modular-addition"))
    stored = StoredCoefficient(
        polynomial=series[2], diagrams=1, contractions=2, work=3, seconds=0.25,
        divisors=tuple(series.divisors.items()),
    )  # fmt: skip
    assert read_stored(write_stored(stored)) == stored


@pytest.mark.parametrize("limit", [3, 10, 30, 100, 300, 1000])
def test_a_budget_of_diagrams_does_not_see_the_store(path: Path, limit: int) -> None:
    def outcome(store: SQLiteStore | None) -> tuple[int, str]:
        series = LossSeries(cp(order=3), budget=Budget(diagrams=limit), store=store)
        try:
            _ = series[3]
        except BudgetExceededError as error:
            return len(series.known), str(error)
        return len(series.known), ""

    plain = outcome(None)
    for terms in (0, 1, 3):
        _ = LossSeries(cp(order=3), store=SQLiteStore(path))[terms]
        assert outcome(SQLiteStore(path)) == plain


def test_regimes_are_the_same_from_the_store(path: Path) -> None:
    plain = regimes(cp(order=2, symmetric=True))
    for _ in range(2):
        found = regimes(cp(order=2, symmetric=True), store=SQLiteStore(path))
        assert [(r.name, r.conditions) for r in found] == [(r.name, r.conditions) for r in plain]


# -- hostile files and places ------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE coefficients SET record = replace(record, '-4', '-5')",
        "UPDATE coefficients SET digest = ''",
        "UPDATE coefficients SET (record, digest) = (SELECT record, digest FROM coefficients AS c "
        "WHERE c.s = 3 - coefficients.s)",
        "UPDATE coefficients SET series = 'another' WHERE s = 2",
        "UPDATE coefficients SET record = x'00ff' WHERE s = 0",
        "DELETE FROM coefficients WHERE s = 1",
    ],
)
def test_a_changed_record_is_never_used(path: Path, change: str) -> None:
    correct = expanded(SQLiteStore(path)).known
    connection = sqlite3.connect(path)
    connection.execute(change)
    connection.commit()
    connection.close()
    assert expanded(SQLiteStore(path)).known == correct
    healed = Counting(path)
    assert expanded(healed).known == correct
    assert healed.kept == 0


def test_every_damaged_file_is_set_aside_or_harmless(path: Path) -> None:
    """Truncated at each of many places, and with bytes turned over at many others."""
    store = SQLiteStore(path)
    correct = expanded(store).known
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    damaged = [content[:length] for length in range(0, len(content), 1999)]
    for place in range(0, len(content), 1201):
        damaged.append(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
    for piece in damaged:
        for other in path.parent.iterdir():
            other.unlink()
        path.write_bytes(piece)
        store = SQLiteStore(path)
        assert expanded(store).known == correct
        store.close()


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"this is a letter and no data base, " * 40, "not a database"),
        ("CREATE TABLE notes (text)", "no store of coefficients"),
        ("PRAGMA user_version = 9", "no store of coefficients"),
        (f"PRAGMA application_id = {0x44464C57}; PRAGMA user_version = 3", "newer version"),
    ],
)
def test_a_foreign_file_is_set_aside_unchanged(path: Path, content: bytes | str, part: str) -> None:
    path.parent.mkdir()
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        connection = sqlite3.connect(path)
        connection.executescript(content)
        connection.close()
    before = path.read_bytes()
    told: list[str] = []
    assert expanded(SQLiteStore(path, tell=told.append)).known == expanded(None).known
    [line] = told
    assert part in line and "set aside as store.sqlite3.set-aside-1" in line
    assert path.with_name("store.sqlite3.set-aside-1").read_bytes() == before
    again = Counting(path)
    expanded(again)
    assert again.found == LAST + 1


class FullDisk(sqlite3.Connection):
    """Refuses to write, as sqlite does when no space is left."""

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
        if statement.startswith("INSERT"):
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(statement, *values)  # type: ignore[arg-type]


class ReadOnly(sqlite3.Connection):
    """Refuses every transaction that writes."""

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
        if not statement.startswith(("SELECT", "BEGIN", "COMMIT", "PRAGMA application_id")):
            raise sqlite3.OperationalError("attempt to write a readonly database")
        return super().execute(statement, *values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("factory", "part"), [(FullDisk, "disk is full"), (ReadOnly, "readonly database")]
)
def test_a_place_that_cannot_be_written_is_told_once(
    path: Path, factory: type[sqlite3.Connection], part: str
) -> None:
    told: list[str] = []
    store = SQLiteStore(
        path,
        tell=told.append,
        connect=lambda place: sqlite3.connect(place, isolation_level=None, factory=factory),
    )
    assert expanded(store).known == expanded(None).known
    [line] = told
    assert part in line and "going on without it" in line


def test_earlier_files_that_were_set_aside_stay(path: Path) -> None:
    """The log of a file goes with it."""
    path.parent.mkdir()
    for number in (1, 2):
        path.with_name(f"store.sqlite3.set-aside-{number}").write_text(f"number {number}")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE notes (text)")
    log = path.with_name("store.sqlite3-wal")
    before = log.read_bytes()
    assert before
    told: list[str] = []
    assert expanded(SQLiteStore(path, tell=told.append)).known == expanded(None).known
    assert path.with_name("store.sqlite3.set-aside-3-wal").read_bytes() == before
    connection.close()
    [line] = told
    assert line.endswith("; set aside as store.sqlite3.set-aside-3, a new one is begun")
    for number in (1, 2):
        aside = path.with_name(f"store.sqlite3.set-aside-{number}")
        assert aside.read_text() == f"number {number}"
    # Begun again, and not with what the log of the other had.
    assert SQLiteStore(path).contents().records == LAST + 1


def test_a_file_that_cannot_be_set_aside_is_left_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    letter = b"this is a letter and no data base, " * 40
    path.write_bytes(letter)

    def refuse(place: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "rename", refuse)
    told: list[str] = []
    assert expanded(SQLiteStore(path, tell=told.append)).known == expanded(None).known
    [line] = told
    assert line.endswith("file is not a database; going on without it")
    assert path.read_bytes() == letter
    lock = f"{path.name}.lock"
    assert [other.name for other in path.parent.iterdir() if other.name != lock] == [path.name]


def test_a_place_that_damages_every_file_is_given_up(path: Path) -> None:
    """One file is set aside, not one for every statement."""

    def damaging(place: Path) -> sqlite3.Connection:
        place.write_bytes(b"this is a letter and no data base, " * 40)
        return sqlite3.connect(place, isolation_level=None)

    told: list[str] = []
    store = SQLiteStore(path, tell=told.append, connect=damaging)
    assert expanded(store).known == expanded(None).known
    assert [line.rpartition("; ")[2] for line in told] == [
        "set aside as store.sqlite3.set-aside-1, a new one is begun",
        "going on without it",
    ]


def test_a_store_that_another_process_has_just_made_is_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It appears between the first look at an empty file and the transaction.

    This can only be where the other process could not have the lock.
    """
    monkeypatch.setattr(sqlite_store, "_WAIT_SECONDS", 0.1)
    key = series_key(cp(order=2), "train")
    other = SQLiteStore(path)
    made: list[object] = []

    class Overtaken(sqlite3.Connection):
        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
            if statement == "BEGIN IMMEDIATE" and not made:
                made.append(expanded(other))
                other.close()
            return super().execute(statement, *values)  # type: ignore[arg-type]

    told: list[str] = []
    store = SQLiteStore(
        path,
        tell=told.append,
        connect=lambda place: sqlite3.connect(place, isolation_level=None, factory=Overtaken),
    )
    stored = store.get(key, 1)
    assert (told, len(made)) == ([], 1)
    assert stored is not None
    assert stored.polynomial == expanded(None)[1]


def test_steps_are_kept_together_or_not_at_all(path: Path) -> None:
    store = SQLiteStore(path)
    assert store.contents().steps == 0
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        good, bad = ("a", b"data", "digest"), ("b", None, "digest")
        with pytest.raises(sqlite3.IntegrityError):
            sqlite_store.insert_steps(connection, [good, bad], 10**9)  # type: ignore[list-item]
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM steps").fetchall() == [(0,)]
        sqlite_store.insert_steps(connection, [good], 10**9)
        assert connection.execute("SELECT key FROM steps").fetchall() == [("a",)]


def test_records_with_a_digest_and_no_sense_are_damaged(path: Path) -> None:
    """What was written by something else that knows how to make digests."""
    key, sense, data = "series", "no coefficient", b"not compressed"
    told: list[str] = []
    store = SQLiteStore(path, tell=told.append)
    assert store.get(key, 1) is None
    digests = sqlite_store._digest(key, 1, sense), sqlite_store._digest("step", 0, data)
    store._run("INSERT INTO coefficients VALUES (?, ?, ?, ?, 0)", key, 1, sense, digests[0])
    store._do(
        lambda connection: connection.execute(
            "INSERT INTO steps VALUES (?, ?, ?, 0)", ("step", data, digests[1])
        )
    )
    assert told == []
    assert store.get(key, 1) is None
    assert told == [f"diagflow: store {path}: the record of Y_1 is damaged; not used"]
    assert store.recall("step") is None
    held = store.contents()
    assert (held.records, held.steps, held.damaged) == (1, 1, 2)


@pytest.mark.parametrize("is_readable", [True, False])
def test_what_cannot_be_cleared_is_refused(path: Path, is_readable: bool) -> None:
    if is_readable:
        expanded(SQLiteStore(path))
    else:
        path.parent.write_text("")
    store = SQLiteStore(
        path,
        connect=lambda place: sqlite3.connect(place, isolation_level=None, factory=ReadOnly),
    )
    with pytest.raises(InvalidInputError) as error:
        store.clear()
    assert str(error.value) == (
        f"store {path}: cannot be cleared; check who may write it, or remove the file"
    )


def test_a_folder_that_is_a_file_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told: list[str] = []
    store = SQLiteStore(tmp_path / "file" / "store.sqlite3", tell=told.append)
    assert expanded(store).known == expanded(None).known
    assert len(told) == 1 and "going on without it" in told[0]


def test_two_processes_write_at_once(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from diagflow.store import SQLiteStore;"
        "from expansion.models import cp; from expansion.series import LossSeries;"
        "tell = lambda text: sys.exit(text);"
        "[LossSeries(cp(order=o, symmetric=y), store=SQLiteStore(Path(sys.argv[1]), tell=tell))[3]"
        " for o in (2, 3) for y in (False, True)]"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    held = SQLiteStore(path).contents()
    assert (held.series, held.records, held.damaged) == (4, 16, 0)
    assert [other.name for other in path.parent.glob("*set-aside*")] == []


@pytest.mark.parametrize("content", [b"", b"no store at all " * 500], ids=["empty", "damaged"])
def test_processes_begin_the_same_files_at_once(tmp_path: Path, content: bytes) -> None:
    """Each waits for the same instant and opens the same file; of three, none is turned away."""
    files, processes = 30, 3
    for number in range(files):
        (tmp_path / f"{number}.sqlite3").write_bytes(content)
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from diagflow.store import SQLiteStore, sqlite_store\n"
        "sqlite_store._KEEP_SECONDS = -1.0  # every step at once\n"
        "folder, files, name = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]\n"
        "(folder / f'{name}.ready').touch()\n"
        "while not (folder / 'start').exists():\n"
        "    time.sleep(0.01)\n"
        "start = float((folder / 'start').read_text())\n"
        "for number in range(files):\n"
        "    while time.time() < start + 0.05 * number:\n"
        "        pass\n"
        "    store = SQLiteStore(folder / f'{number}.sqlite3', tell=print)\n"
        "    store.contents()\n"
        "    store.keep(name, b'step')\n"
        "    store.close()\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), str(files), str(number)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    while len(list(tmp_path.glob("*.ready"))) < processes:
        assert all(process.poll() is None for process in running)
        time.sleep(0.01)
    (tmp_path / "partial").write_text(str(time.time() + 0.1))
    (tmp_path / "partial").rename(tmp_path / "start")
    told = [line for process in running for line in process.communicate(timeout=60)[0].splitlines()]
    assert [line for line in told if "a new one is begun" not in line] == []
    assert len(told) == len(list(tmp_path.glob("*.set-aside-1"))) == (files if content else 0)
    assert list(tmp_path.glob("*.set-aside-2")) == []
    for number in range(files):
        held = SQLiteStore(tmp_path / f"{number}.sqlite3").contents()
        assert (held.steps, held.damaged) == (processes, 0)


def test_a_locked_file_is_waited_for_but_not_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "_KEEP_SECONDS", -1.0)
    expanded(SQLiteStore(path))
    told: list[str] = []

    def connect(place: Path) -> sqlite3.Connection:
        return sqlite3.connect(place, timeout=0.0, isolation_level=None)

    store = SQLiteStore(path, tell=told.append, connect=connect)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = Timer(0.3, other.execute, ["ROLLBACK"])
        release.start()
        store.keep("step", b"data")
        release.join()
        assert (told, store.recall("step")) == ([], b"data")

        monkeypatch.setattr(sqlite_store, "_WAIT_SECONDS", 0.2)
        other.execute("BEGIN IMMEDIATE")
        store.keep("another", b"data")
    assert told == [f"diagflow: store {path}: database is locked; going on without it"]
    assert SQLiteStore(path).recall("another") is None


# -- the command line --------------------------------------------------------------------------


def test_commands_share_the_store(run: Run, path: Path) -> None:
    expand = ("expand", "autoencoder", "--terms", "2", "--format", "json")
    assert run("store", "info", "--store", str(path)).code == 2
    plain = run(*expand, "--no-store")
    assert not path.exists()
    assert run(*expand, "--store", str(path)) == plain
    assert run(*expand, "--store", str(path)) == plain
    assert SQLiteStore(path).contents().records == 3
    assert run("regimes", "autoencoder", "--terms", "4", "--store", str(path)).code == 0
    assert SQLiteStore(path).contents().series == 2
    status, out, _ = run("store", "verify", "--store", str(path))
    assert status == 0 and "8 coefficients of 2 series, 0 steps, 0 damaged" in out
    connection = sqlite3.connect(path)
    connection.execute("UPDATE coefficients SET digest = 'x' WHERE s = 1")
    connection.commit()
    connection.close()
    status, _, err = run("store", "verify", "--store", str(path))
    assert status == 1 and "2 damaged records" in err
    assert run("store", "clear", "--store", str(path)).out.startswith("8 records removed")
    assert SQLiteStore(path).contents().records == 0
    status, _, err = run(*expand, "--store", str(path), "--no-store")
    assert status == 2 and "give one of them" in err


def test_a_store_that_is_switched_off_has_no_upkeep(run: Run) -> None:
    message = "store: is switched off by DIAGFLOW_STORE; name a file by --store"
    assert run("store", "clear") == (2, "", f"diagflow: error: {message}\n")


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setenv("DIAGFLOW_STORE", "off")
    assert store_path() is None
    monkeypatch.setenv("DIAGFLOW_STORE", str(path))
    assert store_path() == path
    monkeypatch.delenv("DIAGFLOW_STORE")
    found = store_path()
    assert found is not None and found.parent.name == "diagflow"
