"""``diagflow simulate``: gradient flow at finite sizes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
)
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import takes_problem

if TYPE_CHECKING:
    from expansion.problem import Problem

__all__ = ["EPILOG", "NAME", "run"]

NAME = "simulate"

EPILOG = (
    "Examples:\n\n"
    "  diagflow simulate cp --order 2 --symmetric --at p=64,H=32,sigma2=1/64 --times 0:1:11 "
    "--runs 4\n\n"
    "  diagflow simulate cp --order 2 --at p=16,H=64,sigma2=1/32 --times 0:2:41 --runs 8 --fit\n\n"
    "  diagflow simulate cp --order 3 --at p=16,H=32,sigma2=1e-3 --times=-2:10:25 --runs 8 "
    "--jobs 2 --format csv > curve.csv"
)


@takes_problem
@takes_followed
def run(
    problem: "Problem",
    at: At = None,
    times: Times = "0:1:11",
    followed: str | None = None,
    runs: Annotated[int, typer.Option("--runs", help="Number of initialisations.")] = 1,
    seed: Seed = 0,
    rtol: Tolerance = 1e-8,
    method: Annotated[
        Integrator,
        typer.Option("--method", help="The integrator; euler is plain gradient descent."),
    ] = Integrator.DOP853,
    step: Annotated[
        float | None,
        typer.Option("--step", help="The step of euler, a time.", show_default=False),
    ] = None,
    jobs: Jobs = 1,
    curves: Annotated[
        bool, typer.Option("--curves", help="Also print the curve of every run.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            help="Also draw the curve: .svg, .pdf or .png.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    fitting: Fitting = False,
    limit: LimitOfLoss = None,
    output: Annotated[
        CurveFormat, typer.Option("--format", help="How to print.")
    ] = CurveFormat.text,
    max_seconds: SimulationSeconds = None,
) -> None:
    """Simulate gradient flow from random initialisations: mean loss and standard error.

    Every run draws weights, and data or teacher if there are any, from their laws.
    After an interrupt or the time limit the result of the finished runs is printed.
    """
    from diagflow.commands.ensemble import check_fit, counting, missing_runs, required
    from diagflow.commands.values import parse_times, parse_values
    from diagflow.fits import fit
    from diagflow.show import simulation as show_simulation
    from diagflow.simulation import simulate

    if plot is not None:
        from diagflow.plotting.style import check_figure_file

        check_figure_file(plot)
    check_fit(fitting=fitting, limit=limit, output=output.value)
    values = parse_values(required("simulate", "--at", at))
    grid = parse_times(times)
    with counting(problem.title, runs) as progress:
        trajectory = simulate(
            problem,
            at=values,
            times=grid,
            loss=followed,
            runs=runs,
            seed=seed,
            rtol=rtol,
            method=method.value,
            step=step,
            jobs=jobs,
            seconds=max_seconds,
            progress=progress,
        )
    render = {
        CurveFormat.text: show_simulation.text,
        CurveFormat.json: show_simulation.json_text,
        CurveFormat.csv: show_simulation.csv_text,
    }
    title = problem.title if followed is None else f"{problem.title}, {followed}"
    fitted = fit(trajectory, limit=limit) if fitting else None
    typer.echo(render[output](title, values, trajectory, curves=curves, fit=fitted), nl=False)
    if plot is not None:
        from diagflow.plotting.curve_figure import plot_trajectory

        # After the numbers, which do not depend on it.
        plot_trajectory(trajectory, plot, title=title)
    missing_runs(trajectory, runs, "printed")
