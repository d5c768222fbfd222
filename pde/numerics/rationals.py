"""The former place of `diagrams.rationals`, for programs that import it from here.

Source: ours.
"""

from diagrams.rationals import *  # noqa: F403
from diagrams.rationals import __all__ as __all__
