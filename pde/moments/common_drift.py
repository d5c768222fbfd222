"""Particles that share one drift: the mean field as a change of scale and of time.

For the contracted loss l = theta a^nu / 2 - c, where a is the mean square and c the overlap with
the target, the drift of every particle is that of c alone minus nu theta a^{nu-1} u. Write
u = chi v, chi' = -nu theta a^{nu-1} chi, and let s be the time in which the overlap moves v. With
initial variance sigma^2, A(s) the mean square of v and C(s) its overlap at sigma = 1, and

    ds = sigma^{nu-2} chi^{nu-2} dtau,    a = w sigma^2 chi^2 A(s),    c = w sigma^nu chi^nu C(s),
    chi^{-nu} = 1 + g * (integral of A^{nu-1} from 0 to s),    g = nu^2 theta w^{nu-1} sigma^nu,

both the mean field and the time are integrals over s: the solution in closed form up to two
quadratures and one inversion. (nu^2 becomes nu if the nu coordinates of v have different colours.)

For gradient ascent, s < 0 and the bracket falls from 1. If it reaches 0 at a finite s*, the scale
chi and the loss blow up at a finite time. With I = integral of A^{nu-1} from -infinity to 0, this
happens if and only if g I > 1.

Here x = -s > 0 runs over many decades, so the integrals are taken in log(1 + x/scale).

>>> particle = FreeParticle(
...     order=4, scale=0.1, square=lambda s: 1 / (1 - s), overlap=lambda s: 1 / (1 - s) ** 2
... )
>>> round(particle.integral, 12)
0.5
>>> drift = MeanFieldClock(particle, coupling=1.0)
>>> drift.blow_up is None, MeanFieldClock(particle, coupling=4.0).blow_up is None
(True, False)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pde.numerics.antiderivative import Antiderivative

__all__ = ["FreeParticle", "MeanFieldClock"]

FloatArray = NDArray[np.float64]

_LONGEST = 1e25
"""The largest x/scale on the panels."""

_PANEL = 0.25
_GRADING = 50
"""Panels that halve towards a blow-up."""


@dataclass(frozen=True, eq=False)
class FreeParticle:
    """Mean square and overlap of the particles that move by the overlap alone, s <= 0.

    Parameters
    ----------
    order : int
        nu, at least 3.
    scale : float
        The size of -s at which they begin to change.
    square, overlap : callable
        A(s) and C(s), on arrays; A falls like a power of -s at least as fast as 1/|s|^{2/(nu-2)}.
    """

    order: int
    scale: float
    square: Callable[[FloatArray], FloatArray]
    overlap: Callable[[FloatArray], FloatArray]
    damping: Antiderivative = field(init=False)

    def __post_init__(self) -> None:
        end = np.log1p(_LONGEST)
        breaks = np.linspace(0.0, end, round(end / _PANEL) + 1)
        object.__setattr__(self, "damping", Antiderivative(self._integrand, breaks))

    def time(self, w: FloatArray) -> FloatArray:
        """The time s = -scale (exp(w) - 1)."""
        return np.asarray(-self.scale * np.expm1(w))

    def _integrand(self, w: FloatArray) -> FloatArray:
        power = self.square(self.time(w)) ** (self.order - 1)
        return np.asarray(power * self.scale * np.exp(w))

    @property
    def integral(self) -> float:
        """I, the integral of A^{nu-1} over all s < 0."""
        return self.damping.total


class MeanFieldClock:
    """The solution of the moment characteristics for gradient ascent, tau <= 0.

    Parameters
    ----------
    particle : FreeParticle
    coupling : float
        g; zero if the loss has no term theta a^nu / 2.
    """

    def __init__(self, particle: FreeParticle, *, coupling: float) -> None:
        self._particle = particle
        self._coupling = coupling
        damping = particle.damping
        breaks = damping.breaks
        self._end: float | None = None
        if coupling * particle.integral > 1:
            self._end = float(damping.inverse(np.array([1 / coupling]))[0])
            halves = self._end * (1 - 0.5 ** np.arange(1.0, _GRADING))
            before = breaks[breaks < self._end]
            breaks = np.unique(np.concatenate([before, halves, [self._end]]))
        self._clock = Antiderivative(self._clock_rate, breaks)

    @property
    def blow_up(self) -> float | None:
        """The time sigma^{nu-2} tau_crit < 0 of the blow-up, None if there is none."""
        return None if self._end is None else -self._clock.total

    @property
    def error(self) -> float:
        """Estimated error of sigma^{nu-2} tau."""
        return self._clock.error

    def _bracket(self, w: FloatArray) -> FloatArray:
        """chi^{-nu}, as a difference from its zero if it has one."""
        return np.asarray(np.maximum(1 - self._coupling * self._particle.damping(w), 0.0))

    def _clock_rate(self, w: FloatArray) -> FloatArray:
        nu = self._particle.order
        rate = self._bracket(w) ** ((nu - 2) / nu) * self._particle.scale * np.exp(w)
        return np.asarray(rate)

    def square_and_overlap(self, time: FloatArray) -> tuple[FloatArray, FloatArray]:
        """a/(w sigma^2) and c/(w sigma^nu) at the times sigma^{nu-2} tau <= 0.

        Times beyond the last panel (x/scale = 1e25) are continued with a constant chi.
        """
        particle, clock = self._particle, self._clock
        w = clock.inverse(np.minimum(-time, clock.total))
        bracket = self._bracket(w)
        s = particle.time(w)
        beyond = -time > clock.total
        if np.any(beyond):
            rest = (-time - clock.total) * bracket ** (-(particle.order - 2) / particle.order)
            s = np.where(beyond, s - rest, s)
        with np.errstate(divide="ignore"):
            growth = bracket ** (-1 / particle.order)
        return growth**2 * particle.square(s), growth**particle.order * particle.overlap(s)


Shape, SharedDrift = FreeParticle, MeanFieldClock  # former names
