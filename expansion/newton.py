"""The former place of `expansion.geometry.newton`, for programs that import it from here.

Source: ours.
"""

from expansion.geometry.newton import *  # noqa: F403
from expansion.geometry.newton import __all__ as __all__
