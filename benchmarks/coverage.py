"""Which regimes are solved, how, and how far in time: docs/results/coverage.md.

    python -m benchmarks.coverage --page docs/results/coverage.md

takes every declared problem in a process of its own with a limit of processor time, keeps what it
found in a folder, and writes the page. A problem that is kept already is not done again; what a
limit cut off is on the page as such.

``python -m benchmarks.coverage --case NAME`` is the child: it prints one JSON line for the map and
one for every regime, as soon as it is known.

>>> [case.name for case in CASES if case.group == "presets"][:2]
['cp --order 2', 'cp --order 2 --symmetric']
>>> way({"method": "closed-form", "origin": "given", "hierarchy": "none"})
'closed form'

Source: ours.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from expansion.problem import Problem
    from expansion.regimes import Regime, Regimes
    from pde.evolution import LossEvolution, Solution

__all__ = ["CASES", "CoverageCase", "page", "problem_of", "way"]

SECONDS = 60.0
"""Seconds of a processor for the map of a problem and more; what else runs does not count."""

EACH = 5.0
"""Seconds for every regime, on average, besides."""

_FOR_EVER = 1e12
"""Natural times after which an integration that ends has seen all there is."""

PATIENCE = 10
"""How many times longer a child may take on a busy machine before it is stopped."""

ROOT = Path(__file__).resolve().parents[1]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CoverageCase:
    """A problem as it is written on the command line."""

    group: str
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        return " ".join(self.arguments)

    @property
    def slug(self) -> str:
        return self.name.replace("/", "_").replace(" ", "_").replace("--", "").replace("'", "")


def _preset(text: str) -> CoverageCase:
    return CoverageCase("presets", tuple(text.split()))


def _example(name: str) -> CoverageCase:
    return CoverageCase("problem files", (f"examples/{name}.toml",))


CASES = (
    *(_preset(f"cp --order {n}{s}") for n in range(2, 7) for s in ("", " --symmetric")),
    *(
        _preset(f"cp --order {n}{s} --target {target}")
        for n, target in ((2, "teacher"), (3, "teacher"), (2, "zero"), (3, "zero"))
        for s in ("", " --symmetric")
    ),
    *(
        _preset(f"cp --order {n} --symmetric --target {target}")
        for n, target in ((2, "spiked"), (3, "spiked"), (3, "modular-addition"))
    ),
    *(_preset(f"deep-linear --depth {n}") for n in (2, 3, 4)),
    *(_preset(f"two-layer --degree {n}") for n in (2, 3)),
    *(
        _preset(f"{model}{data}")
        for model in ("autoencoder", "tied-autoencoder")
        for data in ("", " --data")
    ),
    *(_example(path.stem) for path in sorted((ROOT / "examples").glob("*.toml"))),
)

WAYS = (
    "closed form",
    "characteristics, moments",
    "finite system",
    "random order parameters",
    "one site",
    "a spectrum",
    "words with an equation",
    "free matrices to the end",
    "free matrices",
    "approximants",
    "no answer",
    "not reached",
)
"""The columns of the table; the first eight hold for all times of their domain."""

SOLVED = WAYS[:8]


def way(row: Row) -> str:
    """How a regime is solved, as a column of the table."""
    if row["method"] is None:
        return "not reached" if row.get("limit") else "no answer"
    if row["method"] == "closed-form":
        return "closed form"
    if row.get("step") == "Free matrices":
        return "free matrices to the end" if row.get("stop", 0.0) is None else "free matrices"
    if row["method"] == "resummed":
        return "words with an equation" if row.get("confirmations") else "approximants"
    if row["hierarchy"] in ("finite system", "random order parameters", "one site"):
        return str(row["hierarchy"])
    if row["hierarchy"] in ("words", "open"):
        return "a spectrum"
    return "characteristics, moments"


# -- the child -------------------------------------------------------------------------------------


def records(problem: Problem) -> Iterator[dict[str, Any]]:
    """The map of a problem, then one record for every regime."""
    from diagrams.errors import DiagflowError
    from expansion.regimes import regimes
    from pde.solving import solution

    started = time.process_time()
    try:
        found = regimes(problem)
    except DiagflowError as error:
        yield {"regimes": [], "reason": str(error)}
        return
    yield {
        "regimes": [regime.name for regime in found],
        "terms": found.exponents.last,
        "seconds": time.process_time() - started,
    }
    for regime in found:
        started = time.process_time()
        row: dict[str, Any] = {"regime": regime.name}
        try:
            solved = solution(found, regime.name)
        except DiagflowError as error:
            row |= {"method": None, "reason": str(error)}
        else:
            row |= _described(solved)
            row |= _reach(found, regime, solved)
        yield row | {"seconds": time.process_time() - started}


def _described(solved: Solution) -> dict[str, Any]:
    return {
        "method": solved.method.value,
        "origin": solved.origin.value,
        "hierarchy": solved.hierarchy.kind.value,
        "cores": solved.hierarchy.cores,
        "remark": solved.hierarchy.remark,
        "step": solved.derivation[-1].title if solved.derivation else "",
        "matched": len(solved.certificate.matched),
        "compared": len(solved.certificate.compared),
    }


def _reach(found: Regimes, regime: Regime, solved: Solution) -> dict[str, Any]:
    """How far a solution goes, in natural times, at sizes that belong to the regime."""
    from diagrams.errors import DiagflowError
    from pde.systems import CONFIRMED

    try:
        evolution = solved.at(_numbers(regime))
    except DiagflowError as error:
        return {"start": 0.0, "stop": 0.0, "why": str(error)}
    stop = _finite_stop(evolution)
    return {
        "start": _json(evolution.domain.start),
        "stop": _json(stop),
        "why": evolution.domain.reasons,
        "confirmations": dict(evolution.curve.notes).get(CONFIRMED),
    }


def _numbers(regime: Regime) -> dict[str, Any]:
    """Sizes along the scaling of the regime; T is the natural time."""
    from fractions import Fraction

    largest = max(abs(a) for a in regime.scaling) or 1
    values = {
        name: Fraction(64.0 ** float(a / largest)).limit_denominator(10**9)
        for name, a in zip(regime.symbols, regime.scaling, strict=True)
    }
    natural = 1.0
    for name, power in regime.natural_time:
        natural *= float(values[name]) ** float(power)
    return values | {"T": Fraction(natural)}


def _finite_stop(evolution: LossEvolution) -> float:
    """The end of the domain; with T the natural one, t counts natural times."""
    return evolution.domain.stop


def _json(value: float) -> float | None:
    return value if isfinite(value) else None


def problem_of(arguments: Sequence[str]) -> Problem:
    from expansion.models import PRESETS
    from expansion.problem_files.problem_file import read_problem_file

    name, *options = arguments
    if name.endswith(".toml"):
        return read_problem_file(ROOT / name)
    given: dict[str, Any] = {}
    while options:
        option = options.pop(0).removeprefix("--")
        if option in ("symmetric", "data"):
            given[option] = True
        else:
            value = options.pop(0)
            given[option] = int(value) if value.isdigit() else value
    return PRESETS[name](**given)


# -- the parent ------------------------------------------------------------------------------------


def run(case: CoverageCase, seconds: float) -> list[dict[str, Any]]:
    """The records of a problem from a fresh process, as many as it finds in time."""
    command = [sys.executable, "-m", __name__ if __name__ != "__main__" else "benchmarks.coverage"]
    with subprocess.Popen(
        [*command, "--case", case.name, "--seconds", f"{seconds:g}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        rows: list[dict[str, Any]] = []
        timer = threading.Timer(PATIENCE * seconds, child.kill)
        timer.start()
        try:
            for line in child.stdout or ():
                if line.endswith("\n"):
                    rows.append(json.loads(line))
                if len(rows) == 1:
                    timer.cancel()
                    whole = seconds + EACH * len(rows[0]["regimes"])
                    timer = threading.Timer(PATIENCE * whole, child.kill)
                    timer.start()
        finally:
            timer.cancel()
    if rows:
        done = {row.get("regime") for row in rows[1:]}
        rows += [
            {"regime": name, "method": None, "limit": True, "reason": "not within the limit"}
            for name in rows[0]["regimes"]
            if name not in done
        ]
    return rows


def page(results: Iterable[tuple[CoverageCase, Sequence[Row]]], seconds: float) -> str:
    """The page of the documentation."""
    results = list(results)
    faces = Counter(way(row) for _, rows in results for row in rows[1:])
    total = sum(faces.values())
    solved = sum(faces[name] for name in SOLVED)
    answered = total - faces["no answer"] - faces["not reached"]
    used = [name for name in WAYS if faces[name]]
    lines = [
        "# Coverage",
        "",
        "Every regime of the presets and of the files in `examples/`: how it is solved and how far "
        f"in time. `python -m benchmarks.coverage` writes this page, {seconds:g} s of a "
        f"processor for each problem and {EACH:g} s more for each of its regimes on average, with "
        "the default number of terms and without a store.",
        "",
        f"**{solved} of {total} regimes ({100 * solved / max(1, total):.0f} %) are solved for all "
        "times of their domain**: a closed form, characteristics or moments, a finite system (with "
        "or without random order parameters), particles on one site, the moving points of a "
        "spectrum, a series with an equation that further coefficients confirm, or free matrices "
        f"that were followed until all is learned. Of the others {faces['free matrices']} follow "
        "free matrices as long as words of a few letters know them. "
        f"{answered} have an answer; the others have a reason.",
        "",
        "| problem | regimes | " + " | ".join(used) + " |",
        "|---" * (len(used) + 2) + "|",
    ]
    lines += [_problem_line(case, rows, used, seconds) for case, rows in results]
    lines += [
        f"| **all** | {total} | {' | '.join(str(faces[name]) for name in used)} |",
        "",
        "## Regime by regime",
        "",
        "*Until* is the end of the domain in natural times of the regime, at sizes that belong to "
        "it. The certificate is the number of exact leading coefficients that are reproduced, of "
        "those compared; a sum of approximants has an estimated error instead.",
    ]
    for case, rows in results:
        if rows[1:]:
            lines += _problem_table(case, rows)
    return "\n".join(lines) + "\n"


def _problem_line(
    case: CoverageCase, rows: Sequence[Row], used: Sequence[str], seconds: float
) -> str:
    """How many regimes of a problem are solved in which way."""
    counts = Counter(way(row) for row in rows[1:])
    cells = [str(counts[name] or "") for name in used]
    number = str(len(rows) - 1) if rows else f"no map within {seconds:g} s"
    if rows and "reason" in rows[0]:
        number = "no map: " + rows[0]["reason"].split(": ", 1)[-1].split(";")[0]
    return f"| `{case.name}` | {number} | {' | '.join(cells)} |"


def _problem_table(case: CoverageCase, rows: Sequence[Row]) -> list[str]:
    """The regimes of a problem."""
    return [
        "",
        f"### `{case.name}`",
        "",
        f"Y_0 … Y_{rows[0]['terms']} were expanded in {rows[0]['seconds']:.1f} s.",
        "",
        "| regime | how | cores | until | certificate | seconds |",
        "|---|---|---|---|---|---|",
        *(_line(row) for row in rows[1:]),
    ]


def _line(row: Row) -> str:
    cores, until, proof = row.get("cores") or "", "", row.get("reason", "")
    if row["method"] is not None:
        stop = row["stop"]
        until = "all t" if stop is None or stop > _FOR_EVER else f"{stop:.3g}"
        proof = f"{row['matched']} of {row['compared']}" if row["compared"] else "estimated"
    seconds = "" if "seconds" not in row else f"{row['seconds']:.1f}"
    return f"| {row['regime']} | {way(row)} | {cores} | {until} | {proof} | {seconds} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the problems of the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--case", metavar="NAME", help="print the records of one problem")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each problem")
    parser.add_argument("--fresh", action="store_true", help="do kept problems again")
    parser.add_argument(
        "--kept", type=Path, default=ROOT / "out" / "coverage", help="folder of kept results"
    )
    options = parser.parse_args(arguments)
    if options.case is not None:
        # The kernel ends the process when its share is used up; what it printed counts.
        share = ceil(options.seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (share, resource.RLIM_INFINITY))
        for record in records(problem_of(options.case.split())):
            print(json.dumps(record), flush=True)
            if "regimes" in record:
                share += ceil(EACH * len(record["regimes"]))
                resource.setrlimit(resource.RLIMIT_CPU, (share, resource.RLIM_INFINITY))
        return 0
    console = Console(stderr=True)
    options.kept.mkdir(parents=True, exist_ok=True)
    results = []
    for number, case in enumerate(CASES, start=1):
        kept = options.kept / f"{case.slug}.json"
        if options.fresh or not kept.exists():
            kept.write_text(json.dumps(run(case, options.seconds)))
        rows = json.loads(kept.read_text())
        results.append((case, rows))
        solved = sum(way(row) in SOLVED for row in rows[1:])
        console.print(
            f"{number}/{len(CASES)} {case.name}: {solved} of {max(0, len(rows) - 1)} for all times",
            highlight=False,
        )
        if options.page is not None:
            options.page.write_text(page(results, options.seconds))
    if options.page is None:
        print(page(results, options.seconds), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
