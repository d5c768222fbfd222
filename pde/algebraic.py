"""The former place of `pde.recurrences.algebraic`, for programs that import it from here.

Source: ours.
"""

from pde.recurrences.algebraic import *  # noqa: F403
from pde.recurrences.algebraic import __all__ as __all__
