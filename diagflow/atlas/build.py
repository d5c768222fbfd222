"""An atlas: pages of many problems in a folder, with an index, made again only where needed.

For every page the folder ``data`` holds its data. A problem whose data are there, for
the same problem, terms and release, is not done again unless it was cut off by a shorter limit. The
index is written after each page, so that the finished pages are an atlas when the user interrupts.

Source: ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import diagflow
from diagflow.atlas.explorer import explore
from diagflow.atlas.index import entry, index_page
from diagflow.atlas.page import page
from diagflow.atlas.problems import described, file_name
from diagflow.files import write_whole
from diagflow.schemas import VERSIONS
from diagflow.simulation.processes import processes
from diagflow.store import SQLiteStore
from diagflow.time_limit import TimeLimit
from diagflow.wording import as_options
from diagrams.errors import DiagflowError, InvalidInputError
from expansion.problem import Problem
from expansion.series import Budget
from expansion.series_store import series_key

__all__ = ["Atlas", "Wanted", "build_atlas"]

_DATA = "data"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the pages of an atlas are made.

    Parameters
    ----------
    folder : Path
    terms : int, optional
        The last coefficient of every problem; as many as decide the map unless given.
    simulate : bool
        Whether solved regimes are simulated.
    seconds : float, optional
        Limit on each problem.
    store : Path, optional
        Where coefficients are kept.
    """

    folder: Path
    terms: int | None = None
    simulate: bool = True
    seconds: float | None = None
    store: Path | None = None

    def key(self, problem: Problem) -> str:
        """The inputs on which the data of a problem depend."""
        text = json.dumps(
            [
                series_key(problem, problem.loss_name),
                problem.title,
                self.terms,
                self.simulate,
                diagflow.__version__,
                VERSIONS["explorer"],
            ]
        )
        return sha256(text.encode("utf-8")).hexdigest()


@dataclass(slots=True)
class Atlas:
    """The pages that were built.

    Parameters
    ----------
    pages : list of str
        The problems that have a page.
    failed : dict
        Those that have none, and why.
    left : list of str
        Those that were not begun when the time was over.
    unsuited : dict
        Those that have no map, such as problems in discrete time, and why.
    """

    pages: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    unsuited: dict[str, str] = field(default_factory=dict)


def build_atlas(
    names: Sequence[str],
    wanted: Wanted,
    *,
    jobs: int = 1,
    seconds: float | None = None,
    told: Callable[[str], None] = lambda line: None,
) -> Atlas:
    """Write the pages of some problems and their index.

    Parameters
    ----------
    names : sequence of str
        As on the command line, see `diagflow.atlas.problems`.
    wanted : Wanted
    jobs : int
        Number of processes; each makes one page at a time.
    seconds : float, optional
        Limit on all of it; no problem is begun when it is over.
    told : callable
        Told a line about every problem.

    Raises
    ------
    InvalidInputError
        If a name stands for no problem, two have one page, or the folder cannot be written.
    """
    files = [file_name(name) for name in names]
    for name, file in zip(names, files, strict=True):
        described(name)  # rejects bad names before time is spent
        if files.count(file) > 1 or file == "index":
            raise InvalidInputError(
                f"atlas: the page of {name} would be {file}.html, as another one is; rename the "
                "file"
            )
    try:
        (wanted.folder / _DATA).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(
            f"atlas {wanted.folder}: cannot be written ({error.strerror}); give another folder"
        ) from None
    limit = TimeLimit.begun(seconds, "the atlas")
    atlas = Atlas()
    entries: dict[str, dict[str, Any]] = {}
    running = _here(names, wanted, limit) if jobs == 1 else _elsewhere(names, wanted, limit, jobs)
    for name, (found, line) in running:
        if found is None:
            (atlas.failed if has_map(described(name)) else atlas.unsuited)[name] = line
        else:
            entries[name] = found
            atlas.pages.append(name)
        told(f"{name}: {line}")
        _write_index(names, entries, atlas, wanted)
    atlas.left = [name for name in names if name not in {*entries, *atlas.failed, *atlas.unsuited}]
    _write_index(names, entries, atlas, wanted)
    return atlas


def has_map(problem: Problem) -> bool:
    """Whether a problem has regimes: in discrete time every step is another polynomial."""
    return not problem.drive.step


def _write_index(
    names: Sequence[str], entries: dict[str, dict[str, Any]], atlas: Atlas, wanted: Wanted
) -> None:
    ordered = [entries[name] for name in names if name in entries]
    left = dict.fromkeys(atlas.left, "the time was over before it was begun")
    write_whole(
        wanted.folder / "index.html",
        index_page(ordered, {**atlas.failed, **atlas.unsuited, **left}),
    )


_Made = tuple[dict[str, Any] | None, str]
"""An entry of the index, or None, and what is said about it."""


def _here(names: Sequence[str], wanted: Wanted, limit: TimeLimit) -> Iterator[tuple[str, _Made]]:
    for number, name in enumerate(names):
        if limit.is_over:
            return
        yield name, _made(name, wanted, limit.share(len(names) - number))


def _elsewhere(
    names: Sequence[str], wanted: Wanted, limit: TimeLimit, jobs: int
) -> Iterator[tuple[str, _Made]]:
    waiting = list(names)
    with processes(min(jobs, len(names))) as pool:
        running: dict[Future[_Made], str] = {}
        while waiting or running:
            while waiting and len(running) < jobs and not limit.is_over:
                share = limit.share(-(-len(waiting) // jobs))
                name = waiting.pop(0)
                running[pool.submit(_made, name, wanted, share)] = name
            if not running:
                return
            done = next(as_completed(running))
            yield running.pop(done), done.result()


def _made(name: str, wanted: Wanted, share: float | None) -> _Made:
    """The page of one problem, from its stored data or anew."""
    problem = described(name)
    seconds = min((s for s in (share, wanted.seconds) if s is not None), default=None)
    file = file_name(name)
    place = wanted.folder / _DATA / f"{file}.json"
    key = wanted.key(problem)
    kept = _kept(place, key)
    said = "kept"
    if kept is None or (kept["missing"] and _is_longer(seconds, kept["seconds"])):
        try:
            explored = explore(
                problem,
                terms=wanted.terms,
                simulate=wanted.simulate,
                simulation_seconds=15.0,
                budget=Budget(seconds=seconds),
                store=None if wanted.store is None else SQLiteStore(wanted.store),
            )
        except DiagflowError as error:
            return None, as_options(error)
        if explored.interrupted:
            raise KeyboardInterrupt
        kept = {
            "key": key,
            "seconds": seconds,
            "missing": list(explored.missing),
            "thumbnail": explored.thumbnail,
            "record": explored.record,
        }
        write_whole(place, json.dumps(kept, ensure_ascii=False, separators=(",", ":")))
        said = "finished" if not explored.missing else f"{len(explored.missing)} parts are missing"
    write_whole(wanted.folder / f"{file}.html", page(kept["record"]))
    return entry(name, f"{file}.html", kept["record"], kept["thumbnail"]), said


def _kept(place: Path, key: str) -> dict[str, Any] | None:
    """The data of a problem, if they are there and for the same key."""
    try:
        found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        return found if found["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_longer(seconds: float | None, before: float | None) -> bool:
    """Whether a limit leaves clearly more time than an earlier one."""
    return before is not None and (seconds is None or seconds > 1.5 * before)
