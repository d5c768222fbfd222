"""The installation checked on the machine it is on: independent routes to the same numbers."""

from diagflow.checking.findings import Finding, Report, Verdict
from diagflow.checking.run import check_problems, default_problems

__all__ = ["Finding", "Report", "Verdict", "check_problems", "default_problems"]
