r"""The hierarchy of few latent dimensions on data, exactly.

With the averages w_k = zE e^{-2γ} λ^k e^{2λα} over the Marchenko-Pastur law, z = pσ², in the time
t/T,

    w_k' = 2w_{k+1}(2 - w_0) - 2w_1w_k,    w_k(0) = z m_k(r),
    L_train ~ ½p - H w_1(1 - ½w_0),    L_pop ~ ½p - H(w_0 - ½w_0²),

and without a target w_k' = -2w_{k+1}w_0 - 2w_1w_k, L_train ~ ½H w_0w_1, L_pop ~ ½H w_0².

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from expansion.polynomial import Polynomial
from pde.numerics.marchenko_pastur import moment_in_sizes

__all__ = ["narrow_latent_losses"]


def _hierarchy(*, with_target: bool) -> Iterator[tuple[Polynomial, Polynomial]]:
    """The Taylor coefficients of w_0 and w_1 in t/T, one after the other."""
    z = Polynomial({(("p", 1), ("sigma2", 1)): 1})
    rows = [[z * moment_in_sizes(0)], [z * moment_in_sizes(1)]]
    n = 0
    while True:
        yield rows[0][n], rows[1][n]
        # One order more of w_k for k = 0, 1 asks for one more k at every lower order.
        rows.append([z * moment_in_sizes(len(rows))])
        for order in range(n + 1):
            _extend(rows, order, with_target=with_target)
        n += 1


def _extend(rows: list[list[Polynomial]], order: int, *, with_target: bool) -> None:
    """Add the coefficient of the next order to every w_k whose neighbour is known."""
    for k in range(len(rows) - 1):
        if len(rows[k]) != order + 1 or len(rows[k + 1]) < order + 1:
            continue
        total = rows[k + 1][order] * (4 if with_target else 0)
        for j in range(order + 1):
            total += rows[k + 1][j] * rows[0][order - j] * -2
            total += rows[1][j] * rows[k][order - j] * -2
        rows[k].append(total * Fraction(1, order + 1))


def narrow_latent_losses(loss: str, *, with_target: bool) -> Iterator[Polynomial]:
    """The coefficients of a loss in t/T, times s!.

    Parameters
    ----------
    loss : str
        ``"train"`` or ``"population"``.
    with_target : bool
        False on the edge with free.

    Examples
    --------
    >>> rows = narrow_latent_losses("population", with_target=True)
    >>> print(next(rows))
    1/2*p - p*H*sigma2 + 1/2*p**2*H*sigma2**2
    """
    H = Polynomial({(("H", 1),): 1})
    half = Fraction(1, 2)
    w0: list[Polynomial] = []
    w1: list[Polynomial] = []
    factorial = 1
    for s, (b, c) in enumerate(_hierarchy(with_target=with_target)):
        factorial *= s or 1
        w0.append(b)
        w1.append(c)
        other = w1 if loss == "train" else w0
        square = sum((w0[j] * other[s - j] for j in range(s + 1)), start=Polynomial())
        total = H * square * half
        if with_target:
            total = total - H * other[s]
            if not s:
                total = total + Polynomial({(("p", 1),): half})
        yield total * factorial
