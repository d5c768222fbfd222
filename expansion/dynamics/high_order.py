"""Leading series continued beyond the exact coefficients by the dynamics of their regime.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> found = regimes(cp(order=2, symmetric=True), terms=4)
>>> further = continued(LeadingSeries(found, found["A-B-E"]))
>>> print(further.origin(4), "|", further.origin(9))
exact | hierarchy of 10 cores, certified for s = 0 ... 4
>>> more = regimes(cp(order=2, symmetric=True), terms=5)
>>> further[5] == LeadingSeries(more, more["A-B-E"])[5]
True

Source: ours.
"""

from __future__ import annotations

from dataclasses import replace

from expansion.dynamics.averages import Averages
from expansion.dynamics.derivation import RefusedError, derive
from expansion.leading import LeadingSeries
from expansion.series import Budget

__all__ = ["continued"]


def continued(
    leading: LeadingSeries, *, budget: Budget | None = None, averages: Averages | None = None
) -> LeadingSeries:
    """The same series, going on from the effective dynamics of its regime.

    Parameters
    ----------
    leading : LeadingSeries
    budget : Budget, optional
        For the derivation, see `expansion.dynamics.derivation.derive`.
    averages : Averages, optional
        Tables of means from another regime of the same problem.

    Raises
    ------
    RefusedError
        If one of the exact leading parts is not that of the hierarchy, is of lower order than the
        hierarchy can see, or lies beyond the derivatives that the budget allows.
    GrowthError, BudgetExceededError
        If there is no hierarchy.
    """
    dynamics = derive(leading.regimes, leading.regime.name, budget=budget, averages=averages)
    dynamics.require_certificate()
    unseen = [
        s
        for s in range(1, leading.last + 1)
        if s not in dynamics.certificate.matched or not dynamics.leads(s)
    ]
    if unseen:
        raise RefusedError(
            f"leading series of regime {leading.regime.name}: its hierarchy does not give the "
            f"exact parts at s = {', '.join(map(str, unseen))}; use the exact coefficients"
        )
    return replace(leading, dynamics=dynamics)
