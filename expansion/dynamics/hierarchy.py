"""The hierarchy of cores: how the cores of a reduced potential move.

Let the potential be a sum of terms, each a coefficient times a product of cores. By the product
rule the flow moves a core c by

    dc/dtau  =  - sum over terms, over cores c' of a term, of
                (the term without c') * (the merger of c and c', reduced),

and a temperature adds the second derivatives of c, inertia those by the velocities of the weights,
see `diagrams.generator`. Of these products
those of order sigma(c) + alpha_T are kept. Lower ones are negligible. A higher one
would mean that a whole diagram, or alpha_T, was chosen wrongly: it is reported, never dropped.
Cores are reduced when they are first asked for; nothing is done for those that are not.

The potential itself is reduced first, by its own size. Where a part of it that is small, or zero on
average, moves the cores more than its largest part does, that would lose it; its diagrams may then
stay *whole*, and what they merge to is reduced: more work, and nothing is lost.

>>> from expansion.models import cp
>>> from expansion.dynamics.averages import Averages
>>> from expansion.dynamics.scales import Scaling
>>> problem = cp(order=2)
>>> scaling = Scaling({"p": Fraction(1), "H": Fraction(2), "sigma2": Fraction(-2)}, Fraction(0))
>>> hierarchy = Hierarchy(Scales(Averages(problem.loss), scaling), problem.loss)
>>> [len(term.cores) for term in hierarchy.potential]
[0, 1, 2]
>>> overlap = hierarchy.potential[1].cores[0]
>>> for term in hierarchy.rate(overlap):
...     print(term.coefficient, "*", ", ".join(str(core).split("; ")[-1] for core in term.cores))
2 * U1(H0,p0)^2
-2*p**-1 * U1(H0,p0)^2, U1(H0,p0) U2(H0,p0)

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from diagrams.arguments import brief
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.generator import at_rest, is_velocity
from diagrams.sums import DiagramSum
from diagrams.wick import Monomial
from expansion.dynamics.reduction import Product, Reduction
from expansion.dynamics.scales import Scales, times
from expansion.polynomial import Polynomial

__all__ = ["CoreTerm", "Dropped", "GrowthError", "Hierarchy", "collected", "reached"]


MAXIMAL_CORE_FACTORS = 12
"""Scales of cores with more factors come from the hierarchy instead of whole diagrams."""

MERGE_WORK = 4
"""The cost of a diagram of a merger, in diagrams of an average."""


class GrowthError(InvalidInputError):
    """A core would leave its dynamic scale: the regime is not described by these cores."""

    code = "growth"


@dataclass(frozen=True, slots=True)
class CoreTerm:
    """A coefficient times a product of cores.

    Parameters
    ----------
    coefficient : Polynomial
        In the symbols of the problem.
    cores : tuple of Diagram
        Sorted, repeated for powers.
    """

    coefficient: Polynomial
    cores: tuple[Diagram, ...]

    def __repr__(self) -> str:
        return f"<CoreTerm {brief(self)}>"

    def __str__(self) -> str:
        factor = f"({self.coefficient})" if len(self.coefficient) > 1 else str(self.coefficient)
        return " ".join([factor, *(f"[{core}]" for core in self.cores)])


@dataclass(frozen=True, slots=True)
class Dropped:
    """A product of lower order than what it was added to.

    Parameters
    ----------
    where : str
        "output", or the text of the core whose derivative it was found in.
    term : CoreTerm
    order, leading : Fraction
        Its order and the order that is kept.
    core : Diagram, optional
        The core whose derivative it was found in.
    """

    where: str
    term: CoreTerm
    order: Fraction
    leading: Fraction
    core: Diagram | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.term} dropped, order {self.order} below {self.leading}"


class Hierarchy:
    """Cores and their derivatives under one scaling, found when they are asked for.

    Parameters
    ----------
    scales : Scales
        Its scaling's time is that of the normalised loss less the order of the normalisation.
    potential : DiagramSum
        What drives the flow, without its normalisation; its rates are those of the averages.
    normalisation : Monomial, default ()
    fluctuating : bool, default False
        Whether the scale of a core counts its standard deviation at time zero too.
    whole : bool, default False
        Whether the diagrams of the potential stay whole.
    moving : bool, default False
        Whether the rates of change of what is replaced by its mean have to be concentrated too.
    far : bool, default False
        Whether coincidences of larger diagrams of the potential are looked for.

    Attributes
    ----------
    reduction : Reduction
    dropped : list of Dropped
    whole : bool
    """

    def __init__(
        self,
        scales: Scales,
        potential: DiagramSum,
        normalisation: Monomial = (),
        *,
        fluctuating: bool = False,
        whole: bool = False,
        moving: bool = False,
        far: bool = False,
    ) -> None:
        self.scales = scales
        self.fluctuating = fluctuating
        self.whole = whole
        self.reduction = Reduction(scales, moving=moving)
        self.potential_reduction = Reduction(scales, labelled=True, moving=moving, far=far)
        self.dropped: list[Dropped] = []
        self._normalisation = normalisation
        self._products: dict[Product, Fraction] = (
            {((diagram,), ()): c for diagram, c in potential}
            if whole
            else _reduced(potential, self.potential_reduction)
        )
        self._acting: set[Product] = set()
        self._rates: dict[Diagram, tuple[CoreTerm, ...]] = {}
        self._orders: dict[tuple[Diagram, int], Fraction | None] = {}
        self._scales: dict[Diagram, Fraction | None] = {}

    @property
    def potential(self) -> tuple[CoreTerm, ...]:
        """All products of the reduced potential, those of lower order included."""
        return collected(self._products)

    @property
    def acting(self) -> tuple[CoreTerm, ...]:
        """The products of the reduced potential that move a core whose rate is known."""
        return collected({k: c for k, c in self._products.items() if k in self._acting})

    def reduced(self, total: DiagramSum) -> dict[Product, Fraction]:
        """A sum of diagrams as a sum of products of cores."""
        return _reduced(total, self.reduction)

    def followed(self, total: DiagramSum) -> dict[Product, Fraction]:
        """The quantity along the flow, reduced as carefully as the potential."""
        representative = self.scales.averages.representative
        result: dict[Product, Fraction] = {}
        for (cores, sizes), c in _reduced(total, self.potential_reduction).items():
            key = tuple(sorted(representative(core) for core in cores)), sizes
            result[key] = result.get(key, Fraction(0)) + c
        return {product: c for product, c in result.items() if c}

    def scale(self, core: Diagram) -> Fraction | None:
        """The dynamic scale of a core."""
        if core not in self._scales:
            if len(core.factors) > MAXIMAL_CORE_FACTORS:
                scale = self._extended(core)
            else:
                scale = self.scales.of(core)
            if self.fluctuating:
                spread = self._spread(core)
                if spread is not None:
                    scale = spread / 2 if scale is None else max(scale, spread / 2)
            self._scales[core] = scale
        return self._scales[core]

    def _spread(self, core: Diagram) -> Fraction | None:
        """The order of the variance of a core, None if it does not vary.

        With velocities, which vanish at time zero, that of its first derivative without any.
        """
        scaling, averages = self.scales.scaling, self.scales.averages
        still = sum(is_velocity(tensor) for tensor, _ in core.factors)
        total = DiagramSum({core: 1})
        for _ in range(still):
            total = averages.generator.applied(total)
            averages.tick(MERGE_WORK * len(total))
        orders = (scaling.top(self.scales.fluctuation(d, d)) for d, _ in at_rest(total))
        best = max((order for order in orders if order is not None), default=None)
        return None if best is None else best - 2 * still * scaling.time

    def _extended(self, core: Diagram) -> Fraction | None:
        """The scale of a core with many factors, from the derivatives of the hierarchy itself."""
        best = self._order_at(core, 0)
        for s in range(1, self.scales.least + 1):
            if s > self.scales.averages.period and best is not None:
                break
            order = self._order_at(core, s)
            if order is not None:
                order -= s * self.scales.scaling.time
                best = order if best is None else max(best, order)
        return best

    def _order_at(self, core: Diagram, s: int) -> Fraction | None:
        """The order of the s-th derivative of a core at time zero."""
        key = core, s
        if key not in self._orders:
            if s == 0:
                self._orders[key] = self.scales.scaling.top(self.scales.averages.mean(core))
            else:
                products = {product for _, product, _ in self._derivative(core)}
                found = [self._product_order(product, s - 1) for product in products]
                self._orders[key] = max((o for o in found if o is not None), default=None)
        return self._orders[key]

    def _product_order(self, product: Product, s: int) -> Fraction | None:
        """The order of the s-th derivative of a product at time zero, by the rule of Leibniz."""
        cores, powers = product
        best: list[Fraction | None] = [self.scales.scaling.order(powers), *[None] * s]
        for core in cores:
            own = [self._order_at(core, k) for k in range(s + 1)]
            best = [
                max(
                    (
                        a + b
                        for k in range(total + 1)
                        if (a := best[k]) is not None and (b := own[total - k]) is not None
                    ),
                    default=None,
                )
                for total in range(s + 1)
            ]
        return best[s]

    def covariance(self, first: Diagram, second: Diagram) -> Polynomial:
        """The part of the covariance of two cores at time zero that is of their own scale."""
        a, b = self.scale(first), self.scale(second)
        if a is None or b is None:
            return Polynomial()
        return self.scales.scaling.leading(self.scales.fluctuation(first, second), a + b)

    def initial(self, core: Diagram) -> Polynomial:
        """The leading part of the mean of a core at time zero, zero if it is below its scale."""
        scale = self.scale(core)
        if scale is None:
            return Polynomial()
        return self.scales.scaling.leading(self.scales.averages.mean(core), scale)

    def order(self, product: Product) -> Fraction | None:
        """The order of a product, None if one of its cores has no scale."""
        cores, powers = product
        total = self.scales.scaling.order(powers)
        for core in cores:
            scale = self.scale(core)
            if scale is None:
                return None
            total += scale
        return total

    def leading(self, products: Mapping[Product, Fraction], where: str) -> tuple[CoreTerm, ...]:
        """The products of largest order; the others are recorded as dropped."""
        orders = {product: self.order(product) for product in products}
        top = max((order for order in orders.values() if order is not None), default=None)
        if top is None:
            return ()
        kept = {}
        for product, c in products.items():
            order = orders[product]
            if order == top:
                kept[product] = c
            elif order is not None:
                self._drop(where, product, c, order, top)
        return collected(kept)

    def rate(self, core: Diagram) -> tuple[CoreTerm, ...]:
        """dc/dtau of a core.

        Raises
        ------
        GrowthError
            If something in it is of higher order than the core's scale allows.
        """
        if core not in self._rates:
            self._rates[core] = self._rate(core)
        return self._rates[core]

    def _rate(self, core: Diagram) -> tuple[CoreTerm, ...]:
        allowed = self.scale(core)
        if allowed is None:
            return ()
        allowed += self.scales.scaling.time
        kept: dict[Product, Fraction] = {}
        total: dict[Product, Fraction] = {}
        for source, product, c in self._derivative(core):
            total[product] = total.get(product, Fraction(0)) + c
            if source is not None and self.order(product) == allowed:
                self._acting.add(source)
        for product, c in total.items():
            if not c:
                continue
            order = self.order(product)
            if order is None or order < allowed:
                if order is not None:
                    self._drop(str(core), product, c, order, allowed, core)
                continue
            if order > allowed:
                raise GrowthError(
                    f"core {core}: grows beyond its scale, {collected({product: c})[0]} has the "
                    f"order {order}, {allowed} is allowed; later coefficients may end this "
                    "regime: expand more terms"
                )
            key = product[0], times(product[1], self._normalisation)
            kept[key] = kept.get(key, Fraction(0)) + c
        return collected(kept)

    def _derivative(self, core: Diagram) -> Iterator[tuple[Product | None, Product, Fraction]]:
        """Products in dc/dtau, with the product of the potential they come from, if they do."""
        noise = self.scales.averages.generator.noise(DiagramSum({core: 1}))
        self.scales.averages.tick(MERGE_WORK * len(noise))
        for product, weight in self.reduced(noise).items():
            yield None, product, weight
        moves = self.scales.averages.generator.moved(core)
        representative = self.scales.averages.representative
        for source, c in self._products.items():
            cores, sizes = source
            for other, power in Counter(cores).items():
                if not moves.intersection(other.tensors):
                    continue
                spectators = list(cores)
                spectators.remove(other)
                rest = [representative(spectator) for spectator in spectators]
                merged = self.scales.averages.generator.merged(core, other)
                self.scales.averages.tick(MERGE_WORK * len(merged))
                for product, weight in self.reduced(merged).items():
                    key = tuple(sorted((*rest, *product[0]))), times(sizes, product[1])
                    yield source, key, -c * power * weight

    def _drop(
        self,
        where: str,
        product: Product,
        c: Fraction,
        order: Fraction,
        leading: Fraction,
        core: Diagram | None = None,
    ) -> None:
        (term,) = collected({product: c})
        self.dropped.append(Dropped(where, term, order, leading, core))


def _reduced(total: DiagramSum, reduction: Reduction) -> dict[Product, Fraction]:
    result: dict[Product, Fraction] = {}
    for diagram, c in total:
        for product, weight in reduction.of(diagram).items():
            result[product] = result.get(product, Fraction(0)) + c * weight
    return {product: c for product, c in result.items() if c}


def collected(products: Mapping[Product, Fraction]) -> tuple[CoreTerm, ...]:
    """Products with equal cores added up, in the order of their cores."""
    coefficients: dict[tuple[Diagram, ...], dict[Monomial, Fraction]] = {}
    for (cores, powers), c in products.items():
        table = coefficients.setdefault(cores, {})
        table[powers] = table.get(powers, Fraction(0)) + c
    return tuple(
        CoreTerm(Polynomial(coefficients[cores]), cores)
        for cores in sorted(coefficients, key=lambda cores: (len(cores), cores))
        if any(coefficients[cores].values())
    )


def reached(hierarchy: Hierarchy, start: Iterable[Diagram], depth: int) -> dict[Diagram, int]:
    """The cores that are reached from some in at most so many derivatives, with their depths."""
    found: dict[Diagram, int] = {}
    frontier = sorted(set(start))
    for level in range(depth + 1):
        following: set[Diagram] = set()
        for core in frontier:
            found[core] = level
        if level < depth:
            for core in frontier:
                for term in hierarchy.rate(core):
                    following.update(term.cores)
        frontier = sorted(following - found.keys())
        if not frontier:
            break
    return found
