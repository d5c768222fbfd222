"""Reports: a complete article about a problem, in LaTeX.

- `diagflow.report.problem`: the model, the target and the loss in formulas;
- `diagflow.report.article`: the sections, and the document around them;
- `diagflow.report.write`: files in a folder, and the PDF where there is a LaTeX.
"""
