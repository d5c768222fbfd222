"""``diagflow compare``: the solution of a regime against simulations."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.ensemble import (
    At,
    Band,
    CurveFormat,
    Jobs,
    Seed,
    TimesOfSolution,
    Tolerance,
)
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import RegimeName, Steps, checked_steps, takes_problem
from diagflow.commands.regime_search import SliceOption, search
from diagflow.commands.shared_options import (
    INTERRUPTED,
    UNDECIDED,
    UNLIMITED,
    Resources,
    check_figure,
    optional,
    stop,
    takes_limits_and_store,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagflow.comparison.verdict import Comparison
    from diagflow.time_limit import TimeLimit
    from expansion.problem import Problem
    from expansion.regimes import Regimes

__all__ = ["EPILOG", "NAME", "run"]

NAME = "compare"

EPILOG = (
    "Examples:\n\n"
    "  diagflow compare tied-autoencoder --regime A-B-E --at p=64,H=32,sigma2=1/64\n\n"
    "  diagflow compare autoencoder --regime A --at p=400,H=20,sigma2=1 --runs 20"
)


@dataclass(frozen=True)
class CompareOptions:
    """The options of ``diagflow compare``; the numbers and times that they give."""

    problem: "Problem"
    regime: RegimeName = None
    at: At = None
    times: TimesOfSolution = None
    followed: str | None = None
    runs: Annotated[
        int | None,
        optional(
            "--runs",
            "Number of initialisations, at least two; unless given, as many as a verdict needs, "
            "10 to 1000.",
            "INTEGER",
        ),
    ] = None
    seed: Seed = 0
    tolerance: Annotated[
        float | None,
        optional(
            "--tolerance",
            "Allowed relative deviation, in place of the expected finite-size correction.",
            "X",
        ),
    ] = None
    errors: Annotated[
        float,
        typer.Option(
            "--standard-errors", help="Number of standard errors that are allowed.", metavar="K"
        ),
    ] = 4.0
    terms: Annotated[
        int | None,
        optional("--terms", "Expand Y_0 ... Y_S; the finite-size correction is made of them.", "S"),
    ] = None
    steps: Steps = None
    rtol: Tolerance = 1e-8
    band: Band = False
    jobs: Jobs = 1
    slice_: SliceOption = None
    output: Annotated[CurveFormat, typer.Option("--format", help="Format of the output.")] = (
        CurveFormat.text
    )
    plot: Annotated[
        Path | None,
        optional(
            "--plot",
            "Also draw curves and deviations: .svg, .pdf or .png, with the numbers as .csv.",
            "FILE",
        ),
    ] = None
    wide: Annotated[
        bool, typer.Option("--wide", help="Draw for two columns of a paper instead of one.")
    ] = False
    resources: Resources = UNLIMITED
    values: "Mapping[str, Fraction]" = field(init=False)
    grid: "Sequence[float]" = field(init=False)

    def __post_init__(self) -> None:
        """Reject what contradicts itself before anything is computed."""
        from diagflow.commands.ensemble import required
        from diagflow.commands.values import DEFAULT_TIMES, parse_times, parse_values
        from diagrams.errors import InvalidInputError

        object.__setattr__(self, "values", parse_values(required(NAME, "--at", self.at)))
        if not self.discrete:
            required(NAME, "--regime", self.regime)
        elif self.regime is not None or self.band:
            raise InvalidInputError(
                "compare: in discrete time exact means are compared, without --regime and --band; "
                "leave them out"
            )
        checked_steps(self.problem, self.steps, None)
        times = DEFAULT_TIMES if self.times is None else self.times
        object.__setattr__(self, "grid", parse_times(times))
        if self.runs is not None and self.runs < 2:
            raise InvalidInputError(
                f"--runs {self.runs}: the standard error needs two or more; give more runs"
            )
        _check_files(self.plot)

    @property
    def discrete(self) -> bool:
        """Whether time is."""
        return bool(self.problem.drive.step)


@takes_problem
@takes_followed
@takes_limits_and_store
@takes_options(CompareOptions)
def run(options: CompareOptions) -> None:
    """Compare the solution of a regime with simulations and judge whether they agree.

    They agree if the mean loss minus the theory, minus what the exact terms beyond the leading ones
    contribute at these sizes, is at most a few standard errors plus the stated error of that
    contribution. They differ, too, where the regime neglects as much as it keeps. In discrete time
    the exact means after 0 ... K steps are compared. Exits with 1 if they differ and with 3 if it
    cannot be judged. After an interrupt or the time limit the finished runs are compared.
    """
    from diagflow.commands.ensemble import missing_runs
    from diagflow.time_limit import TimeLimit

    what = f"comparison with {options.problem.title}"
    limit = TimeLimit.begun(options.resources.max_seconds, what)
    try:
        if options.discrete:
            result = _compared_steps(options, limit)
            _show(result, options, f"steps 0 ... {options.steps}")
        else:
            result = _compare_regime(options, limit)
    except KeyboardInterrupt as interrupt:
        if not interrupt.args:
            raise
        stop(f"interrupted: {interrupt}", INTERRUPTED)
    missing_runs(result.trajectory, result.asked or result.trajectory.runs, "compared")
    _end(result)


def _compare_regime(options: CompareOptions, limit: "TimeLimit") -> "Comparison":
    """Compare the solution of a regime; print the comparison, and a warning where one is due."""
    regime_set = search(
        options.problem,
        loss=options.followed,
        terms=options.terms,
        resources=options.resources,
        slice_=options.slice_,
    )
    name = regime_set[str(options.regime)].name
    result = _compared_regime(regime_set, name, options, limit)
    _show(result, options, f"regime {name}", drawn=name)
    _warn(result, regime_set, name, options)
    return result


def _compared_steps(options: CompareOptions, limit: "TimeLimit") -> "Comparison":
    """Exact means after steps against simulations."""
    from diagflow.commands.ensemble import counting
    from diagflow.comparison.enough_runs import FEWEST
    from diagflow.comparison.steps import compare_steps

    with counting(options.problem.title, options.runs or FEWEST) as progress:
        return compare_steps(
            options.problem,
            options.steps,
            at=options.values,
            runs=options.runs,
            loss=options.followed,
            seed=options.seed,
            standard_errors=options.errors,
            tolerance=options.tolerance,
            jobs=options.jobs,
            seconds=limit.left,
            budget=options.resources.budget,
            store=options.resources.opened_store(),
            progress=progress,
        )


def _compared_regime(
    regime_set: "Regimes", name: str, options: CompareOptions, limit: "TimeLimit"
) -> "Comparison":
    """The solution of a regime against simulations, with a band if it is asked for."""
    from diagflow.commands.ensemble import counting
    from diagflow.commands.values import times_inside
    from diagflow.comparison.enough_runs import FEWEST
    from diagflow.comparison.regime import compare_regime
    from diagflow.time_limit import time_limit
    from pde.solving import solution

    with time_limit(limit.left, f"comparison in regime {name}"):
        solved = solution(regime_set, name)
        domain = solved.at({"T": Fraction(1), **options.values}).domain
    grid = times_inside(options.grid, domain.stop) if options.times is None else options.grid
    with counting(options.problem.title, options.runs or FEWEST) as progress:
        result = compare_regime(
            regime_set,
            name,
            at=options.values,
            times=grid,
            runs=options.runs,
            seed=options.seed,
            rtol=options.rtol,
            jobs=options.jobs,
            seconds=limit.left,
            tolerance=options.tolerance,
            standard_errors=options.errors,
            progress=progress,
            solved=solved,
        )
    return _with_band(result, regime_set, name, options) if options.band else result


def _check_files(plot: Path | None) -> None:
    """Reject a figure that cannot be written, or whose numbers cannot."""
    from diagrams.errors import InvalidInputError

    check_figure(plot)
    if plot is not None and plot.with_suffix(".csv").is_dir():
        raise InvalidInputError(
            f"figure {plot}: its numbers go to {plot.with_suffix('.csv')}, which is a folder; "
            "give another name"
        )


def _with_band(
    result: "Comparison", regime_set: "Regimes", name: str, options: CompareOptions
) -> "Comparison":
    """The comparison with the distance of a single run from the mean."""
    import numpy as np

    from pde.bands import band, variance_of

    resources = options.resources
    variance = variance_of(
        regime_set, name, budget=resources.budget, store=resources.opened_store()
    )
    known = band(variance.at({"T": Fraction(1), **options.values}), result.t.tolist())
    return replace(result, band=np.array([np.nan if value is None else value for value in known]))


def _show(
    result: "Comparison", options: CompareOptions, what: str, *, drawn: str | None = None
) -> None:
    """Draw the comparison where a figure is asked for, and print it.

    Parameters
    ----------
    result : Comparison
    options : CompareOptions
    what : str
        What is compared, after the title of the problem.
    drawn : str, optional
        The same above the figure.
    """
    from diagflow.show.comparison import FORMATS

    title, values = options.problem.title, options.values
    if options.plot is not None:
        from diagflow.plotting.curves import plot_comparison
        from diagflow.plotting.style import COLUMN_WIDTH, PAGE_WIDTH

        width = PAGE_WIDTH if options.wide else COLUMN_WIDTH
        above = f"{title}, {drawn or what}"
        plot_comparison(result, options.plot, title=above, at=values, width=width)
    typer.echo(FORMATS[options.output](f"{title}, {what}", values, result), nl=False)


def _warn(result: "Comparison", regime_set: "Regimes", name: str, options: CompareOptions) -> None:
    """Print a warning if the regime neglects much at these numbers and times."""
    from diagflow.show.solution import neglect_warning
    from diagflow.terminal import note
    from pde.solving import neglected

    share = neglected(
        regime_set,
        name,
        options.values,
        times=result.t.tolist(),
        losses=list(result.theory),
        left_out=result.left_out,
    ).corrected(result.correction.tolist(), result.correction_error.tolist())
    warning = neglect_warning(share, T=options.values.get("T", Fraction(1)))
    if warning is not None:
        note(warning)


def _end(result: "Comparison") -> None:
    """Exit with the verdict, unless theory and simulation agree."""
    from diagflow.comparison.verdict import Agreement
    from diagflow.show import comparison as show_comparison

    if not result.holds:
        undecided = result.verdict is Agreement.UNDECIDED
        stop(show_comparison.verdict(result), UNDECIDED if undecided else 1)
