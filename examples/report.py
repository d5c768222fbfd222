"""An article about a problem, in LaTeX: run with `python examples/report.py`."""

import tempfile
from pathlib import Path

from diagflow import cp
from diagflow.report.write import write_report

problem = cp(order=2, symmetric=True, target="zero")
with tempfile.TemporaryDirectory() as folder:
    report = write_report(problem, Path(folder) / "report", terms=3, simulate=False)
    text = report.source.read_text(encoding="utf-8")
    print(
        "main.tex:", text.count("\\section"), "sections; missing:", ", ".join(report.missing) or "-"
    )
