"""The former place of `pde.recurrences.hadamard`, for programs that import it from here.

Source: ours.
"""

from pde.recurrences.hadamard import *  # noqa: F403
from pde.recurrences.hadamard import __all__ as __all__
