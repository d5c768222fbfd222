r"""A closed form as a value: the loss, where it blows up, what it tends to, all of them formulas.

Nothing of a face is written twice. Its values, the ends of its domain and its limits come from its
formulas by one evaluator (`pde.numerics.certified`), which takes more digits where a formula
cancels or overflows. A face checks itself when it is made: at two sets of numbers the loss is
finite inside the domain, grows without bound towards the blow-up and tends to the limits.

>>> p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))
>>> decay = p / (1 + H * sigma2 * t / T)
>>> face = RegimeFormulas(loss=decay, blow_up=(-T / (H * sigma2),), late=0 * p)
>>> curve = face.curve(
...     {"p": Fraction(3), "H": Fraction(2), "sigma2": Fraction(1), "T": Fraction(1)}
... )
>>> curve.domain.start, curve.limits, curve.evaluate(np.array([0.5]))
(-0.5, (None, 0.0), array([1.5]))
>>> try:
...     RegimeFormulas(loss=decay, blow_up=(-T / (2 * H * sigma2),))
... except FaceError as error:
...     print(error)
face p/(H*sigma2*t/T + 1): does not grow towards its blow-up at t = -13.5; correct its formulas

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from diagrams.errors import DiagflowError
from pde.curve import Curve, Domain, Parameters
from pde.numerics.certified import Evaluator, exact_time, value
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["UNTIL_BLOW_UP", "FaceError", "RegimeFormulas", "logistic_pole"]

UNTIL_BLOW_UP = "all t >= 0, and t < 0 until the loss blows up"

_WEIGHTS = "because backwards in time the weights reach infinity there"

_SIZES = (5, 7, 11, 13, 17, 19, 23)
_VARIANCES = (Fraction(1, 90), Fraction(7, 3))
"""A small initialisation, and one at which all that can blow up does."""

_NEAR = (1e-3, 1e-7)
"""Distances to a blow-up between which the loss has to grow."""

_LATE, _CLOSE = 1e60, 1e-4
"""When a limit has to be reached, in units of T, and to which share of the loss."""


class FaceError(DiagflowError):
    """A face whose formulas contradict each other: a mistake in the file that has it."""

    code = "face"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeFormulas:
    """The formulas of a regime, in positive symbols of sizes, variances and T, and in the time t.

    Parameters
    ----------
    loss : sympy.Expr
        E[L(t)].
    blow_up : tuple of sympy.Expr
        The times at which it becomes infinite, before or after t = 0; one without a real value at
        some numbers does not exist there.
    late, early : sympy.Expr, optional
        What it tends to as t tends to plus and minus infinity, if it exists until then. A
        `Piecewise` that has no case for some numbers has no limit there.
    reason : str
        Why the domain ends at a blow-up.

    Raises
    ------
    FaceError
        If the loss at a blow-up is finite, or tends to something else than its limits.
    """

    loss: sympy.Expr
    blow_up: tuple[sympy.Expr, ...] = ()
    late: sympy.Expr | None = None
    early: sympy.Expr | None = None
    reason: str = _WEIGHTS

    def __post_init__(self) -> None:
        for numbers in self._numbers():
            for flaw in self.flaws(numbers):
                raise FaceError(f"face {self.loss}: {flaw}; correct its formulas")

    def domain(self, parameters: Parameters) -> Domain:
        """The times between the blow-ups that are next to t = 0."""
        poles = [value(formula, parameters) for formula in self.blow_up]
        start = max((pole for pole in poles if pole < 0), default=-math.inf)
        stop = min((pole for pole in poles if pole > 0), default=math.inf)
        bounded = math.isfinite(start) or math.isfinite(stop)
        return Domain(start=start, stop=stop, reason=self.reason if bounded else "")

    def curve(self, parameters: Parameters) -> Curve:
        """The loss at given numbers.

        Parameters
        ----------
        parameters : mapping from str to Fraction

        Raises
        ------
        KeyError
            If a symbol has no value.
        """
        evaluator = Evaluator(self.loss, parameters)
        domain = self.domain(parameters)
        early = self._limit(self.early, parameters) if domain.start == -math.inf else None
        late = self._limit(self.late, parameters) if domain.stop == math.inf else None
        return Curve(
            evaluate=evaluator,
            domain=domain,
            precise=lambda t, digits: evaluator.precise(exact_time(t), digits),
            limits=(early, late),
        )

    def flaws(self, parameters: Parameters) -> Iterator[str]:
        """What contradicts itself at given numbers, in words.

        Parameters
        ----------
        parameters : mapping from str to Fraction
        """
        curve = self.curve(parameters)
        domain, (early, late) = curve.domain, curve.limits
        T = float(parameters.get("T", Fraction(1)))
        (start,) = curve.evaluate(np.zeros(1))
        for end in (domain.start, domain.stop):
            if math.isinf(end):
                continue
            inner, near, nearer = curve.evaluate(end * np.array([0.5, *(1 - d for d in _NEAR)]))
            if not (math.isfinite(inner) and abs(nearer) > 2 * abs(near)):
                yield f"does not grow towards its blow-up at t = {end:.6g}"
        for sign, limit in ((-1, early), (1, late)):
            if limit is None:
                continue
            (reached,) = curve.evaluate(np.array([sign * _LATE * T]))
            if not abs(reached - limit) <= _CLOSE * max(abs(start), abs(limit)):
                yield f"tends to {reached:.6g} and not to its limit {limit:.6g}"
        if not math.isfinite(start):
            yield "has no value at t = 0"

    @staticmethod
    def _limit(formula: sympy.Expr | None, parameters: Parameters) -> float | None:
        if formula is None:
            return None
        limit = value(formula, parameters)
        return None if math.isnan(limit) else limit

    def _numbers(self) -> Iterator[Parameters]:
        names = sorted({each.name for each in self.loss.free_symbols} - {"t", "T"})
        for variance in _VARIANCES:
            sizes = iter(_SIZES * len(names))
            yield {"T": Fraction(3, 2)} | {
                name: variance if name.startswith("sigma") else Fraction(next(sizes))
                for name in names
            }


def logistic_pole(start: sympy.Expr, rate: sympy.Expr | int) -> sympy.Expr:
    """When b' = cb(1 - b) with b > 1 at the start has been infinite.

    Parameters
    ----------
    start : sympy.Expr
        b at t = 0; where it is at most 1 the time has no real value.
    rate : sympy.Expr or int
        c, in the time t/T.
    """
    import sympy

    return symbol("T") * sympy.log(1 - 1 / start) / rate


Face = RegimeFormulas  # its former name
