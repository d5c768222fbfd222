"""The former place of `pde.recurrences.recurrence`, for programs that import it from here.

Source: ours.
"""

from pde.recurrences.recurrence import *  # noqa: F403
from pde.recurrences.recurrence import __all__ as __all__
