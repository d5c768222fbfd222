"""Figures: functions that draw on given `Axes`, and functions that write whole files.

`regime_figure` draws polygons (`polygon`, `polytope`) and maps of regimes (`regime_map`), `curves`
and `curve_figure` theory and simulation, `label_placement` finds room for labels. All figures share
the colours, fonts and sizes of `style`. Importing the modules loads no plotting library; drawing
does.
"""

from diagflow.plotting.regime_figure import plot_regimes

__all__ = ["plot_regimes"]
