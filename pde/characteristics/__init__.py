"""First-order equations solved along their characteristics.

`characteristics` gives formulas where there are any, `integrable` the cases that integrate in
closed form. It stands on `pde.recurrences` and `pde.numerics`; solutions use it.
"""

from pde.characteristics.characteristics import *  # noqa: F403
from pde.characteristics.characteristics import __all__ as __all__
