"""The former place of `expansion.series_exponents`, for programs that import it from here.

Source: ours.
"""

from expansion.series_exponents import *  # noqa: F403
from expansion.series_exponents import __all__ as __all__
