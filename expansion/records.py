"""The former place of `expansion.series_records`, for programs that import it from here.

Source: ours.
"""

from expansion.series_records import *  # noqa: F403
from expansion.series_records import __all__ as __all__
