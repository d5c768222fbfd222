r"""The leading variance of a regime, from the fluctuations of its cores at time zero.

The cores c of a regime are numbers to leading order; each run begins with deviations g of them,
whose covariance is known exactly, and gradient flow is deterministic from there on. To first order
in the deviations the loss of a run differs from the mean by

    delta L(t)  =  sum over cores of  (dL(t)/dc(0)) g_c ,

so that the variance has the coefficients

    V_n  =  sum over s, c, c' of  binomial(n, s) a_{s,c} a_{n-s,c'} Cov(c, c')

with a_{s,c} the derivative of Y_s by the initial value of a core, from the hierarchy and the same
hierarchy linearised. What was replaced by its mean in the reduced potential fluctuates too and is
not in it: the coefficients must equal those of the exact variance, or the regime has none.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> from expansion.dynamics.averages import Averages
>>> from expansion.dynamics.derivation import derive
>>> problem = cp(order=2, symmetric=True)
>>> apart = Averages(problem.driven.generator, problem.loss, exchange=False)
>>> dynamics = derive(regimes(problem, terms=4), "E", averages=apart)
>>> [str(value) for value in variance_coefficients(dynamics, 1)]
['2*p*H*sigma2**2', '16*p*H*sigma2**2']

Source: ours; the first order in small fluctuations is what physicists call the linear noise
approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb

from flint import fmpq

from diagrams.errors import InvalidInputError
from expansion.dynamics.averages import Averages
from expansion.dynamics.derivation import EffectiveDynamics
from expansion.dynamics.taylor import LaurentRing, SeriesTerm, series_coefficients
from expansion.leading import leading_part
from expansion.polynomial import Polynomial

__all__ = ["linearised", "require_numbers", "variance_coefficients"]

_ONE, _ZERO = Polynomial({(): 1}), Polynomial()


def variance_coefficients(
    dynamics: EffectiveDynamics, last: int, *, diagrams: int | None = None
) -> tuple[Polynomial, ...]:
    """The leading parts of the first coefficients of the variance; they are not certified.

    Parameters
    ----------
    dynamics : EffectiveDynamics
        Derived with averages that distinguish exchangeable tensors, because each fluctuates for
        itself.
    last : int
        The last coefficient.
    diagrams : int, optional
        Limit on the diagrams met, see `EffectiveDynamics.coefficients`.

    Raises
    ------
    InvalidInputError
        If exchangeable tensors are not distinguished, cores are random to leading order, or the
        rate of change is followed.
    RefusedError
        If the certificate of the dynamics does not hold.
    BudgetExceededError
        If the limit does not suffice.
    """
    require_numbers(dynamics)
    averages = dynamics.scales.averages
    cores, output, rates, initial = dynamics.numbered(last, diagrams=diagrams)
    slopes = _slopes(last, output, rates, initial, averages)
    scaling: dict[str, int | Fraction] = {
        name: Fraction(power)
        for name, power in zip(dynamics.regime.symbols, dynamics.regime.scaling, strict=True)
    }
    needed = {
        tuple(sorted((i, j)))
        for n in range(last + 1)
        for s in range(n + 1)
        for i in slopes[s]
        for j in slopes[n - s]
    }
    covariances = {
        (i, j): leading_part(Polynomial(dynamics.scales.fluctuation(cores[i], cores[j])), scaling)
        for i, j in sorted(needed)
    }
    values = [*covariances.values(), *(value for row in slopes for value in row.values())]
    ring = LaurentRing(sorted({name for value in values for name in value.symbols}))
    pairs = {places: ring.element(value) for places, value in covariances.items()}
    moved = [{i: ring.element(value) for i, value in row.items()} for row in slopes]
    result = []
    for n in range(last + 1):
        parts = []
        for s in range(n + 1):
            for i, first in moved[s].items():
                # Over all second cores at once: the sum is shorter than its parts.
                inner = ring.total(
                    [
                        ring.product(second, pairs[min(i, j), max(i, j)])
                        for j, second in moved[n - s].items()
                    ]
                )
                parts.append(ring.scaled(ring.product(first, inner), fmpq(comb(n, s))))
        result.append(leading_part(ring.polynomial(ring.total(parts)), scaling))
    return tuple(result)


def require_numbers(dynamics: EffectiveDynamics) -> None:
    """Check that the cores of a dynamics deviate little from their means, each by itself.

    Raises
    ------
    InvalidInputError
        If exchangeable tensors are not distinguished, cores are random to leading order, or the
        rate of change is followed.
    """
    if (
        dynamics.random
        or dynamics.rate_of_change
        or any(len(members) > 1 for members in dynamics.scales.averages.exchangeable)
    ):
        raise InvalidInputError(
            f"variance of regime {dynamics.regime.name}: its cores are random to leading order, "
            "or not distinguished; use the exact coefficients"
        )


def _slopes(
    last: int,
    output: Sequence[SeriesTerm],
    rates: dict[int, list[SeriesTerm]],
    initial: Sequence[Polynomial],
    averages: Averages,
) -> list[dict[int, Polynomial]]:
    """For every s the derivatives of Y_s by the initial values of the variables, if not zero."""
    count = len(initial)
    linear = dict(rates)
    linear |= {count + place: linearised(terms, count) for place, terms in rates.items()}
    moved = linearised(output, count)
    found: list[dict[int, Polynomial]] = [{} for _ in range(last + 1)]
    for place in range(count):
        deviations = [_ONE if other == place else _ZERO for other in range(count)]
        values = series_coefficients(
            last,
            output=moved,
            rates=linear,
            initial=[*initial, *deviations],
            tick=averages.tick,
        )
        for s, value in enumerate(values):
            if len(value):
                found[s][place] = value
    return found


def linearised(terms: Sequence[SeriesTerm], count: int) -> list[SeriesTerm]:
    """The first-order change of a sum of products; the deviation of variable k is count + k.

    Examples
    --------
    >>> linearised([(Polynomial.parse("p"), (0, 1))], 2)
    [(Polynomial.parse('p'), (1, 2)), (Polynomial.parse('p'), (0, 3))]
    """
    return [
        (c, (*places[:k], *places[k + 1 :], count + place))
        for c, places in terms
        for k, place in enumerate(places)
    ]
