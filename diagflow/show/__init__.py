"""The output of the commands: a module for each kind of value, as text, JSON, CSV and LaTeX.

Nothing is computed here. It stands on the values of the layers below and on `diagflow.schemas`;
the commands, `diagflow.display` and reports use it.
"""
