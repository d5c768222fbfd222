"""Effective dynamics in the basis in which there is one: of indices, or of their Fourier modes.

`expansion.dynamics.derivation` works with the indices of a problem. Where sums modulo p bind them
its cores rarely close, and in Fourier modes (`expansion.fourier`) they do.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> found = regimes(cp(order=3, symmetric=True, target="modular-addition"))
>>> dynamics = derive_in_any_basis(found, "E-A")
>>> dynamics.kind.value, dynamics.certificate.matched, dynamics.problem.family
('one-site', (0, 1, 2, 3, 4), 'Fourier modes of cp')

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable

from diagrams.errors import BudgetExceededError
from expansion.dynamics.derivation import EffectiveDynamics, derive
from expansion.dynamics.hierarchy import GrowthError
from expansion.fourier import in_modes
from expansion.regimes import Regimes
from expansion.series import Budget, Progress

__all__ = ["INDEX_DIAGRAMS", "TWIN_DIAGRAMS", "derive_in_any_basis"]

INDEX_DIAGRAMS = 20_000
"""Diagrams that a derivation in indices may meet where there is one in modes."""

TWIN_DIAGRAMS = 2_000_000
"""Diagrams that a derivation in modes may meet: tensors have parts there. Half a minute at most."""


def derive_in_any_basis(
    regime_set: Regimes,
    name: str,
    *,
    loss: str | None = None,
    rate_of_change: bool | None = None,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> EffectiveDynamics:
    """The effective dynamics of a regime, in Fourier modes where only these have a certificate.

    Parameters
    ----------
    regime_set, name, loss, rate_of_change, progress
        See `expansion.dynamics.derivation.derive`.
    budget : Budget, optional
        For each of the two.

    Returns
    -------
    EffectiveDynamics
        Its ``problem`` is the one in modes if they were needed.

    Raises
    ------
    InvalidInputError, GrowthError, BudgetExceededError
        Those of the first, see `expansion.dynamics.derivation.derive`.
    """

    def derived(found: Regimes, limits: Budget | None, followed: str | None) -> EffectiveDynamics:
        return derive(
            found,
            name,
            loss=followed,
            rate_of_change=rate_of_change,
            budget=limits,
            progress=progress,
        )

    refused: GrowthError | BudgetExceededError | None = None
    first: EffectiveDynamics | None = None
    own = loss in (None, regime_set.exponents.loss)
    modes = in_modes(regime_set, name) if own else None
    less = budget if modes is None else budget or Budget(diagrams=INDEX_DIAGRAMS)
    try:
        first = derived(regime_set, less, loss)
        if first.certificate.holds:
            return first
    except (GrowthError, BudgetExceededError) as error:
        refused = error
    if modes is not None:
        try:
            twin = derived(modes.regime_set, budget or Budget(diagrams=TWIN_DIAGRAMS), None)
            if twin.certificate.holds:
                return twin
        except (GrowthError, BudgetExceededError):
            pass  # what the problem itself says is told
    if first is not None:
        return first
    assert refused is not None
    raise refused
