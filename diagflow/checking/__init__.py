"""The results verified on the user's machine: independent routes to the same numbers.

`run` goes through the checks of problems, `exact` compares coefficients with the oracle and with
counters, `simulated` solutions with small simulations, `translation` writes a problem for the
oracle, `findings` are the results. Import the names below; the command ``check`` uses them.
"""

from diagflow.checking.findings import CheckReport, Finding, Verdict
from diagflow.checking.run import check_problems, default_problems

__all__ = ["CheckReport", "Finding", "Verdict", "check_problems", "default_problems"]

Report = CheckReport  # its former name
