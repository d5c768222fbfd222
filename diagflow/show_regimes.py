"""The former place of `diagflow.show.regimes`, for programs that import it from here.

Source: ours.
"""

from diagflow.show.regimes import *  # noqa: F403
from diagflow.show.regimes import __all__ as __all__
