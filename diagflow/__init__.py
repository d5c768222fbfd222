"""Layer 4, the application, and the public facade over all layers.

Programs import from `diagflow` the names below: problems, their exact loss expansions, regimes,
solutions. Names are imported when they are first used, so that importing the package costs nothing.
The wings: `commands` (the command line, `cli`), `show`, `latex`, `plotting`, `drawing` (values as
text, formulas, figures), `simulation` and `comparison` (theory against experiment), `checking` (of
an installation, with the `oracle`), `report`, `atlas`, `gallery` (whole documents), `store` (the
cache), `workers` (other processes), `schemas` (formats). They stand on `pde`, `expansion` and
`diagrams`; nothing below imports them.

>>> from diagflow import cp, loss_series
>>> print(loss_series(cp(order=2))[0])
1/2*p + 1/2*p**2*H*sigma2**2
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from diagflow.display import register
from diagflow.version import VERSION

if TYPE_CHECKING:
    from diagflow.fits import fit
    from diagflow.simulation import simulate
    from diagflow.simulation.trajectory import Trajectory
    from diagrams.errors import (
        BudgetExceededError,
        CapacityError,
        DiagflowError,
        InvalidInputError,
    )
    from expansion.closest_regime import locate, where
    from expansion.correlators import correlators
    from expansion.dynamics.derivation import EffectiveDynamics, derive
    from expansion.leading import LeadingSeries
    from expansion.models import (
        autoencoder,
        cp,
        deep_linear,
        mlp_linear,
        tied_autoencoder,
        two_layer,
    )
    from expansion.polynomial import Polynomial
    from expansion.problem import Problem
    from expansion.problem_files.problem_file import read_problem_file
    from expansion.regimes import Regime, Regimes, regimes
    from expansion.series import Budget, LossSeries, loss_series
    from pde.evolution import LossEvolution, Solution
    from pde.solving import solution, solve

__version__ = VERSION

__all__ = [
    "Budget",
    "BudgetExceededError",
    "CapacityError",
    "DiagflowError",
    "EffectiveDynamics",
    "InvalidInputError",
    "LeadingSeries",
    "LossEvolution",
    "LossSeries",
    "Polynomial",
    "Problem",
    "Regime",
    "Regimes",
    "Solution",
    "Trajectory",
    "autoencoder",
    "correlators",
    "cp",
    "deep_linear",
    "derive",
    "fit",
    "locate",
    "loss_series",
    "mlp_linear",
    "read_problem_file",
    "regimes",
    "simulate",
    "solution",
    "solve",
    "tied_autoencoder",
    "two_layer",
    "where",
]

_HOME = {
    "Budget": "expansion.series",
    "BudgetExceededError": "diagrams.errors",
    "CapacityError": "diagrams.errors",
    "DiagflowError": "diagrams.errors",
    "EffectiveDynamics": "expansion.dynamics.derivation",
    "InvalidInputError": "diagrams.errors",
    "LeadingSeries": "expansion.leading",
    "LossEvolution": "pde.evolution",
    "LossSeries": "expansion.series",
    "Polynomial": "expansion.polynomial",
    "Problem": "expansion.problem",
    "Regime": "expansion.regimes",
    "Regimes": "expansion.regimes",
    "Solution": "pde.evolution",
    "Trajectory": "diagflow.simulation.trajectory",
    "autoencoder": "expansion.models",
    "correlators": "expansion.correlators",
    "cp": "expansion.models",
    "deep_linear": "expansion.models",
    "derive": "expansion.dynamics.derivation",
    "fit": "diagflow.fits",
    "locate": "expansion.closest_regime",
    "loss_series": "expansion.series",
    "mlp_linear": "expansion.models",
    "read_problem_file": "expansion.problem_files.problem_file",
    "regimes": "expansion.regimes",
    "simulate": "diagflow.simulation",
    "solution": "pde.solving",
    "solve": "pde.solving",
    "tied_autoencoder": "expansion.models",
    "two_layer": "expansion.models",
    "where": "expansion.closest_regime",
}

register()


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'diagflow' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
