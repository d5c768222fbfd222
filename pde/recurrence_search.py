"""The former place of `pde.recurrences.search`, for programs that import it from here.

Source: ours.
"""

from pde.recurrences.search import *  # noqa: F403
from pde.recurrences.search import __all__ as __all__
