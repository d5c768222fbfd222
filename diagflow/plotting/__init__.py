"""Figures: functions that draw on given `Axes`, and functions that write whole files.

All figures share the colours, fonts and sizes of `diagflow.plotting.style`.
"""

from diagflow.plotting.regime_figure import plot_regimes

__all__ = ["plot_regimes"]
