"""``diagflow draw``: blocks, terms and contractions as pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.problem import takes_problem
from diagflow.commands.shared_options import Diagrams, Memory, Seconds, budget
from diagflow.drawing.what import MAXIMAL_PICTURES, What

if TYPE_CHECKING:
    from expansion.problem import Problem

__all__ = ["EPILOG", "NAME", "run"]

NAME = "draw"

EPILOG = (
    "Examples:\n\n"
    "  diagflow draw cp --order 3 --what blocks --output blocks.svg\n\n"
    "  diagflow draw cp --order 4 --symmetric --what contractions --terms 1 --output flowers.tex"
)


@takes_problem
def run(
    problem: "Problem",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Where to draw: .svg, .png, .pdf, or .tex with TikZ pictures.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    what: Annotated[
        What,
        typer.Option(
            "--what",
            help="The blocks of the loss, the terms of Y_0 ... Y_S, or what contraction makes "
            "of them.",
        ),
    ] = What.BLOCKS,
    terms: Annotated[int, typer.Option("--terms", help="Draw Y_0 ... Y_S.", metavar="S")] = 1,
    maximal: Annotated[
        int, typer.Option("--at-most", help="Draw this many pictures.", metavar="N")
    ] = MAXIMAL_PICTURES,
    max_seconds: Seconds = None,
    max_diagrams: Diagrams = None,
    max_memory: Memory = None,
) -> None:
    """Draw diagrams: round p-nodes, square H-nodes, a colour for every tensor.

    Under each term stand its coefficient and its expectation, under each contraction the number of
    such contractions and what each contributes. Fixed tensors have dashed lines.
    """
    from diagflow.drawing.draw import draw
    from diagflow.drawing.page import check_drawing_file
    from diagflow.terminal import following, note
    from diagrams.errors import InvalidInputError
    from expansion.series import LossSeries

    if output is None:
        raise InvalidInputError("draw: --output is missing; name a file such as diagrams.svg")
    check_drawing_file(output)
    with following(f"Y_0 ... Y_{terms}", terms + 1) as progress:
        series = LossSeries(
            problem, budget=budget(max_seconds, max_diagrams, max_memory), progress=progress
        )
        left_out = draw(series, what, terms=terms, output=output, maximal=maximal)
    rest = "" if left_out == 0 else f"; {left_out or 'many'} more do not fit, see --at-most"
    note(f"written: {output}{rest}", err=False)
