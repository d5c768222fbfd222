"""The gallery: experiments that set the solutions of regimes against simulations.

>>> from diagflow.gallery import experiments
>>> [experiment.name for experiment in experiments(quick=True)][:2]
['symmetric-order-2', 'symmetric-order-2-scaled']

Source: experiments of Yarotsky, Golikov, Gusev 2026, appendix L, and ours.
"""

from diagflow.gallery.catalogue import experiments
from diagflow.gallery.outcome import Outcome
from diagflow.gallery.run import run_gallery

__all__ = ["Outcome", "experiments", "run_gallery"]
