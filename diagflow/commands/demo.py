"""``diagflow demo``: the main job on real input."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EPILOG", "NAME", "run"]

NAME = "demo"

EPILOG = "Examples:\n\n  diagflow demo\n\n  diagflow demo --output results"


def run(
    output: Annotated[
        Path, typer.Option("--output", help="Folder for the JSON and LaTeX files.", metavar="DIR")
    ] = Path("out"),
) -> None:
    """Expand three problems, check them against the independent oracle, write JSON and LaTeX.

    The problems are CP models: symmetric of order 2 and 4, and asymmetric of order 3. The cost of
    every coefficient is printed. Exits with 1 if a coefficient differs from the oracle.
    """
    from diagflow import demo

    if not demo.run(output):
        raise typer.Exit(1)
