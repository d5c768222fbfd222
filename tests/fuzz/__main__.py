"""Fuzz the readers of what comes from outside: ``python -m tests.fuzz --seconds 60``.

With atheris (``pip install atheris``, where it has a wheel) the coverage of the packages guides the
mutations; without it they are blind. A text that breaks a property ends its target and is kept
under ``out/fuzz``; the run then exits with 1. The texts that found new branches are kept too, and
the next run begins with them.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

OUTPUT = Path("out") / "fuzz"
INSTRUMENTED = ["diagrams", "expansion", "diagflow", "tomllib", "json"]
LONGEST = 4_000


def guided(name: str, seconds: int) -> None:
    """Fuzz one target with atheris, which ends the process."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS

    corpus = OUTPUT / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={OUTPUT}/{name}-",
        "-timeout=20",
        "-rss_limit_mb=2000",
        "-verbosity=0",
        "-print_final_stats=1",
        str(corpus),
    ]
    atheris.Setup(arguments, TARGETS[name])
    atheris.Fuzz()


def blind(name: str, seconds: int, seed: int) -> None:
    """Fuzz one target with random mutations of its seeds."""
    from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    dice = random.Random(seed)
    pool = b"".join(target.seeds)
    end = time.monotonic() + seconds
    runs = 0
    while time.monotonic() < end:
        data = bytearray(dice.choice(target.seeds))
        for _ in range(dice.randint(1, 6)):
            at = dice.randint(0, len(data))
            cut = dice.choice([0, 0, 1, 2, 10, 100])
            start = dice.randrange(len(pool))
            piece = pool[start : start + dice.choice([0, 1, 3, 20])]
            data[at : at + cut] = dice.choice(
                [piece, dice.randbytes(dice.randint(0, 4)), piece * 9]
            )
        try:
            target(bytes(data))
        except BaseException:
            OUTPUT.mkdir(parents=True, exist_ok=True)
            (OUTPUT / f"{name}-crash").write_bytes(data)
            raise
        runs += 1
    print(f"{name}: {runs} texts, none broke the property", flush=True)


def main() -> int:
    """Fuzz all targets, or one; the exit status is 1 if a property broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--seed", type=int, default=0, help="of mutations without atheris")
    parser.add_argument("--target", metavar="NAME", help="one target, in this process")
    given = parser.parse_args()
    if given.target:
        if find_spec("atheris"):
            guided(given.target, given.seconds)
        else:
            blind(given.target, given.seconds, given.seed)
        return 0
    from tests.fuzz.targets import TARGETS

    print("guided by coverage" if find_spec("atheris") else "without atheris: blind", flush=True)
    broken = []
    for name in TARGETS:
        seconds = max(1, given.seconds // len(TARGETS))
        command = [sys.executable, "-m", "tests.fuzz", "--target", name]
        command += ["--seconds", str(seconds), "--seed", str(given.seed)]
        # A process for each: the fuzzer ends its own, and one broken target hides no other.
        if subprocess.run(command, check=False).returncode:
            broken.append(name)
    print(f"broken: {', '.join(broken)}; see {OUTPUT}" if broken else "no property broke")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
