"""The former place of `diagflow.comparison.regime`, for programs that import it from here.

Source: ours.
"""

from diagflow.comparison.regime import *  # noqa: F403
from diagflow.comparison.regime import __all__ as __all__
