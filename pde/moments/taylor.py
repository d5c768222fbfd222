"""Taylor coefficients of a loss from the moment hierarchy of a regime.

A regime with moment characteristics has E[L] ~ p/2 + number · l(z(τ)). The hierarchy gives its
coefficients exactly, in the symbols p, H, sigma2, whether or not the series converges.

>>> from itertools import islice
>>> loss = ContractedLoss.parse("1/2*z2_0*z0_2 - z1_1")
>>> rows = moment_taylor(loss, number="H", weight="p", symmetric=True)
>>> [str(c) for c in islice(rows, 2)]
['1/2*p + 1/2*p**2*H*sigma2**2', '-2*p*H*sigma2 - 2*p**3*H*sigma2**3']

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from expansion.polynomial import Polynomial
from pde.moments.hierarchy import ContractedLoss, MomentSeries, gaussian_moments

__all__ = ["lowest_variance", "moment_taylor"]


def moment_taylor(
    loss: ContractedLoss,
    *,
    number: str,
    weight: str,
    symmetric: bool = False,
    substitutions: Mapping[str, Polynomial] | None = None,
) -> Iterator[Polynomial]:
    """The coefficients of (t/T)^s of p/2 + number · l(z), times s!.

    Parameters
    ----------
    loss : ContractedLoss
    number : str
        Symbol of the number of independent particles, H rows or p coordinates.
    weight : str
        Symbol of the weight of the average of a moment.
    symmetric : bool, default False
        Whether permuted colours are equivalent.
    substitutions : mapping from str to Polynomial, optional
        Values of parameters of the loss in the original symbols.
    """
    series = MomentSeries(loss, gaussian_moments(weight=weight), symmetric=symmetric)
    values = substitutions or {}
    factorial = s = 0
    while True:
        factorial = factorial * s or 1
        target = Polynomial({(("p", 1),): 1}) * (Fraction(int(s == 0), 2))
        yield target + _substituted(series.output(s), number, values) * factorial
        s += 1


def lowest_variance(polynomial: Polynomial) -> Polynomial:
    """The pure-target term and, of all others, those with the smallest power of sigma2.

    Examples
    --------
    >>> print(lowest_variance(Polynomial.parse("1/2*p - p*sigma2 + p**2*sigma2**2")))
    1/2*p - p*sigma2
    """
    powers = {m: dict(m).get("sigma2", 0) for m, _ in polynomial}
    lowest = min((power for power in powers.values() if power), default=0)
    return Polynomial({m: c for m, c in polynomial if powers[m] in {0, lowest}})


def _substituted(
    polynomial: Polynomial, number: str, values: Mapping[str, Polynomial]
) -> Polynomial:
    total = Polynomial()
    for powers, coefficient in polynomial:
        table = dict(powers)
        table[number] = table.get(number, 0) + 1
        factors = [(values[name], table.pop(name)) for name in values if name in table]
        product = Polynomial({tuple(table.items()): coefficient})
        for base, power in factors:
            for _ in range(power):
                product = product * base
        total = total + product
    return total
