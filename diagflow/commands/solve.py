"""``diagflow solve``: the loss curve of a regime, its formula and its proof."""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.ensemble import (
    Band,
    Fitting,
    LimitOfLoss,
    TimesOfSolution,
    check_fit,
)
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import continuous, takes_problem
from diagflow.commands.regime_search import SliceOption, search
from diagflow.commands.shared_options import (
    INTERRUPTED,
    UNLIMITED,
    Resources,
    check_figure,
    optional,
    stop,
    takes_resources,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sympy

    from diagflow.comparison.finite_size import FiniteSizeCorrection
    from diagflow.fits import CurveFit
    from diagflow.time_limit import TimeLimit
    from expansion.problem import Problem
    from expansion.regimes import Regimes
    from pde.curve_check import CurveCheck
    from pde.evolution import Certificate, LossEvolution, Solution

__all__ = ["EPILOG", "NAME", "SolutionFormat", "run"]

NAME = "solve"

EPILOG = (
    "Examples:\n\n"
    "  diagflow solve tied-autoencoder --regime A-B-E --at p=512,H=256,sigma2=1/512\n\n"
    "  diagflow solve autoencoder --regime auto --at p=64,H=32,sigma2=1/64\n\n"
    "  diagflow solve cp --order 2 --regime B --at p=9,H=900,sigma2=1 --plot b.svg\n\n"
    "  diagflow solve tied-autoencoder --regime E --at p=9,H=9,sigma2=1e-3 --band\n\n"
    "  diagflow solve tied-autoencoder --regime A-B --at p=64,H=64,sigma2=1/8 --fit\n\n"
    "  diagflow solve autoencoder --regime C --format julia\n\n"
    "  diagflow solve cp --order 4 --symmetric --list"
)


AUTOMATIC = "auto"
"""In place of the name of a regime: the nearest one."""

_SOONER = 0.95
"""The part of the time after which work that knows how far it is ends by itself."""


class SolutionFormat(StrEnum):
    """How a solution is printed."""

    text = "text"
    json = "json"
    csv = "csv"
    latex = "latex"
    sympy = "sympy"
    mathematica = "mathematica"
    sage = "sage"
    julia = "julia"


LANGUAGES = ("sympy", "mathematica", "sage", "julia")
"""The formats that are the formula as code, in symbols."""


@dataclass(frozen=True)
class SolveOptions:
    """The options of ``diagflow solve``; the numbers and times that they give."""

    problem: "Problem"
    regime: Annotated[
        str | None,
        optional(
            "--regime",
            "The name of the regime, as [bold]diagflow regimes[/bold] prints it; auto is the "
            "one nearest to the numbers.",
            "NAME",
        ),
    ] = None
    at: Annotated[
        str | None,
        optional(
            "--at",
            "Sizes, variances and T (1 unless given); not needed for a formula as code.",
            "p=…,H=…,sigma2=…,T=…",
        ),
    ] = None
    times: TimesOfSolution = None
    listing: Annotated[
        bool,
        typer.Option(
            "--list", help="Show method, cores, validity and certificate of every regime."
        ),
    ] = False
    followed: str | None = None
    terms: Annotated[
        int | None,
        optional("--terms", "Expand Y_0 ... Y_S; the certificate compares with these.", "S"),
    ] = None
    slice_: SliceOption = None
    band: Band = False
    plot: Annotated[
        Path | None,
        optional(
            "--plot",
            "Also draw the curve, and the band if it is asked for: .svg, .pdf or .png.",
            "FILE",
        ),
    ] = None
    fitting: Fitting = False
    limit_of_loss: LimitOfLoss = None
    output: Annotated[SolutionFormat, typer.Option("--format", help="Format of the output.")] = (
        SolutionFormat.text
    )
    resources: Resources = UNLIMITED
    values: "Mapping[str, Fraction]" = field(init=False)
    grid: "Sequence[float]" = field(init=False)

    def __post_init__(self) -> None:
        """Reject what contradicts itself before anything is computed."""
        from diagflow.commands.values import DEFAULT_TIMES, parse_times, parse_values
        from diagrams.errors import InvalidInputError

        needs_numbers = self.at is None and not self.in_symbols
        if not self.listing and (self.regime is None or needs_numbers):
            missing = "--regime" if self.regime is None else "--at"
            raise InvalidInputError(
                f"solve: {missing} is missing; name a regime and give numbers, or ask with --list"
            )
        check_figure(self.plot)
        check_fit(fitting=self.fitting, limit=self.limit_of_loss, output=self.output.value)
        object.__setattr__(self, "values", {} if self.at is None else parse_values(self.at))
        object.__setattr__(
            self, "grid", parse_times(DEFAULT_TIMES if self.times is None else self.times)
        )

    @property
    def in_symbols(self) -> bool:
        """Whether a formula as code is asked for, of a regime by its name, without numbers."""
        numbers = self.at is not None or self.plot is not None or self.band
        return self.output.value in LANGUAGES and not numbers and self.regime != AUTOMATIC


@takes_problem
@takes_followed
@takes_resources
@takes_options(SolveOptions)
def run(options: SolveOptions) -> None:
    """Print the loss curve of a regime, its formula, its derivation and its certificate.

    The certificate lists the s for which the Taylor coefficient of the solution equals the leading
    part of the exactly enumerated Y_s. The curve that is printed is compared with these
    coefficients near t = 0, and with the formula to many digits where there is one. Exits with 1 if
    one of them differs.
    """
    from diagflow.comparison.finite_size import finite_size_correction
    from diagflow.time_limit import TimeLimit

    title = options.problem.title
    limit = TimeLimit.begun(options.resources.max_seconds, f"the list of solutions of {title}")
    regime_set = search(
        continuous(options.problem, NAME),
        loss=options.followed,
        terms=options.terms,
        resources=options.resources,
        slice_=options.slice_,
    )
    if options.listing:
        _list(regime_set, limit, as_json=options.output is SolutionFormat.json)
        return
    if options.in_symbols:
        typer.echo(_formula(regime_set, options), nl=False)
        return
    regime = _named(regime_set, options)
    solved = _solved(regime_set, regime, options)
    correction = finite_size_correction(regime_set, regime, options.values, theory=solved.evolution)
    _warn(regime_set, regime, options, solved, correction)
    _show(solved, regime, options, correction)
    _end(solved.evolution, solved.check)


@dataclass(frozen=True, kw_only=True)
class _Solved:
    """A curve at times, with its check and, if it is asked for, the band of single runs."""

    evolution: "LossEvolution"
    grid: "Sequence[float]"
    losses: "Sequence[float]"
    check: "CurveCheck"
    apart: "Sequence[float | None] | None"
    variance: "Solution | None"


def _solved(regime_set: "Regimes", regime: str, options: SolveOptions) -> _Solved:
    """The curve of a regime; unless times are asked for it ends with the solution."""
    from diagflow.commands.values import times_inside
    from diagflow.show import solution as show_solution
    from diagflow.terminal import working
    from diagflow.time_limit import time_limit
    from pde.bands import band as one_run
    from pde.bands import variance_of
    from pde.curve_check import check_curve
    from pde.deadline import seconds_left
    from pde.solving import solve

    resources, grid = options.resources, options.grid
    seconds = resources.max_seconds
    # A computation that tracks its progress ends a little earlier, with a better message.
    sooner = None if seconds is None else _SOONER * seconds
    what = f"solution of regime {regime}"
    with working(what), time_limit(seconds, what), seconds_left(sooner):
        evolution = solve(regime_set, regime, at=options.values)
        if options.times is None:
            grid = times_inside(grid, evolution.domain.stop)
        losses = show_solution.finite(evolution(grid), grid)
        check = check_curve(evolution, grid)
        apart, variance = None, None
        if options.band:
            kept = resources.opened_store()
            variance = variance_of(regime_set, regime, budget=resources.budget, store=kept)
            apart = one_run(variance.at(evolution.parameters), grid)
    return _Solved(
        evolution=evolution,
        grid=grid,
        losses=losses,
        check=check,
        apart=apart,
        variance=variance,
    )


def _show(
    solved: _Solved, regime: str, options: SolveOptions, correction: "FiniteSizeCorrection"
) -> None:
    """Print the curve with all that supports it; draw it where a figure is asked for."""
    from diagflow.fits import fit
    from diagflow.time_limit import time_limit

    fitted = None
    if options.fitting:
        with time_limit(options.resources.max_seconds, f"the fit of regime {regime}"):
            fitted = fit(solved.evolution, limit=options.limit_of_loss)
    typer.echo(_rendered(solved, regime, options.output, fitted), nl=False)
    if options.plot is not None:
        from diagflow.plotting.curve_figure import plot_evolution

        # After the numbers, which do not depend on it.
        plot_evolution(
            solved.evolution,
            options.plot,
            times=solved.grid,
            correction=correction,
            at=options.values,
            band=solved.apart,
        )


def _rendered(
    solved: _Solved, regime: str, output: SolutionFormat, fitted: "CurveFit | None"
) -> str:
    """The curve and what supports it, or its formula as code, in a format."""
    from diagflow.show import solution as show_solution

    curve = (solved.evolution, solved.grid, solved.losses, solved.check, solved.apart)
    match output:
        case SolutionFormat.text:
            return show_solution.text(*curve, fitted)
        case SolutionFormat.json:
            return show_solution.json_text(*curve, fitted)
        case SolutionFormat.csv:
            return show_solution.csv_text(*curve)
        case SolutionFormat.latex:
            return show_solution.latex(*curve, variance=solved.variance)
    return _code(solved.evolution.expression, regime, output)


def _formula(regime_set: "Regimes", options: SolveOptions) -> str:
    """The formula of a regime in symbols; there are no numbers and no curve."""
    from diagflow.time_limit import time_limit
    from pde.solving import solution

    regime = str(options.regime)
    with time_limit(options.resources.max_seconds, f"solution of regime {regime}"):
        solved = solution(regime_set, regime)
    if solved.certificate.compared and not solved.certificate.holds:
        stop(_fails(solved.certificate))
    return _code(solved.formula, solved.regime, options.output)


def _code(formula: "sympy.Expr | None", regime: str, output: SolutionFormat) -> str:
    """The formula as input for a computer algebra system."""
    from diagflow.show.languages import Language, formula_code
    from diagrams.errors import InvalidInputError

    if formula is None:
        raise InvalidInputError(
            f"--format {output.value}: regime {regime} has no closed form; give text, json or csv"
        )
    return formula_code(Language(output.value), formula)


def _warn(
    regime_set: "Regimes",
    regime: str,
    options: SolveOptions,
    solved: _Solved,
    correction: "FiniteSizeCorrection",
) -> None:
    """Print a warning if the regime neglects much at these numbers and times."""
    from diagflow.show.solution import neglect_warning
    from diagflow.terminal import note
    from pde.solving import neglected

    share = neglected(
        regime_set,
        regime,
        options.values,
        times=solved.grid,
        losses=solved.losses,
        left_out=solved.evolution.certificate.left_out,
    )
    # With the solution the neglected share is known at more times than without.
    added, error = correction.estimate(solved.grid)
    warning = neglect_warning(
        share.corrected(added.tolist(), error.tolist()), T=options.values.get("T", Fraction(1))
    )
    if warning is not None:
        note(warning)


def _end(evolution: "LossEvolution", check: "CurveCheck") -> None:
    """Exit with an error if the certificate or the check of the curve fails."""
    certificate = evolution.certificate
    if certificate.compared and not certificate.holds:
        stop(_fails(certificate))
    if not check.holds:
        stop(
            f"error: the curve at t = {check.time:g} is not the sum of its exact coefficients; its "
            "evaluation is wrong"
        )


def _fails(certificate: "Certificate") -> str:
    """The message of a certificate that does not hold."""
    missed = sorted({*certificate.compared} - {*certificate.matched})
    return f"error: the solution does not reproduce the exact leading coefficients at s = {missed}"


def _named(regime_set: "Regimes", options: SolveOptions) -> str:
    """The regime that is asked for; the nearest one, with its neglected share, for ``auto``."""
    from diagflow.terminal import note
    from expansion.closest_regime import locate

    if options.regime != AUTOMATIC:
        return str(options.regime)
    T = options.values.get("T", Fraction(1))
    place = locate(
        regime_set,
        at={name: value for name, value in options.values.items() if name != "T"},
        times=[Fraction(t) / T for t in options.grid],
    )
    name = place.closest.name
    note(
        f"diagflow: nearest regime: {name}, which neglects at most "
        f"{100 * float(place.share(name)):.2g}% of the loss"
    )
    return name


def _list(regime_set: "Regimes", limit: "TimeLimit", *, as_json: bool) -> None:
    """Print a line about every regime; as text each line as soon as it is known."""
    from diagflow.columns import terminal_width
    from diagflow.show import solution as show_solution
    from diagflow.time_limit import time_limit
    from diagrams.errors import BudgetExceededError

    longest = max(len(regime.name) for regime in regime_set)
    rows = []
    try:
        with time_limit(limit.left, limit.what):
            for row in show_solution.listed(regime_set):
                rows.append(row)
                if not as_json:
                    entry = show_solution.list_entry(row, longest=longest, width=terminal_width())
                    typer.echo(entry, nl=False)
    except BudgetExceededError:
        raise BudgetExceededError(
            f"budget: {limit.what} needs more than {limit.seconds:g} seconds; {len(rows)} of "
            f"{len(regime_set)} regimes are finished; raise --max-seconds"
        ) from None
    except KeyboardInterrupt:
        stop(f"interrupted: {len(rows)} of {len(regime_set)} regimes were finished", INTERRUPTED)
    if as_json:
        typer.echo(show_solution.list_json(rows), nl=False)
    if not show_solution.all_hold(rows):
        stop("error: not every solution holds; see FAILS above")
