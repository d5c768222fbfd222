"""Reports: a complete article about a problem, in LaTeX.

- `diagflow.report.problem`: the model, the target and the loss in formulas;
- `diagflow.report.article`: the sections, and the document around them;
- `diagflow.report.experiments`: theory against simulation in every solved regime;
- `diagflow.report.parts`: the list of what a limit cut off;
- `diagflow.report.write`: files in a folder, and the PDF where there is a LaTeX.

Import `write`; the command ``report`` uses it. It stands on `diagflow.latex`, `diagflow.drawing`
and `diagflow.comparison`.
"""
