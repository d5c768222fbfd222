"""The former place of `pde.numerics.resummation`, for programs that import it from here.

Source: ours.
"""

from pde.numerics.resummation import *  # noqa: F403
from pde.numerics.resummation import __all__ as __all__
