"""The commands, one module each: ``NAME``, ``EPILOG`` with examples, and ``run``.

A command is a story in three parts: what is asked, a frozen value whose fields are the options and
that rejects what contradicts itself; what is computed from it; how that is shown. Modules here
import heavy things inside functions. Their annotations are evaluated when the command line is
built, so they do without postponed evaluation. `bundles` turns frozen values into options;
`shared_options`, `problem`, `followed`, `ensemble` and `regime_search` declare the options that
several commands share. Only `diagflow.cli` imports the commands.
"""
