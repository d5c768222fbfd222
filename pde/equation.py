"""The former place of `pde.recurrences.equation`, for programs that import it from here.

Source: ours.
"""

from pde.recurrences.equation import *  # noqa: F403
from pde.recurrences.equation import __all__ as __all__
