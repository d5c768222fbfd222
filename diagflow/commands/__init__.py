"""The commands, one module each: ``NAME``, ``EPILOG`` with examples, and ``run``.

Modules here import heavy things inside ``run``. Their annotations are evaluated when the command
line is built, so they do without postponed evaluation. `shared_options`, `problem`, `followed`,
`ensemble` and `regime_search` declare the options that several commands share. Only `diagflow.cli`
imports the commands.
"""
