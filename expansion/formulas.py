"""The former place of `expansion.formula_parser`, for programs that import it from here.

Source: ours.
"""

from expansion.formula_parser import *  # noqa: F403
from expansion.formula_parser import __all__ as __all__
