"""The demonstration: three problems expanded, checked and written down.

Every coefficient is compared with the independent oracle at a few integer sizes; the oracle shares
no code with the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from rich.console import Console
from rich.table import Table

from diagflow import oracle
from diagflow.files import write_whole
from diagflow.show import series as show
from diagflow.terminal import following
from diagrams.errors import InvalidInputError
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.series import LossSeries

__all__ = ["agrees_with_oracle", "run"]

CASES = ((2, True, 6), (3, False, 4), (4, True, 3))
"""Order, symmetric or not, and the last coefficient."""

SIZES = ((1, 1), (2, 1), (1, 2))
"""The sizes (p, H) at which the oracle is asked, as far as it is affordable."""

ORACLE_TERMS = 3
"""The oracle's cost explodes with s: it checks Y_0 ... Y_3."""

LINE = 68
"""Characters of a coefficient that are shown; the files have it whole."""


def run(folder: Path) -> bool:
    """Expand all cases, print tables and costs, write files; whether every check agreed."""
    console = Console()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(
            f"output folder {folder}: cannot be made ({error.strerror}); give another one"
        ) from None
    agreed = True
    for order, symmetric, terms in CASES:
        problem = cp(order=order, symmetric=symmetric)
        with following(problem.title, terms + 1) as progress:
            series = LossSeries(problem, progress=progress)
            coefficients = [series[s] for s in range(terms + 1)]
        console.print(f"[bold]{problem.title}[/bold]")
        for s, polynomial in enumerate(coefficients):
            console.print(f"Y_{s} = {_beginning(polynomial)}", highlight=False)
        table = Table()
        for name in ("s", "terms", "diagrams", "contractions", "seconds", "oracle"):
            table.add_column(name, justify="right")
        for s, polynomial in enumerate(coefficients):
            checks = s <= ORACLE_TERMS
            right = agrees_with_oracle(order, symmetric, s, polynomial) if checks else True
            agreed = agreed and right
            cost = series.cost(s)
            table.add_row(
                str(s),
                str(len(polynomial)),
                str(cost.diagrams),
                str(cost.contractions),
                f"{cost.seconds:.3f}",
                ("agrees" if right else "DIFFERS") if checks else "-",
            )
        console.print(table)
        name = f"cp_order{order}_{'sym' if symmetric else 'asym'}"
        write_whole(folder / f"{name}.json", show.json_text(problem, coefficients))
        write_whole(folder / f"{name}.tex", show.latex(problem, coefficients))
        console.print(f"written: {folder / name}.json, {folder / name}.tex\n")
    sizes = ", ".join(f"({p}, {H})" for p, H in SIZES)
    console.print(
        f"Coefficients s <= {ORACLE_TERMS} compared with the independent oracle at (p, H) = "
        f"{sizes}: {'all agree' if agreed else 'THERE ARE DIFFERENCES'}."
    )
    return agreed


def agrees_with_oracle(order: int, symmetric: bool, s: int, polynomial: Polynomial) -> bool:
    """Whether Y_s of the CP model with the identity target equals the oracle's at small sizes."""
    return all(
        _at_sizes(polynomial, p, H)
        == oracle.cp_loss_derivatives(
            order, symmetric=symmetric, target="identity", p=p, H=H, terms=s
        )[s]
        for p, H in SIZES
    )


def _at_sizes(
    polynomial: Polynomial, p: int, H: int
) -> Mapping[tuple[tuple[str, int], ...], Fraction]:
    """The coefficients of the powers of sigma2 at given sizes."""
    values = {"p": p, "H": H}
    total: dict[tuple[tuple[str, int], ...], Fraction] = {}
    for powers, coefficient in polynomial:
        rest = tuple((name, power) for name, power in powers if name not in values)
        for name, power in powers:
            coefficient *= values.get(name, 1) ** power
        total[rest] = total.get(rest, Fraction(0)) + coefficient
    return {rest: value for rest, value in total.items() if value}


def _beginning(polynomial: Polynomial) -> str:
    """The first terms, as many as fit a line."""
    text = str(polynomial)
    if len(text) <= LINE:
        return text
    cut = max(text.rfind(" + ", 0, LINE), text.rfind(" - ", 0, LINE))
    return f"{text[:cut]} ..."
