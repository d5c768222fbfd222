r"""The moment hierarchy of few data, exactly.

The data are orthogonal to each other, and each of them sees the mean of the others. With
m_k = xᵀA^k x/|x|² for one of them, in the time ϑ = τp/N,

    m_k' = Σ_{i<k} [2(m_{i+1}m_{k-1-i} + m_i m_{k-i})
                    - (m_{i+2}m_{k-1-i} + 2m_{i+1}m_{k-i} + m_i m_{k-i+1})],
    m_k(0) = z^k Σ_b N(k, b) y^b,

    L_train ~ ½p(1 - 2m_1 + m_2),    L_pop' = -4N(m_1 - 2m_2 + m_3).

Without a target only the second line of the sum is left, and L_train ~ ½p m_2, L_pop' = -4N m_3.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import comb, factorial

from expansion.polynomial import Polynomial

__all__ = ["few_data_taylor", "hierarchy"]


def _initial(k: int) -> Polynomial:
    """z^k Σ_b N(k, b) y^b in p, H and sigma2."""
    if k == 0:
        return Polynomial({(): 1})
    return Polynomial(
        {
            tuple(
                (name, power) for name, power in (("H", b), ("p", k - b), ("sigma2", k)) if power
            ): comb(k, b) * comb(k, b - 1) // k
            for b in range(1, k + 1)
        }
    )


def hierarchy(last: int, *, with_target: bool) -> list[list[Polynomial]]:
    """Taylor coefficients in ϑ: row k holds those of m_k, up to the order last for m_1, m_2, m_3.

    Parameters
    ----------
    last : int
        The largest order.
    with_target : bool
        False on the edge with free.

    Examples
    --------
    >>> rows = hierarchy(1, with_target=True)
    >>> print(rows[1][0])
    H*sigma2
    """
    top = last + 3
    rows = [[_initial(k)] for k in range(top + 1)]
    rows[0] += [Polynomial()] * last
    for order in range(last):
        # m_k' contains m_{k+1}: with every order one k less is known.
        for k in range(1, top - order):
            total = Polynomial()
            for i in range(k):
                total += _convolution(rows[i + 2], rows[k - 1 - i], order) * -1
                total += _convolution(rows[i + 1], rows[k - i], order) * -2
                total += _convolution(rows[i], rows[k - i + 1], order) * -1
                if with_target:
                    total += _convolution(rows[i + 1], rows[k - 1 - i], order) * 2
                    total += _convolution(rows[i], rows[k - i], order) * 2
            rows[k].append(total * Fraction(1, order + 1))
    return rows


def _convolution(a: list[Polynomial], b: list[Polynomial], order: int) -> Polynomial:
    return sum((a[j] * b[order - j] for j in range(order + 1)), start=Polynomial())


def few_data_taylor(loss: str, *, with_target: bool) -> Iterator[Polynomial]:
    """The coefficients of a loss in t/T, times s!.

    Parameters
    ----------
    loss : str
        ``"train"`` or ``"population"``.
    with_target : bool
        False on the edge with free.

    Examples
    --------
    >>> rows = few_data_taylor("train", with_target=False)
    >>> print(next(rows))
    1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2
    """
    # Each coefficient costs about as much as all before it.
    done, number = 0, 4
    while True:
        whole = _coefficients(loss, number, with_target=with_target)
        yield from whole[done:]
        done, number = number, number + 1


def _coefficients(loss: str, number: int, *, with_target: bool) -> list[Polynomial]:
    rows = hierarchy(number - 1, with_target=with_target)
    p = Polynomial({(("p", 1),): 1})
    ratio = Polynomial({(("N", -1), ("p", 1)): 1})
    N = Polynomial({(("N", 1),): 1})
    result: list[Polynomial] = []
    power = Polynomial({(): 1})
    for s in range(number):
        half = _half_square(rows, s, with_target=with_target)
        if loss == "train" or not s:
            value = p * half * factorial(s)
        else:
            value = N * _rate(rows, s - 1, with_target=with_target) * factorial(s - 1)
        result.append(value * power)
        power = power * ratio
    return result


def _half_square(rows: list[list[Polynomial]], s: int, *, with_target: bool) -> Polynomial:
    """½(1 - 2m_1 + m_2), or ½m_2."""
    square = rows[2][s]
    if with_target:
        square = square - rows[1][s] * 2 + rows[0][s]
    return square * Fraction(1, 2)


def _rate(rows: list[list[Polynomial]], s: int, *, with_target: bool) -> Polynomial:
    """-4(m_1 - 2m_2 + m_3), or -4m_3."""
    if not with_target:
        return rows[3][s] * -4
    return (rows[1][s] - rows[2][s] * 2 + rows[3][s]) * -4
