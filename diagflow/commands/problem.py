"""The argument PROBLEM and its options, the same for every command.

A command is a function whose first argument is a problem. `takes_problem` replaces this argument by
those of the command line that describe it, so that they are declared once.
"""

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diagflow.commands.bundles import parameter, with_parameters
from diagflow.commands.shared_options import optional

if TYPE_CHECKING:
    from expansion.problem import Problem

__all__ = [
    "RegimeName",
    "Steps",
    "checked_steps",
    "complete_problem",
    "complete_target",
    "continuous",
    "read_problem",
    "takes_problem",
]

SUFFIX = ".toml"

STANDARD_INPUT = "-"
"""In place of the path of a file."""

RegimeName = Annotated[
    str | None,
    optional(
        "--regime", "The name of the regime, as [bold]diagflow regimes[/bold] prints it.", "NAME"
    ),
]
"""The option that names a regime."""

Steps = Annotated[
    int | None,
    optional("--steps", "With --step-size: the mean losses after 0 ... K steps.", "K"),
]
"""The option that counts steps of gradient descent."""

_PANEL = "Problem"
_DRIVE = "Dynamics of the weights"


def complete_problem(incomplete: str) -> list[str]:
    """Completions of PROBLEM: presets, files and the folders on the way to them."""
    from expansion.models import PRESETS

    folder = Path(incomplete).parent if incomplete and not incomplete.endswith("/") else incomplete
    found = [path for path in Path(folder).glob("*") if path.suffix == SUFFIX or path.is_dir()]
    paths = sorted(f"{path}/" if path.is_dir() else str(path) for path in found)
    return [name for name in (*PRESETS, *paths) if name.startswith(incomplete)]


def complete_target(incomplete: str) -> list[str]:
    """Completions of a target."""
    from expansion.targets import TARGETS

    return [name for name in TARGETS if name.startswith(incomplete)]


_PARAMETERS: dict[str, Any] = {
    "problem": Annotated[
        str,
        typer.Argument(
            metavar="PROBLEM",
            help="A preset, [bold]cp[/bold], [bold]autoencoder[/bold], "
            "[bold]tied-autoencoder[/bold], [bold]deep-linear[/bold], "
            "[bold]mlp-linear[/bold] or [bold]two-layer[/bold], the path of a "
            "[bold].toml[/bold] file, or [bold]-[/bold] for one from standard input.",
            show_default=False,
            autocompletion=complete_problem,
        ),
    ],
    "order": Annotated[
        int | None,
        optional("--order", "Number of tensor modes of cp; 3 unless given.", "N", panel=_PANEL),
    ],
    "symmetric": Annotated[
        bool | None,
        optional(
            "--symmetric/--asymmetric",
            "One weight matrix for all modes of cp, or one each.",
            panel=_PANEL,
        ),
    ],
    "depth": Annotated[
        int | None,
        optional(
            "--depth",
            "Number of weight matrices of deep-linear (3 unless given) or mlp-linear (2).",
            "D",
            panel=_PANEL,
        ),
    ],
    "wide_ends": Annotated[
        bool | None,
        optional(
            "--wide-ends",
            "Give mlp-linear p inputs and p outputs, in place of one each.",
            panel=_PANEL,
        ),
    ],
    "degree": Annotated[
        int | None,
        optional(
            "--degree",
            "Degree of the activation of two-layer; 2 unless given.",
            "K",
            panel=_PANEL,
        ),
    ],
    "target": Annotated[
        str | None,
        optional(
            "--target",
            "The target of a preset, identity unless given: zero, spike, spiked, "
            "modular-addition, teacher, or a combination such as 'identity + beta*teacher'.",
            "NAME",
            panel=_PANEL,
            completed=complete_target,
        ),
    ],
    "data": Annotated[
        bool | None,
        optional("--data", "Train a linear model on N Gaussian inputs.", panel=_PANEL),
    ],
    "flow": Annotated[
        str | None,
        optional(
            "--flow",
            "The potential whose gradient the weights follow, in place of the loss: a "
            "combination of losses and observables, such as 'train + lambda*weight-norm'.",
            "FORMULA",
            panel=_DRIVE,
        ),
    ],
    "rate": Annotated[
        list[str] | None,
        optional(
            "--rate",
            "A rate for the weights of one tensor, such as W=eta or W=2*eta/H; may be repeated.",
            "TENSOR=FACTOR",
            panel=_DRIVE,
        ),
    ],
    "temperature": Annotated[
        str | None,
        optional(
            "--temperature",
            "Langevin dynamics: a symbol such as tau, or a number.",
            "SYMBOL",
            panel=_DRIVE,
        ),
    ],
    "momentum": Annotated[
        str | None,
        optional(
            "--momentum",
            "Heavy-ball dynamics with this friction: a symbol such as gamma, or a number.",
            "SYMBOL",
            panel=_DRIVE,
        ),
    ],
    "step": Annotated[
        str | None,
        optional(
            "--step-size",
            "Gradient descent in steps of this size, in place of a flow: a symbol such as "
            "eta, or a number.",
            "SYMBOL",
            panel=_DRIVE,
        ),
    ],
    "resample": Annotated[
        list[str] | None,
        optional(
            "--resample",
            "A fixed tensor, such as the data X, that is drawn anew after every step; may "
            "be repeated.",
            "TENSOR",
            panel=_DRIVE,
        ),
    ],
    "implicit": Annotated[
        str | None,
        optional(
            "--implicit",
            "The modified flow that follows steps of gradient descent of this size: a symbol such "
            "as eta, or a number.",
            "SYMBOL",
            panel=_DRIVE,
        ),
    ],
}
"""Names and types of what describes a problem; all but the first may be left out."""

_FACTORS = ("temperature", "implicit", "momentum", "step")
_DRIVING = ("flow", "rate", "resample", *_FACTORS)
"""Those of the dynamics of the weights; they belong to every problem."""


def takes_problem(
    command: Callable[..., None],
    *,
    read: Callable[..., object] | None = None,
    required: bool = True,
) -> Callable[..., None]:
    """The command with the options of a problem in place of its first argument.

    Parameters
    ----------
    command : callable
        Its first argument is what ``read`` returns.
    read : callable, optional
        Makes it from the options; `read_problem` unless given.
    required : bool
        Whether PROBLEM has to be named; without it ``read`` is given None.
    """
    reader = read or read_problem
    needed = inspect.Parameter.empty if required else None
    own = list(inspect.signature(command).parameters.values())[1:]
    described = [
        parameter(_word(name), kind, needed if name == "problem" else None)
        for name, kind in _PARAMETERS.items()
    ]

    @wraps(command)
    def wrapped(**given: Any) -> None:
        described = {name: given.pop(_word(name)) for name in _PARAMETERS}
        # An option that may be repeated is an empty list where it is not given.
        options: dict[str, Any] = {n: None if v == [] else v for n, v in described.items()}
        try:
            found = reader(**options)
            _remark(found)
            command(found, **given)
        except (OverflowError, ZeroDivisionError):
            # Powers of the numbers, not the numbers: no range of --at keeps all of them in bounds.
            if given.get("at") is None:
                raise
            from diagrams.errors import InvalidInputError
            from expansion.input_limits import legible

            raise InvalidInputError(
                f"--at {legible(given['at'], 60)}: leads to numbers outside the range of floating "
                "point; give sizes, variances and times closer to 1"
            ) from None

    return with_parameters(wrapped, [*described, *own])


def _remark(found: object) -> None:
    """Print what the reader of a problem noticed."""
    from diagflow.terminal import note

    for line in getattr(found, "remarks", ()):
        note(f"diagflow: warning: {line}")


def _word(name: str) -> str:
    """The name of a parameter of a command; some have a step of their own."""
    return "step_size" if name == "step" else name


def _option(name: str) -> str:
    return name.replace("_", "-")


def read_problem(*, problem: str, **options: object) -> "Problem":
    """The problem that the argument and the options describe.

    Raises
    ------
    InvalidInputError
        If there is no such preset or file, or an option does not suit it.
    """
    driving = {name: options.pop(name, None) for name in _DRIVING}
    described = _described(problem=problem, **options)
    if all(value is None for value in driving.values()):
        return described
    drive = described.drive
    rates = dict(drive.rates)
    for text in driving["rate"] or ():  # type: ignore[attr-defined]
        name, factor = _rate(text)
        rates[name] = factor
    return described.driven_by(
        str(driving["flow"] or drive.flow),
        rates=rates,
        resample=(*drive.resample, *(driving["resample"] or ())),  # type: ignore[misc]
        **{name: str(driving[name] or getattr(drive, name)) for name in _FACTORS},
    )


def continuous(problem: "Problem", command: str) -> "Problem":
    """The problem, if its time is continuous, which some commands need.

    Raises
    ------
    InvalidInputError
        If it is not.
    """
    from diagrams.errors import InvalidInputError

    if problem.drive.step:
        raise InvalidInputError(
            f"{command} {problem.title}: its time is discrete, and there is no series in it to "
            "sum; use expand --steps for the exact means, or --implicit for a flow near them"
        )
    return problem


def checked_steps(problem: "Problem", steps: int | None, terms: int | None) -> int | None:
    """The number of the last coefficient, given as a number of steps or of terms.

    Raises
    ------
    InvalidInputError
        If steps are counted where time is continuous, or both are given.
    """
    from diagrams.errors import InvalidInputError

    if steps is None:
        return terms
    if not problem.drive.step:
        raise InvalidInputError(
            f"--steps {steps}: time is continuous here; give --step-size too, such as eta"
        )
    if terms is not None:
        raise InvalidInputError(
            f"--steps {steps} and --terms {terms}: are the same number in discrete time; give one"
        )
    return steps


def _rate(text: str) -> tuple[str, str]:
    """The tensor and the factor of a rate."""
    from diagrams.errors import InvalidInputError
    from expansion.input_limits import legible

    name, sign, factor = (part.strip() for part in text.partition("="))
    if not (name and sign and factor):
        raise InvalidInputError(
            f"--rate {legible(text, 60)}: is not a tensor with its rate; write for example W=eta"
        )
    return name, factor


def _described(*, problem: str, **options: object) -> "Problem":
    """The problem of a preset or a file."""
    from diagrams.errors import InvalidInputError
    from expansion.models import PRESETS

    given = {name: value for name, value in options.items() if value is not None}
    preset = PRESETS.get(problem)
    known = [] if preset is None else list(inspect.signature(preset).parameters)
    if preset is None and problem != STANDARD_INPUT and not problem.endswith(SUFFIX):
        raise InvalidInputError(
            f"problem {problem[:60]!r}: is not a known preset; choose one of "
            f"{', '.join(PRESETS)}, or give the path of a {SUFFIX} file"
        )
    described = "a problem from standard input" if problem == STANDARD_INPUT else problem
    for name in given:
        if name not in known:
            takes = ", ".join(f"--{_option(option)}" for option in known) or "no such options"
            raise InvalidInputError(
                f"--{_option(name)}: does not describe {described}, which takes {takes}; leave it "
                "out"
            )
    if preset is not None:
        return preset(**given)
    from expansion.problem_files.problem_file import read_problem_file, read_problem_stream

    if problem != STANDARD_INPUT:
        return read_problem_file(Path(problem))
    if sys.stdin is None:
        raise InvalidInputError(
            "problem from standard input: it is closed; write the text into a pipe"
        )
    return read_problem_stream(sys.stdin.buffer)
