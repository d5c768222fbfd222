"""The problems of an atlas, as they are written on the command line.

>>> described("cp --order 2 --symmetric").title
'cp order=2 symmetric=true target=identity'
>>> file_name("cp --order 2 --symmetric"), file_name("examples/two_layer.toml")
('cp-order-2-symmetric', 'two_layer')

Source: ours.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diagflow.commands.problem import read_problem
from diagrams.errors import InvalidInputError
from expansion.input_limits import legible
from expansion.problem import Problem

__all__ = ["PRESETS", "described", "file_name", "listed"]

PRESETS = (
    *(f"cp --order {n}{s}" for n in (2, 3, 4) for s in ("", " --symmetric")),
    *(f"cp --order {n}{s} --target teacher" for n in (2, 3) for s in ("", " --symmetric")),
    "cp --order 2 --symmetric --target zero",
    "cp --order 3 --target zero",
    "cp --order 2 --symmetric --target spiked",
    "cp --order 3 --symmetric --target modular-addition",
    *(
        f"{model}{data}"
        for model in ("autoencoder", "tied-autoencoder")
        for data in ("", " --data")
    ),
    *(f"deep-linear --depth {n}" for n in (2, 3, 4)),
    "mlp-linear --depth 2",
    "mlp-linear --depth 2 --wide-ends",
    *(f"two-layer --degree {n}" for n in (2, 3)),
)
"""The presets of an atlas of everything."""

EXAMPLES = Path("examples")

_FLAGS = ("symmetric", "data", "wide_ends")


def listed(names: Sequence[str]) -> tuple[str, ...]:
    """The problems that some names stand for: folders stand for the files in them.

    Parameters
    ----------
    names : sequence of str
        Without any, all presets and the folder ``examples``, where there is one.

    Raises
    ------
    InvalidInputError
        If a folder has no problem files.
    """
    if not names:
        names = [*PRESETS, *([str(EXAMPLES)] if EXAMPLES.is_dir() else [])]
    result: list[str] = []
    for name in names:
        if Path(name).is_dir():
            files = sorted(Path(name).glob("*.toml"))
            if not files:
                raise InvalidInputError(
                    f"problems in {legible(name, 60)}: the folder has no .toml files; name others"
                )
            result += [shlex.quote(str(file)) for file in files]
        else:
            result.append(name)
    return tuple(dict.fromkeys(result))


def described(text: str) -> Problem:
    """The problem of a line such as ``cp --order 3 --symmetric`` or ``examples/tucker.toml``.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    try:
        first, *rest = shlex.split(text)
    except ValueError:
        raise InvalidInputError(
            f"problem {legible(text, 60)!r}: is no line of a command; write a preset with its "
            "options, or the path of a .toml file"
        ) from None
    options: dict[str, Any] = {}
    while rest:
        option = rest.pop(0)
        if not re.fullmatch(r"--[a-z][a-z-]*", option):
            raise InvalidInputError(
                f"problem {legible(text, 60)!r}: {legible(option, 30)!r} is no option; write for "
                "example 'cp --order 3 --symmetric'"
            )
        name = option[2:].replace("-", "_")
        if name in ("asymmetric", *_FLAGS):
            options["symmetric" if name == "asymmetric" else name] = name != "asymmetric"
        elif not rest:
            raise InvalidInputError(
                f"problem {legible(text, 60)!r}: {option} has no value; give one"
            )
        elif name == "rate":
            options.setdefault("rate", []).append(rest.pop(0))
        else:
            value = rest.pop(0)
            options["step" if name == "step_size" else name] = (
                int(value) if name in ("order", "depth", "degree") and value.isdigit() else value
            )
    return read_problem(problem=first, **options)


def file_name(text: str) -> str:
    """The name of the page of a problem, without its ending."""
    words = shlex.split(text)
    words[0] = Path(words[0]).stem
    return re.sub(r"[^A-Za-z0-9_.]+", "-", " ".join(words)).strip("-.") or "problem"
