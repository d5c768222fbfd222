"""``diagflow draw``: blocks, terms and contractions as pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import takes_problem
from diagflow.commands.shared_options import UNLIMITED, Resources, optional, takes_limits
from diagflow.drawing.what import MAXIMAL_PICTURES, What

if TYPE_CHECKING:
    from expansion.problem import Problem

__all__ = ["EPILOG", "NAME", "run"]

NAME = "draw"

EPILOG = (
    "Examples:\n\n"
    "  diagflow draw cp --order 3 --what blocks --output blocks.svg\n\n"
    "  diagflow draw cp --symmetric --what contractions --output flowers.tex\n\n"
    "  diagflow draw autoencoder --observable ntk-trace --what terms --output k.svg"
)


@dataclass(frozen=True)
class DrawOptions:
    """The options of ``diagflow draw``."""

    problem: "Problem"
    output: Annotated[
        Path | None,
        optional(
            "--output", "Where to draw: .svg, .png, .pdf, or .tex with TikZ pictures.", "FILE"
        ),
    ] = None
    what: Annotated[
        What,
        typer.Option(
            "--what",
            help="The blocks of the loss or observable, the terms of Y_0 ... Y_S, or what "
            "contraction makes of them.",
        ),
    ] = What.BLOCKS
    terms: Annotated[int, typer.Option("--terms", help="Draw Y_0 ... Y_S.", metavar="S")] = 1
    maximal: Annotated[
        int, typer.Option("--at-most", help="Draw at most this many pictures.", metavar="N")
    ] = MAXIMAL_PICTURES
    followed: str | None = None
    resources: Resources = UNLIMITED

    def __post_init__(self) -> None:
        """Reject a file that cannot be written before anything is computed."""
        from diagflow.drawing.page import check_drawing_file

        check_drawing_file(self.file)

    @property
    def file(self) -> Path:
        """The file of the pictures."""
        from diagrams.errors import InvalidInputError

        if self.output is None:
            raise InvalidInputError("draw: --output is missing; name a file such as diagrams.svg")
        return self.output


@takes_problem
@takes_followed
@takes_limits
@takes_options(DrawOptions)
def run(options: DrawOptions) -> None:
    """Draw diagrams: round p-nodes, square H-nodes, a colour for every tensor.

    Under each term stand its coefficient and its expectation, under each contraction the number of
    such contractions and what each contributes. Fixed tensors have dashed lines. A cumulant is
    drawn by products of diagrams and the contractions that connect them.
    """
    from diagflow.drawing.draw import draw
    from diagflow.terminal import following, note
    from expansion.series import loss_series

    terms, file = options.terms, options.file
    with following(f"Y_0 ... Y_{terms}", terms + 1) as progress:
        series = loss_series(
            options.problem,
            loss=options.followed,
            budget=options.resources.budget,
            progress=progress,
        )
        left_out = draw(series, options.what, terms=terms, output=file, maximal=options.maximal)
    rest = "" if left_out == 0 else f"; {left_out or 'many'} more do not fit, see --at-most"
    note(f"written: {file}{rest}", err=False)
