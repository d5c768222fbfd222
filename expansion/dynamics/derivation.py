"""Effective dynamics of a regime: derived from the loss, certified by its exact coefficients.

`derive` takes a map of regimes and the name of one and finds, without knowing the model,

1. the *reduced potential*: the loss as a sum of products of cores (`expansion.dynamics.reduction`);
2. the *hierarchy*: how its cores move (`expansion.dynamics.hierarchy`), as far as it is needed;
3. the leading coefficients of the loss from the hierarchy (`expansion.dynamics.taylor`), for the
   cost of the cores and not of the diagrams;
4. the *certificate*: for which s they equal the leading parts of the exact coefficients.

Nothing is believed: where a coefficient differs the derivation is *refused*, with the reason, and
gives no number. First the cores are taken as numbers. If that is refused, those that fluctuate at
their own scale are taken as Gaussian at time zero and averaged over at the end.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> found = derive(regimes(cp(order=2), terms=5), "C-D")
>>> found.kind, found.certificate.matched
(<Closure.FINITE: 'finite'>, (0, 1, 2, 3, 4, 5))
>>> [str(coefficient) for coefficient in found.coefficients(3)]
['0', '-2*p*H*sigma2', '8*p*H**2*sigma2**2', '-8*p*H*sigma2 - 32*p*H**3*sigma2**3']

Source: ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial

from diagrams.arguments import instance, whole, word
from diagrams.diagram import Diagram
from diagrams.display import report
from diagrams.errors import BudgetExceededError, InvalidInputError
from diagrams.sums import DiagramSum
from diagrams.wick import Monomial
from expansion.cumulants import read_cumulant
from expansion.dynamics.averages import Account, Averages
from expansion.dynamics.hierarchy import CoreTerm, Dropped, GrowthError, Hierarchy, reached
from expansion.dynamics.particle import Closure, Particle, kind_of, particle_of, site_of
from expansion.dynamics.reduction import Coinciding, Separated
from expansion.dynamics.scales import LAST, Scales, Scaling
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.dynamics.taylor import SeriesTerm, gaussian_average, series_coefficients
from expansion.leading import leading_part
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regime, Regimes
from expansion.series import Budget, Progress, checked_budget
from expansion.series_exponents import SeriesExponents

__all__ = ["DerivationCertificate", "EffectiveDynamics", "RefusedError", "derive"]

DEFAULT_DIAGRAMS = 100_000
"""Without a budget a derivation stops after so many diagrams and keeps what it has."""

EXPLORED = 8
"""Derivatives after which a hierarchy that has not closed counts as infinite."""


class RefusedError(InvalidInputError):
    """The coefficients of a derivation differ from the exact ones, or it has none to compare."""

    code = "derivation-refused"


@dataclass(frozen=True, slots=True)
class DerivationCertificate:
    """Where the coefficients of a derivation equal the exact leading parts.

    Parameters
    ----------
    matched, failed : tuple of int
        The s that were compared.
    weight : int
        How many of the matched coefficients with s > 0 are not zero.
    doubtful : tuple of int, default ()
        The last s, if their exact leading parts are all smaller than the natural T would have them
        and the map does not decide what T is: for too large a T all later ones are too small.
    """

    matched: tuple[int, ...]
    failed: tuple[int, ...]
    weight: int
    doubtful: tuple[int, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all are equal, and not only because all vanish."""
        return not self.failed and not self.doubtful and self.weight > 0

    def __str__(self) -> str:
        if self.failed:
            return f"refused: differs at s = {', '.join(map(str, self.failed))}"
        if self.doubtful:
            return (
                "refused: the map does not decide the natural T, and with the one that it has the "
                f"solution leaves out s = {', '.join(map(str, self.doubtful))}"
            )
        if not self.weight:
            return "refused: no coefficient to compare with"
        return f"equal for s = {', '.join(map(str, self.matched))}"


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectiveDynamics:
    """The leading dynamics of a regime.

    Parameters
    ----------
    problem : Problem
    loss : str
        What is followed.
    regime : Regime
    potential : tuple of CoreTerm
        The reduced potential: the terms that move a core, without the normalisation of the loss;
        whole diagrams where the reduced ones do not show how the cores move.
    output : tuple of CoreTerm
        The leading part of what is followed, normalised, without what does not move.
    cores : tuple of (Diagram, Fraction)
        The cores that were reached with their dynamic scales, in the order they were met.
    kind : Closure
    depth : int or None
        How many derivatives of the output are known; None if the hierarchy closes.
    steps : tuple of Separated or Coinciding
        What was replaced by its mean, and what coincided.
    dropped : tuple of Dropped
        What was left out, and how far below the rest it is.
    random : tuple of Diagram
        Cores that are Gaussian at time zero; empty if all are numbers.
    order : Fraction
        The order of the output.
    rate_of_change : bool
        Whether the rate of change of the quantity is followed instead of itself.
    start : Polynomial
        Where the rate of change is followed, the leading part of the quantity at time zero.
    """

    problem: Problem
    loss: str
    regime: Regime
    potential: tuple[CoreTerm, ...]
    output: tuple[CoreTerm, ...]
    cores: tuple[tuple[Diagram, Fraction], ...]
    kind: Closure
    depth: int | None
    steps: tuple[Separated | Coinciding, ...]
    dropped: tuple[Dropped, ...]
    random: tuple[Diagram, ...]
    order: Fraction
    rate_of_change: bool
    start: Polynomial
    _hierarchy: Hierarchy = field(repr=False)
    _meter: _DerivationMeter = field(repr=False)
    _account: Account = field(repr=False)
    _exact: tuple[Polynomial, ...] = field(repr=False)

    def __str__(self) -> str:
        return report("dynamics", self)

    def __repr__(self) -> str:
        return f"<effective dynamics of {self.problem.title}, regime {self.regime.name}>"

    @cached_property
    def certificate(self) -> DerivationCertificate:
        """For which s the coefficients equal the exact leading parts, as far as both are known."""
        last = len(self._exact) - 1
        if self.depth is not None:
            last = min(last, self.depth)
        found = self._coefficients(last) if last >= 0 else ()
        matched: list[int] = []
        failed: list[int] = []
        late: list[int] = []
        weight = 0
        for s, value in enumerate(found):
            exact = self._dominant(s)
            if exact != value:
                failed.append(s)
            else:
                matched.append(s)
            if exact == value and len(self._exact[s]):
                late = [] if len(exact) else [*late, s]
            moves = s > 0 or self.rate_of_change
            weight += moves and exact == value and bool(len(value))
        # One of two, as in regimes where even and odd s differ, says nothing about T.
        doubtful = late if len(late) > 1 and not self.regime.decided else []
        matched = [s for s in matched if s not in doubtful]
        return DerivationCertificate(tuple(matched), tuple(failed), weight, tuple(doubtful))

    def leads(self, s: int) -> bool:
        """Whether the exact coefficient of s is as large as the order of the dynamics asks.

        In a regime whose vertices differ for even and odd s one of them is of lower order: the sum
        of the leading series does not see it.

        Raises
        ------
        InvalidInputError
            If the coefficient is not known.
        """
        if not 0 <= s < len(self._exact):
            raise InvalidInputError(
                f"coefficient of s = {s}: {len(self._exact)} are known; expand more terms"
            )
        return bool(len(self._dominant(s)))

    def _dominant(self, s: int) -> Polynomial:
        scaling = self._hierarchy.scales.scaling
        least = self.order + s * self.time
        return scaling.from_order(dict(self._exact[s]), least)

    def coefficients(self, last: int, *, diagrams: int | None = None) -> tuple[Polynomial, ...]:
        """The leading parts of Y_0 ... Y_last, without the pure-target term.

        Where the regime's leading part of Y_s is of lower order than its natural time would give
        it, the coefficient is zero.

        Parameters
        ----------
        last : int
        diagrams : int, optional
            Limit on the diagrams met now, instead of that of the derivation.

        Raises
        ------
        RefusedError
            If the certificate does not hold.
        BudgetExceededError
            If the hierarchy is not closed and is not known that far.
        """
        if last < 0:
            raise InvalidInputError(
                f"coefficients up to Y_{last}: s counts time derivatives; give 0 or more"
            )
        self.require_certificate()
        return self._coefficients(last, diagrams)

    def loss_coefficients(self, last: int) -> tuple[Polynomial, ...]:
        """The leading parts of Y_0 ... Y_last also where the rate of change is followed.

        Raises
        ------
        RefusedError, BudgetExceededError
            See `coefficients`.
        """
        if not self.rate_of_change:
            return self.coefficients(last)
        return (self.start, *(self.coefficients(last - 1) if last else ()))

    @property
    def loss_certificate(self) -> DerivationCertificate:
        """The certificate by the s of the quantity, also where the rate of change is followed."""
        own, shift = self.certificate, int(self.rate_of_change)
        groups = (own.matched, own.failed, own.doubtful)
        matched, failed, doubtful = (tuple(s + shift for s in group) for group in groups)
        return replace(own, matched=matched, failed=failed, doubtful=doubtful)

    def require_certificate(self) -> None:
        """Raise `RefusedError` unless the certificate holds."""
        if not self.certificate.holds:
            raise RefusedError(
                f"effective dynamics of regime {self.regime.name}: {self.certificate}; use the "
                "exact coefficients"
            )

    def closed_system(self) -> PolynomialSystem:
        """The closed system of differential equations of a finite hierarchy.

        Raises
        ------
        RefusedError
            If the certificate does not hold.
        InvalidInputError
            If the hierarchy is not finite.

        Notes
        -----
        A core that is Gaussian at time zero has its deviation, a symbol ``g_k`` of mean zero, in
        its initial value; `covariance` belongs to it.
        """
        self.require_certificate()
        if self.kind is not Closure.FINITE:
            raise InvalidInputError(
                f"system of regime {self.regime.name}: its hierarchy is {self.kind.value}, not "
                "finite; use its coefficients"
            )
        place = self._places
        return PolynomialSystem(
            variables=tuple(f"c_{number + 1}" for number in range(len(self.cores))),
            rates=tuple(_system_terms(self._hierarchy.rate(core), place) for core, _ in self.cores),
            initial=tuple(self.initial(core) for core, _ in self.cores),
            output=_system_terms(self.output, place),
        )

    def particle(self) -> Particle:
        """The particle of a one-site hierarchy, from which contracted losses are built.

        Raises
        ------
        RefusedError
            If the certificate does not hold.
        InvalidInputError
            If not all cores are on one site.
        """
        self.require_certificate()
        terms = (*self.potential, *self.output)
        site = site_of([*self._places, *_cores_of(terms)])
        if site is None:
            raise InvalidInputError(
                f"particle of regime {self.regime.name}: its cores are not all on one site; use "
                "its coefficients"
            )
        return particle_of(
            self.potential,
            self.output,
            self.problem.dynamics,
            site=site,
            rate=self.rate,
            representative=self.representative,
        )

    def representative(self, core: Diagram) -> Diagram:
        """The core of the list that stands for one up to exchangeable tensors."""
        return self._hierarchy.scales.averages.representative(core)

    @cached_property
    def inner(self) -> frozenset[Diagram]:
        """The cores whose derivatives are known."""
        if self.depth is None:
            return frozenset(core for core, _ in self.cores)
        if not self.depth:
            return frozenset()
        return frozenset(reached(self._hierarchy, _cores_of(self.output), self.depth - 1))

    def rate(self, core: Diagram) -> tuple[CoreTerm, ...]:
        """dc/dtau of a core, normalised."""
        return self._hierarchy.rate(core)

    def initial(self, core: Diagram) -> Polynomial:
        """The leading part of a core at time zero, with ``g_k`` where it fluctuates."""
        value = self._hierarchy.initial(core)
        if core in self.random:
            value += Polynomial({((f"g_{self.random.index(core) + 1}", 1),): 1})
        return value

    @cached_property
    def covariance(self) -> dict[tuple[str, str], Polynomial]:
        """The covariances of the symbols ``g_k``."""
        return {
            (f"g_{i + 1}", f"g_{j + 1}"): self._hierarchy.covariance(first, second)
            for i, first in enumerate(self.random)
            for j, second in enumerate(self.random)
        }

    @property
    def skipped(self) -> bool:
        """Whether a diagram of the potential stayed whole because it is too large."""
        return self._hierarchy.potential_reduction.skipped

    @property
    def time(self) -> Fraction:
        """By how much the order of the coefficients grows with every s."""
        return _order_of_time(self._hierarchy, self.problem)

    @cached_property
    def _places(self) -> dict[Diagram, int]:
        return {core: number for number, (core, _) in enumerate(self.cores)}

    @property
    def scales(self) -> Scales:
        """The means and covariances that the hierarchy rests on, and their orders."""
        return self._hierarchy.scales

    def numbered(
        self, last: int, *, diagrams: int | None = None
    ) -> tuple[
        tuple[Diagram, ...], list[SeriesTerm], dict[int, list[SeriesTerm]], list[Polynomial]
    ]:
        """The hierarchy as far as it is needed up to Y_last, with a number for every core.

        Parameters
        ----------
        last : int
        diagrams : int, optional
            Limit on the diagrams met from now on, instead of that of the derivation.

        Returns
        -------
        tuple
            The cores, the output, the derivatives of the cores that have one, the initial values.

        Raises
        ------
        RefusedError, BudgetExceededError
            As `coefficients`.
        """
        self.require_certificate()
        return self._numbered(last, diagrams)

    def _numbered(
        self, last: int, diagrams: int | None
    ) -> tuple[
        tuple[Diagram, ...], list[SeriesTerm], dict[int, list[SeriesTerm]], list[Polynomial]
    ]:
        self.scales.averages.account = self._account
        self._meter.restarted(diagrams)
        cores, output, rates = _with_numbers(self._hierarchy, self.output, last)
        return cores, output, rates, [self.initial(core) for core in cores]

    def _coefficients(self, last: int, diagrams: int | None = None) -> tuple[Polynomial, ...]:
        _, output, rates, initial = self._numbered(last, diagrams)
        found = series_coefficients(
            last, output=output, rates=rates, initial=initial, tick=self.scales.averages.tick
        )
        return tuple(gaussian_average(value, self.covariance) for value in found)


def derive(
    regime_set: Regimes,
    name: str,
    *,
    loss: str | None = None,
    rate_of_change: bool | None = False,
    terms: int | None = None,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
    averages: Averages | None = None,
) -> EffectiveDynamics:
    """The effective dynamics of a regime.

    Parameters
    ----------
    regime_set : Regimes
        The map of a problem; its coefficients are what the certificate compares with.
    name : str
        A regime of it.
    loss : str, optional
        What is followed along the flow; without it what the map is of.
    rate_of_change : bool, default False
        Follow its rate of change -L ⋆ P instead, of which the coefficients are Y_1, Y_2, ...: this
        sees a change of lower order than the loss itself. None follows it where the loss itself
        has no certificate.
    terms : int, optional
        How many derivatives of the hierarchy are explored; without it `EXPLORED`.
    budget : Budget, optional
        Limits on the work. Without one, a derivation that meets too many diagrams keeps what it
        has.
    progress : callable, optional
        Called with a `Progress` while the engine works.
    averages : Averages, optional
        Tables of means from another regime of the same problem.

    Raises
    ------
    InvalidInputError
        If the map is of bare coefficients, it follows no gradient flow, or there is no such regime
        or loss.
    GrowthError
        If cores leave their scales.
    BudgetExceededError
        If the budget does not suffice for the reduced potential.
    """
    if rate_of_change is None:
        again = partial(
            derive,
            regime_set,
            name,
            loss=loss,
            terms=terms,
            budget=budget,
            progress=progress,
            averages=averages,
        )
        return _first_certified(partial(again, rate_of_change=rate) for rate in (False, True))
    instance(regime_set, Regimes, "map", remedy="make one, as regimes(problem)")
    meter = _DerivationMeter(budget, progress)
    explored = EXPLORED if terms is None else whole(terms, "terms", least=1)
    if averages is not None:
        instance(averages, Averages, "averages", remedy="take those of another derivation")
    problem, followed = _what_is_followed(regime_set, loss)
    regime = regime_set[name]
    first, *moving = _exact(regime_set, problem, followed, budget)
    target = _followed(problem, followed, rate_of_change=rate_of_change)
    tables = averages or Averages(problem.dynamics.generator, target.diagrams)
    wanted = _Wanted(
        problem,
        target,
        regime,
        exact=tuple(moving) if rate_of_change else (first, *moving),
        start=first if rate_of_change else Polynomial(),
        explored=explored,
    )
    refuted: dict[bool, tuple[CoreTerm, ...]] = {}

    def tried(attempt: _Attempt) -> EffectiveDynamics:
        # Exchangeable cores have equal means, but each fluctuates for itself.
        table = tables.apart if attempt.fluctuating else tables
        account = table.account = Account(meter.restarted().tick)
        return _derived(wanted, table, attempt, refuted, meter, account)

    found = _first_certified(partial(tried, attempt) for attempt in _ATTEMPTS)
    return _seen_from_far(found, partial(tried, _FROM_FAR))


def _what_is_followed(regime_set: Regimes, loss: str | None) -> tuple[Problem, str]:
    """The problem of a map and the name of what is followed, where cores can follow it."""
    problem = regime_set.exponents.problem
    if problem is None:
        raise InvalidInputError(
            "effective dynamics: needs the diagrams of a problem, and this map is of bare "
            "coefficients; give regimes(problem)"
        )
    if problem.drive.step:
        raise InvalidInputError(
            f"effective dynamics of {problem.title}: cores move in continuous time; leave out the "
            "step, or use the coefficients"
        )
    followed = (
        (regime_set.exponents.loss or problem.loss_name) if loss is None else word(loss, "loss")
    )
    if read_cumulant(followed)[1] > 1:
        raise InvalidInputError(
            f"effective dynamics of {followed[:60]}: cores move as means, and their fluctuations "
            "give cumulants (pde.variance); derive the mean"
        )
    return problem, followed


def _first_certified(attempts: Iterable[Callable[[], EffectiveDynamics]]) -> EffectiveDynamics:
    """The first derivation whose certificate holds, or else the first one at all.

    Raises
    ------
    GrowthError
        That of the first attempt, if none comes to an end.
    """
    refuted: EffectiveDynamics | None = None
    refused: GrowthError | None = None
    for attempt in attempts:
        try:
            result = attempt()
        except GrowthError as error:
            refused = refused or error
            continue
        except BudgetExceededError:
            if refuted is None and refused is None:
                raise
            # What is known to be wrong is told, not that more could be tried.
            break
        if result.certificate.holds:
            return result
        refuted = refuted or result
    if refuted is not None:
        return refuted
    assert refused is not None  # each attempt ended, or was refused
    raise refused


def _seen_from_far(
    found: EffectiveDynamics, attempt: Callable[[], EffectiveDynamics]
) -> EffectiveDynamics:
    """A derivation, or one that looks at larger diagrams if that closes what is open."""
    if found.kind is not Closure.OPEN or not found.skipped:
        return found
    try:
        other = attempt()
    except (GrowthError, BudgetExceededError):
        return found
    return other if other.kind is not Closure.OPEN and other.certificate.holds else found


@dataclass(frozen=True, slots=True)
class _Attempt:
    """How a derivation is tried, see `expansion.dynamics.hierarchy.Hierarchy`."""

    fluctuating: bool = False
    whole: bool = False
    moving: bool = False
    derivatives: int = LAST
    far: bool = False


_ATTEMPTS = (
    _Attempt(),
    _Attempt(fluctuating=True),
    _Attempt(whole=True),
    _Attempt(moving=True),
    _Attempt(fluctuating=True, moving=True),
    _Attempt(derivatives=2 * LAST),
)
"""From the least work to the most; the first whose certificate holds is taken."""

_FROM_FAR = _Attempt(far=True)
"""Where the first one leaves a potential whole that does not close, and is too large for it."""


@dataclass(frozen=True, slots=True)
class _Followed:
    """The quantity: its name, its diagrams, and the factor in front of them."""

    name: str
    diagrams: DiagramSum
    normalisation: Monomial
    rate_of_change: bool


def _followed(problem: Problem, name: str, *, rate_of_change: bool) -> _Followed:
    quantity = problem.quantity(name)
    if not rate_of_change:
        return _Followed(name, quantity.diagrams, quantity.normalisation, False)
    driven = problem.dynamics
    both = Polynomial({quantity.normalisation: 1}) * Polynomial({driven.normalisation: 1})
    ((normalisation, _),) = both
    return _Followed(name, driven.generator.applied(quantity.diagrams), normalisation, True)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is derived: the dynamics of a quantity in a regime, and the exact coefficients of it."""

    problem: Problem
    followed: _Followed
    regime: Regime
    exact: tuple[Polynomial, ...]
    start: Polynomial
    explored: int

    def dominant(self, hierarchy: Hierarchy, order: Fraction) -> tuple[Polynomial, ...]:
        """The parts of the exact coefficients that are of the order of the dynamics."""
        time = _order_of_time(hierarchy, self.problem)
        return tuple(
            hierarchy.scales.scaling.from_order(dict(coefficient), order + s * time)
            for s, coefficient in enumerate(self.exact)
        )

    @property
    def exponents(self) -> dict[str, Fraction]:
        """Those of all symbols at the scaling of the regime."""
        regime = self.regime
        return {n: Fraction(a) for n, a in zip(regime.symbols, regime.scaling, strict=True)}


def _derived(
    wanted: _Wanted,
    averages: Averages,
    attempt: _Attempt,
    refuted: dict[bool, tuple[CoreTerm, ...]],
    meter: _DerivationMeter,
    account: Account,
) -> EffectiveDynamics:
    """The dynamics that one attempt gives, whether its certificate holds or not."""
    hierarchy = _hierarchy(wanted, averages, attempt, refuted)
    output = _output(wanted, hierarchy)
    order = _order(hierarchy, output)
    # Gaussian cores are averaged over in the end, which is left to the certificate.
    compared = () if attempt.fluctuating else wanted.dominant(hierarchy, order)
    depths, depth = _explored(hierarchy, output, wanted.explored, compared)
    known = [core for core, level in depths.items() if depth is None or level < depth]
    random = tuple(
        core for core in depths if attempt.fluctuating and len(hierarchy.covariance(core, core))
    )
    return EffectiveDynamics(
        problem=wanted.problem,
        loss=wanted.followed.name,
        regime=wanted.regime,
        potential=tuple(term for term in hierarchy.acting if term.cores),
        output=output,
        cores=tuple((core, hierarchy.scale(core) or Fraction(0)) for core in depths),
        kind=_kind(wanted.problem, depths, attempt, closed=depth is None),
        depth=depth,
        steps=(*hierarchy.potential_reduction.steps, *hierarchy.reduction.steps),
        dropped=tuple(hierarchy.dropped) if known else (),
        random=random,
        order=order,
        rate_of_change=wanted.followed.rate_of_change,
        start=leading_part(wanted.start, wanted.exponents),
        _hierarchy=hierarchy,
        _meter=meter,
        _account=account,
        _exact=wanted.exact,
    )


def _hierarchy(
    wanted: _Wanted,
    averages: Averages,
    attempt: _Attempt,
    refuted: dict[bool, tuple[CoreTerm, ...]],
) -> Hierarchy:
    """The hierarchy of cores; an error where its potential is one that is refuted already."""
    regime, exponents = wanted.regime, wanted.exponents
    normalisation = wanted.problem.dynamics.normalisation
    time = sum((exponents.get(n, Fraction(0)) * k for n, k in regime.natural_time), Fraction(0))
    scaling = Scaling(exponents, time - Scaling(exponents, time).order(normalisation))
    hierarchy = Hierarchy(
        Scales(averages, scaling, derivatives=attempt.derivatives),
        averages.potential,
        normalisation,
        fluctuating=attempt.fluctuating,
        whole=attempt.whole,
        moving=attempt.moving,
        far=attempt.far,
    )
    if attempt.moving and hierarchy.potential == refuted.get(attempt.fluctuating):
        raise GrowthError(f"regime {regime.name}: moving blocks change nothing of its potential")
    if not attempt.whole:
        refuted[attempt.fluctuating] = hierarchy.potential
    return hierarchy


def _output(wanted: _Wanted, hierarchy: Hierarchy) -> tuple[CoreTerm, ...]:
    """The leading terms of the quantity that depend on weights."""
    followed = wanted.followed
    products = {
        product: c
        for product, c in hierarchy.followed(followed.diagrams).items()
        if any(tensor.is_learnable for core in product[0] for tensor in core.tensors)
    }
    leading = hierarchy.leading(products, "output")
    factor = Polynomial({followed.normalisation: 1})
    if not leading:
        raise GrowthError(
            f"regime {wanted.regime.name}: nothing of {followed.name} has a scale; use the exact "
            "coefficients"
        )
    return tuple(CoreTerm(term.coefficient * factor, term.cores) for term in leading)


def _kind(
    problem: Problem, cores: Iterable[Diagram], attempt: _Attempt, *, closed: bool
) -> Closure:
    """The kind of the cores; a particle needs a potential on its site and is moved by it alone."""
    kind, drive = kind_of(cores, closed=closed), problem.drive
    if kind is Closure.ONE_SITE and (attempt.whole or drive.temperature or drive.momentum):
        return Closure.OPEN
    return kind


def _explored(
    hierarchy: Hierarchy,
    output: tuple[CoreTerm, ...],
    most: int,
    compared: Sequence[Polynomial],
) -> tuple[dict[Diagram, int], int | None]:
    """Cores by depth, and how many derivatives are known; None if the hierarchy closes.

    Where a coefficient is not the exact one that it is compared with, nothing further is explored:
    the certificate will not hold.
    """
    start = _cores_of(output)
    depths = dict.fromkeys(start, 0)
    if compared and _plain_coefficients(hierarchy, output, 0)[0] != compared[0]:
        return depths, 0
    for level in range(most):
        try:
            further = reached(hierarchy, start, level + 1)
        except BudgetExceededError:
            return depths, level
        if max(further.values(), default=0) <= level:
            return further, None
        depths = further
        if level + 1 < min(most, len(compared)):
            found = _plain_coefficients(hierarchy, output, level + 1)
            if found[level + 1] != compared[level + 1]:
                return depths, level + 1
    return depths, most


def _plain_coefficients(
    hierarchy: Hierarchy, output: tuple[CoreTerm, ...], last: int
) -> tuple[Polynomial, ...]:
    """The coefficients of a hierarchy of numbers, as far as it is explored."""
    cores, terms, rates = _with_numbers(hierarchy, output, last)
    initial = [hierarchy.initial(core) for core in cores]
    return series_coefficients(last, output=terms, rates=rates, initial=initial)


def _with_numbers(
    hierarchy: Hierarchy, output: tuple[CoreTerm, ...], last: int
) -> tuple[tuple[Diagram, ...], list[SeriesTerm], dict[int, list[SeriesTerm]]]:
    """The cores up to a derivative, and output and rates in terms of their numbers."""
    depths = reached(hierarchy, _cores_of(output), last)
    place = {core: number for number, core in enumerate(depths)}

    def converted(terms: tuple[CoreTerm, ...]) -> list[SeriesTerm]:
        return [(t.coefficient, tuple(sorted(place[c] for c in t.cores))) for t in terms]

    rates = {
        place[core]: converted(hierarchy.rate(core))
        for core, level in depths.items()
        if level < last
    }
    return (*depths,), converted(output), rates


def _order_of_time(hierarchy: Hierarchy, problem: Problem) -> Fraction:
    scaling = hierarchy.scales.scaling
    return scaling.time + scaling.order(problem.dynamics.normalisation)


def _order(hierarchy: Hierarchy, output: tuple[CoreTerm, ...]) -> Fraction:
    orders = [
        hierarchy.order((term.cores, powers)) for term in output for powers, _ in term.coefficient
    ]
    return max(order for order in orders if order is not None)


def _cores_of(terms: tuple[CoreTerm, ...]) -> list[Diagram]:
    return sorted({core for term in terms for core in term.cores})


def _system_terms(terms: tuple[CoreTerm, ...], place: dict[Diagram, int]) -> tuple[SystemTerm, ...]:
    result = []
    for term in terms:
        powers: dict[int, int] = {}
        for core in term.cores:
            powers[place[core]] = powers.get(place[core], 0) + 1
        result.append(SystemTerm(term.coefficient, tuple(sorted(powers.items()))))
    return tuple(result)


def _exact(
    regime_set: Regimes, problem: Problem, followed: str, budget: Budget | None
) -> tuple[Polynomial, ...]:
    """The exact coefficients of what is followed, without the pure-target term."""
    own = regime_set.exponents.loss or problem.loss_name
    if followed == own:
        return regime_set.exponents.coefficients

    def stopped(reason: BaseException) -> None:
        if not isinstance(reason, BudgetExceededError):
            raise reason

    return SeriesExponents.of_problem(
        problem,
        loss=followed,
        terms=regime_set.exponents.last,
        stopped=stopped,
        budget=budget or Budget(diagrams=DEFAULT_DIAGRAMS),
    ).coefficients


class _DerivationMeter:
    """Counts diagrams, reports them and stops the work when a budget is used up."""

    def __init__(self, budget: Budget | None, progress: Callable[[Progress], None] | None) -> None:
        checked = checked_budget(budget, progress)
        self._budget = Budget(diagrams=DEFAULT_DIAGRAMS) if budget is None else checked
        self._progress = progress
        self._limit = self._budget.diagrams
        self._diagrams = 0
        self._started = time.perf_counter()

    def restarted(self, diagrams: int | None = None) -> _DerivationMeter:
        """The same meter, counting from zero, up to another limit if one is given."""
        self._limit = self._budget.diagrams if diagrams is None else diagrams
        self._diagrams = 0
        self._started = time.perf_counter()
        return self

    def tick(self, added: int) -> None:
        self._diagrams += added
        seconds = time.perf_counter() - self._started
        limits = (
            ("diagrams", self._limit, self._diagrams),
            ("seconds", self._budget.seconds, seconds),
        )
        for what, limit, spent in limits:
            if limit is not None and spent > limit:
                raise BudgetExceededError(
                    f"budget: the derivation needs more than {limit:g} {what}; raise it or ask "
                    "for fewer terms"
                )
        if self._progress is not None:
            self._progress(Progress(0, self._diagrams, seconds))


Certificate = DerivationCertificate  # its former name
