"""The diagrams of a loss as a picture: run with `python examples/draw.py`."""

import tempfile
from pathlib import Path

from diagflow import cp, loss_series
from diagflow.drawing.draw import draw
from diagflow.drawing.what import What

with tempfile.TemporaryDirectory() as folder:
    picture = Path(folder) / "terms.svg"
    draw(loss_series(cp(order=2)), What.TERMS, terms=1, output=picture, maximal=20)
    print(picture.name, "has", picture.read_text(encoding="utf-8").count("<path"), "paths")
