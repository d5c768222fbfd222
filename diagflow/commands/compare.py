"""``diagflow compare``: the solution of a regime against simulations."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.ensemble import At, Band, CurveFormat, Jobs, Seed, Times, Tolerance
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import RegimeName, Steps, checked_steps, takes_problem
from diagflow.commands.regime_search import SliceOption, search
from diagflow.commands.shared_options import UNDECIDED, UNLIMITED, Resources, takes_limits_and_store

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
    "  diagflow compare cp --order 2 --symmetric --regime A-B-E --at p=64,H=32,sigma2=1/64 "
    "--times 0:1:11 --runs 30\n\n"
    "  diagflow compare cp --order 2 --regime C-D --at p=32,H=2048,sigma2=1/2048 --times 0:2:21 "
    "--tolerance 0.05 --plot comparison.pdf"
)


@takes_problem
@takes_followed
@takes_limits_and_store
def run(
    problem: "Problem",
    regime: RegimeName = None,
    at: At = None,
    times: Times = "0:1:11",
    followed: str | None = None,
    runs: Annotated[
        int, typer.Option("--runs", help="Number of initialisations, at least two.")
    ] = 10,
    seed: Seed = 0,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance",
            help="Allowed relative deviation, in place of the expected finite-size correction.",
            metavar="X",
            show_default=False,
        ),
    ] = None,
    errors: Annotated[
        float, typer.Option("--standard-errors", help="How many are allowed.", metavar="K")
    ] = 4.0,
    terms: Annotated[
        int | None,
        typer.Option(
            "--terms",
            help="Expand Y_0 ... Y_S; the finite-size correction is made of them.",
            metavar="S",
            show_default=False,
        ),
    ] = None,
    steps: Steps = None,
    rtol: Tolerance = 1e-8,
    band: Band = False,
    jobs: Jobs = 1,
    slice_: SliceOption = None,
    output: Annotated[
        CurveFormat, typer.Option("--format", help="How to print.")
    ] = CurveFormat.text,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            help="Draw curves and deviations: .svg, .pdf or .png; also write the numbers as .csv.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="Draw for two columns of a paper instead of one.")
    ] = False,
    resources: Resources = UNLIMITED,
) -> None:
    """Compare the solution of a regime with simulations and judge whether they agree.

    They agree if the mean loss minus the theory, minus what the exact terms beyond the leading ones
    contribute at these sizes, is at most a few standard errors plus the stated error of that
    contribution. They differ, too, where the regime neglects as much as it keeps. In discrete time
    the exact means after 0 ... K steps are compared. Exits with 1 if they differ and with 3 if it
    cannot be judged.
    """
    from diagflow.commands.ensemble import missing_runs, required
    from diagflow.commands.values import parse_times, parse_values
    from diagflow.show import comparison as show_comparison
    from diagflow.time_limit import TimeLimit
    from diagrams.errors import InvalidInputError

    values = parse_values(required("compare", "--at", at))
    discrete = bool(problem.drive.step)
    name = f"steps 0 ... {steps}" if discrete else required("compare", "--regime", regime)
    if discrete and (regime is not None or band):
        raise InvalidInputError(
            "compare: in discrete time exact means are compared, without --regime and --band; "
            "leave them out"
        )
    steps = checked_steps(problem, steps, None)
    asked = _Asked(
        values=values,
        grid=parse_times(times),
        runs=runs,
        seed=seed,
        tolerance=tolerance,
        errors=errors,
        rtol=rtol,
        jobs=jobs,
        resources=resources,
    )
    if runs < 2:
        raise InvalidInputError(
            f"--runs {runs}: the standard error needs two or more; give more runs"
        )
    _check_figure(plot)
    limit = TimeLimit.begun(resources.max_seconds, f"comparison with {problem.title}")
    regime_set = None
    if discrete:
        result = asked.steps(problem, steps, followed, limit)
    else:
        regime_set = search(
            problem,
            loss=followed,
            terms=terms,
            budget=resources.budget,
            store=resources.opened_store(),
            slice_=slice_,
        )
        name = regime_set[name].name
        result = asked.regime(problem, regime_set, name, limit)
        if band:
            result = _with_band(result, regime_set, name, values, asked.grid, resources)
    if plot is not None:
        _draw(result, plot, title=f"{problem.title}, {name}", at=values, wide=wide)
    render = {
        CurveFormat.text: show_comparison.text,
        CurveFormat.json: show_comparison.json_text,
        CurveFormat.csv: show_comparison.csv_text,
    }
    title = f"{problem.title}, {name}" if discrete else f"{problem.title}, regime {name}"
    typer.echo(render[output](title, values, result), nl=False)
    if regime_set is not None:
        _warn(result, regime_set, name, values, asked.grid)
    missing_runs(result.trajectory, runs, "compared")
    _end(result)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is compared at which numbers, whatever the theory is."""

    values: "Mapping[str, Fraction]"
    grid: "Sequence[float]"
    runs: int
    seed: int
    tolerance: float | None
    errors: float
    rtol: float
    jobs: int
    resources: Resources

    def steps(
        self, problem: "Problem", steps: int | None, followed: str | None, limit: "TimeLimit"
    ) -> "Comparison":
        """Exact means after steps against simulations."""
        from diagflow.commands.ensemble import counting
        from diagflow.comparison.steps import compare_steps

        with counting(problem.title, self.runs) as progress:
            return compare_steps(
                problem,
                steps,
                at=self.values,
                runs=self.runs,
                loss=followed,
                seed=self.seed,
                standard_errors=self.errors,
                tolerance=self.tolerance,
                jobs=self.jobs,
                seconds=limit.left,
                budget=self.resources.budget,
                store=self.resources.opened_store(),
                progress=progress,
            )

    def regime(
        self, problem: "Problem", regime_set: "Regimes", name: str, limit: "TimeLimit"
    ) -> "Comparison":
        """The solution of a regime against simulations."""
        from diagflow.commands.ensemble import counting
        from diagflow.comparison.regime import compare_regime

        with counting(problem.title, self.runs) as progress:
            return compare_regime(
                regime_set,
                name,
                at=self.values,
                times=self.grid,
                runs=self.runs,
                seed=self.seed,
                rtol=self.rtol,
                jobs=self.jobs,
                seconds=limit.left,
                tolerance=self.tolerance,
                standard_errors=self.errors,
                progress=progress,
            )


def _check_figure(plot: Path | None) -> None:
    """Reject a figure that cannot be written, or whose numbers cannot."""
    if plot is None:
        return
    from diagflow.plotting.style import check_figure_file
    from diagrams.errors import InvalidInputError

    check_figure_file(plot)
    if plot.with_suffix(".csv").is_dir():
        raise InvalidInputError(
            f"figure {plot}: its numbers go to {plot.with_suffix('.csv')}, which is a folder; "
            "give another name"
        )


def _with_band(
    result: "Comparison",
    regime_set: "Regimes",
    name: str,
    values: "Mapping[str, Fraction]",
    grid: "Sequence[float]",
    resources: Resources,
) -> "Comparison":
    """The comparison with the distance of a single run from the mean."""
    from dataclasses import replace

    import numpy as np

    from pde.bands import band, variance_of

    variance = variance_of(
        regime_set, name, budget=resources.budget, store=resources.opened_store()
    )
    known = band(variance.at({"T": Fraction(1), **values}), grid)
    return replace(result, band=np.array([np.nan if value is None else value for value in known]))


def _draw(
    result: "Comparison", plot: Path, *, title: str, at: "Mapping[str, Fraction]", wide: bool
) -> None:
    from diagflow.plotting.curves import plot_comparison
    from diagflow.plotting.style import COLUMN_WIDTH, PAGE_WIDTH

    width = PAGE_WIDTH if wide else COLUMN_WIDTH
    plot_comparison(result, plot, title=title, at=at, width=width)


def _warn(
    result: "Comparison",
    regime_set: "Regimes",
    name: str,
    values: "Mapping[str, Fraction]",
    grid: "Sequence[float]",
) -> None:
    """Print a warning if the regime neglects much at these numbers and times."""
    from diagflow.show.solution import neglect_warning
    from diagflow.terminal import note
    from pde.solving import neglected

    share = neglected(
        regime_set,
        name,
        values,
        times=grid,
        losses=list(result.theory),
        left_out=result.left_out,
    ).corrected(result.correction.tolist(), result.correction_error.tolist())
    warning = neglect_warning(share, T=values.get("T", Fraction(1)))
    if warning is not None:
        note(warning)


def _end(result: "Comparison") -> None:
    """Exit with the verdict, unless theory and simulation agree."""
    from diagflow.comparison.verdict import Agreement
    from diagflow.show import comparison as show_comparison

    if not result.holds:
        typer.echo(f"diagflow: {show_comparison.verdict(result)}", err=True)
        raise typer.Exit(UNDECIDED if result.verdict is Agreement.UNDECIDED else 1)
