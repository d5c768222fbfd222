"""The gallery: experiments that compare the solutions of regimes with simulations.

`catalogue` and `derived` list the experiments, `curve_experiment`, `convergence` and `ascent` are
their kinds, `run` carries them out and writes their files. Import the names below; the command
``gallery`` uses them. It stands on `diagflow.comparison` and `diagflow.plotting`.

>>> from diagflow.gallery import experiments
>>> [experiment.name for experiment in experiments(quick=True)][:2]
['symmetric-order-2', 'symmetric-order-2-scaled']

Source: experiments of Yarotsky, Golikov, Gusev 2026, appendix L, and ours.
"""

from diagflow.gallery.catalogue import experiments
from diagflow.gallery.outcome import Outcome
from diagflow.gallery.run import run_gallery

__all__ = ["Outcome", "experiments", "run_gallery"]
