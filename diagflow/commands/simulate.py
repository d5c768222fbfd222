"""``diagflow simulate``: gradient flow at finite sizes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.ensemble import (
    At,
    CurveFormat,
    Fitting,
    Integrator,
    Jobs,
    LimitOfLoss,
    Seed,
    SimulationSeconds,
    Times,
    Tolerance,
    check_fit,
)
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import Steps, takes_problem
from diagflow.commands.shared_options import check_figure, optional

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from diagflow.simulation.trajectory import Trajectory
    from expansion.problem import Problem

__all__ = ["EPILOG", "NAME", "run"]

NAME = "simulate"

EPILOG = (
    "Examples:\n\n"
    "  diagflow simulate cp --order 2 --at p=64,H=32,sigma2=1/64 --runs 4\n\n"
    "  diagflow simulate autoencoder --at p=9,H=64,sigma2=1/9 --times 0:2:41 --fit\n\n"
    "  diagflow simulate cp --at p=9,H=9,sigma2=1e-3 --times=-2:9:25 > curve.txt\n\n"
    "  diagflow simulate cp --step-size eta --at p=9,H=9,sigma2=.1,eta=.1 --steps 9"
)

_TIMES = "0:1:11"


@dataclass(frozen=True)
class SimulateOptions:
    """The options of ``diagflow simulate``; the numbers and times that they give."""

    problem: "Problem"
    at: At = None
    times: Times = _TIMES
    steps: Steps = None
    followed: str | None = None
    runs: Annotated[int, typer.Option("--runs", help="Number of initialisations.")] = 1
    seed: Seed = 0
    rtol: Tolerance = 1e-8
    method: Annotated[
        Integrator,
        typer.Option("--method", help="The integrator; euler is plain gradient descent."),
    ] = Integrator.DOP853
    step: Annotated[
        float | None,
        typer.Option("--step", help="The step of euler, a time.", show_default=False),
    ] = None
    jobs: Jobs = 1
    curves: Annotated[bool, typer.Option("--curves", help="Also print the curve of every run.")] = (
        False
    )
    plot: Annotated[
        Path | None,
        optional("--plot", "Also draw the curve: .svg, .pdf or .png.", "FILE"),
    ] = None
    fitting: Fitting = False
    limit: LimitOfLoss = None
    output: Annotated[CurveFormat, typer.Option("--format", help="Format of the output.")] = (
        CurveFormat.text
    )
    max_seconds: SimulationSeconds = None
    values: "Mapping[str, Fraction]" = field(init=False)
    grid: "Sequence[float]" = field(init=False)

    def __post_init__(self) -> None:
        """Reject what contradicts itself before anything is computed."""
        from diagflow.commands.ensemble import required
        from diagflow.commands.problem import checked_steps
        from diagflow.commands.values import parse_times, parse_values
        from diagrams.errors import InvalidInputError

        check_figure(self.plot)
        check_fit(fitting=self.fitting, limit=self.limit, output=self.output.value)
        object.__setattr__(self, "values", parse_values(required(NAME, "--at", self.at)))
        times = self.times
        if (steps := checked_steps(self.problem, self.steps, None)) is not None:
            if steps < 0:
                raise InvalidInputError(f"--steps {steps}: is a number of steps; give 0 or more")
            if times != _TIMES:
                raise InvalidInputError(
                    f"--steps {steps} and --times {times}: both say after which steps; give one"
                )
            times = f"0:{steps}:{steps + 1}"
        object.__setattr__(self, "grid", parse_times(times))

    @property
    def title(self) -> str:
        """The problem, and the quantity unless it is the loss that drives the flow."""
        name = self.problem.title
        return name if self.followed is None else f"{name}, {self.followed}"


@takes_problem
@takes_followed
@takes_options(SimulateOptions)
def run(options: SimulateOptions) -> None:
    """Simulate gradient flow from random initialisations: mean loss and standard error.

    Every run draws weights, and data or teacher if there are any, from their laws.
    After an interrupt or the time limit the result of the finished runs is printed.
    """
    from diagflow.commands.ensemble import missing_runs

    trajectory = _simulated(options)
    _show(trajectory, options)
    missing_runs(trajectory, options.runs, "printed")


def _simulated(options: SimulateOptions) -> "Trajectory":
    """The ensemble, while a bar on the terminal follows its runs."""
    from diagflow.commands.ensemble import counting
    from diagflow.simulation import simulate

    with counting(options.problem.title, options.runs) as progress:
        return simulate(
            options.problem,
            at=options.values,
            times=options.grid,
            loss=options.followed,
            runs=options.runs,
            seed=options.seed,
            rtol=options.rtol,
            method=options.method.value,
            step=options.step,
            jobs=options.jobs,
            seconds=options.max_seconds,
            progress=progress,
        )


def _show(trajectory: "Trajectory", options: SimulateOptions) -> None:
    """Print the ensemble; draw it where a figure is asked for."""
    from diagflow.fits import fit
    from diagflow.show.simulation import FORMATS

    fitted = fit(trajectory, limit=options.limit) if options.fitting else None
    render = FORMATS[options.output]
    typer.echo(
        render(options.title, options.values, trajectory, curves=options.curves, fit=fitted),
        nl=False,
    )
    if options.plot is not None:
        from diagflow.plotting.curve_figure import plot_trajectory

        # After the numbers, which do not depend on it.
        plot_trajectory(trajectory, options.plot, title=options.title)
