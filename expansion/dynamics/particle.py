"""What kind of hierarchy a set of cores makes, and the particle behind one-site cores.

A core is *on one site* if all its factors sit on the same nodes, each on another axis: then it is
z_m, the sum over the site of a product of powers of its entries. A hierarchy of such cores is that
of the moments of a particle, one coordinate for every tensor; that of a fixed tensor, such as a
sign of every neuron, stays where it starts. A *mask* that all cores have, zeros and ones, says
which of the copies there are; a part of them moves. Two equal factors may also share
nodes of their own, over which they are summed: then the squared *length* of a vector at the site,
such as that of the weights of a neuron, is a coordinate. A core is a *word* if every node meets two
slots of matrices: a product of traces.

>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> bundle = Diagram((H, p), ((W, (0, 1)),) * 4)
>>> circle = Diagram((H, H, p, p), ((W, (0, 2)), (W, (1, 2)), (W, (1, 3)), (W, (0, 3))))
>>> kind_of([bundle], closed=False), kind_of([bundle, circle], closed=False)
(<Closure.ONE_SITE: 'one-site'>, <Closure.OPEN: 'open'>)
>>> kind_of([circle], closed=False), kind_of([circle], closed=True)
(<Closure.WORDS: 'words'>, <Closure.FINITE: 'finite'>)
>>> neuron = Diagram((H, p, p), ((W, (0, 1)),) * 2 + ((W, (0, 2)),) * 2)
>>> site = site_of([neuron])
>>> site.axes, [(str(c), k) for c, k in site.coordinates(neuron).items()]
((Axis(name='H'),), [('|W|^2', 2)])

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import prod

from diagrams.canonical import Factor
from diagrams.diagram import Diagram
from diagrams.generator import Amplitude
from diagrams.laws import evaluated
from diagrams.tensors import Axis, Tensor
from diagrams.variances import Variance
from diagrams.wick import Monomial, monomial
from expansion.drive import Driven
from expansion.dynamics.hierarchy import CoreTerm
from expansion.dynamics.reduction import without_squares
from expansion.polynomial import Polynomial

__all__ = [
    "Closure",
    "Coordinate",
    "Moments",
    "Multiplicity",
    "Particle",
    "ParticleTerm",
    "Site",
    "Still",
    "kind_of",
    "particle_of",
    "site_of",
]

_ONE = Polynomial({(): 1})

Multiplicity = tuple[int, ...]
"""The powers of all coordinates, which is the numbers of parallel edges of each colour."""

Moments = tuple[tuple[Multiplicity, int], ...]
"""A product of moments: every one once, with its power."""

Still = tuple[Moments, Multiplicity, int]
"""The moments of a term, one of them, and a coordinate that it does not move."""


class Closure(StrEnum):
    """Kinds of hierarchies, by the cores that were reached."""

    FINITE = "finite"
    ONE_SITE = "one-site"
    WORDS = "words"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ParticleTerm:
    """A coefficient times a product of moments.

    Parameters
    ----------
    coefficient : Polynomial
    moments : tuple of (tuple of int, int)
        Multiplicities, one for each coordinate, with powers.
    """

    coefficient: Polynomial
    moments: Moments


@dataclass(frozen=True, slots=True)
class Coordinate:
    """An entry of a tensor at a site, or the squared length of its vector there."""

    tensor: Tensor
    is_length: bool = False

    def __str__(self) -> str:
        return f"|{self.tensor.name}|^2" if self.is_length else self.tensor.name


@dataclass(frozen=True, slots=True)
class Site:
    """The axes whose indices all factors of some cores share.

    Parameters
    ----------
    axes : tuple of Axis
        All different.
    masks : tuple of Tensor, default ()
        Those of the site, sorted, which all cores have.
    """

    axes: tuple[Axis, ...]
    masks: tuple[Tensor, ...] = ()

    def coordinates(self, core: Diagram) -> Counter[Coordinate] | None:
        """The powers of the coordinates whose product is summed, None if it is no such sum."""
        counts = Counter(core.factors)
        place = {core.nodes[v]: v for v in _shared(core) if core.nodes[v] in self.axes}
        if {*place} != {*self.axes}:
            return None
        own = set(place.values())
        if _masks(core, own) != self.masks:
            return None
        found: Counter[Coordinate] = Counter()
        for (tensor, at), count in counts.items():
            if tensor.is_idempotent and own.issuperset(at):
                continue
            rest = set(at) - own
            slots = [v for v in at if v in own]
            if not tensor.is_random or sorted(slots) != sorted(own):
                return None
            if not rest:
                found[Coordinate(tensor)] += count
            elif not tensor.is_learnable:
                return None
            elif count == 2 and len(rest) + len(own) == len(at) and _alone(rest, counts):
                found[Coordinate(tensor, is_length=True)] += 1
            else:
                return None
        # Nodes without factors are sizes, and no part of a core.
        touched = {v for _, at in counts for v in at}
        return found if len(touched) == len(core.nodes) else None

    def diagram(self, powers: Mapping[Coordinate, int]) -> Diagram:
        """The sum over the site of a product of powers of coordinates."""
        nodes = list(self.axes)
        factors = [(m, tuple(self.axes.index(axis) for axis in m.axes)) for m in self.masks]
        for coordinate, power in powers.items():
            axes = coordinate.tensor.axes
            for _ in range(power):
                at = []
                for axis in axes:
                    if axis in self.axes:
                        at.append(self.axes.index(axis))
                    else:
                        at.append(len(nodes))
                        nodes.append(axis)
                factors += [(coordinate.tensor, tuple(at))] * (2 if coordinate.is_length else 1)
        return Diagram(tuple(nodes), tuple(factors))


def _shared(core: Diagram) -> list[int]:
    """The nodes that all factors touch."""
    return [v for v in range(len(core.nodes)) if all(v in at for _, at in core.factors)]


def _masks(core: Diagram, nodes: set[int]) -> tuple[Tensor, ...]:
    """The masks of a core on some nodes of it, sorted."""
    found = (tensor for tensor, at in core.factors if tensor.is_idempotent and nodes.issuperset(at))
    return tuple(sorted(found, key=lambda tensor: tensor.sort_key))


def _alone(nodes: set[int], factors: Iterable[Factor]) -> bool:
    """Whether only one of some different factors touches nodes."""
    return sum(not nodes.isdisjoint(at) for _, at in factors) == 1


def site_of(cores: Iterable[Diagram]) -> Site | None:
    """The site that some cores are on, None if there is no common one."""
    cores = list(cores)
    common = []
    for core in cores:
        shared = _shared(core)
        axes = tuple(sorted((core.nodes[v] for v in shared), key=lambda axis: axis.name))
        common.append((len(shared) < len(core.nodes), len(axes), axes))
    # A bundle alone may be an entry, or a length at fewer nodes: other cores decide.
    for _, _, axes in sorted(set(common), key=lambda entry: (not entry[0], entry[1])):
        site = Site(axes, _masks(cores[0], set(_shared(cores[0]))))
        if (
            axes
            and len(set(axes)) == len(axes)
            and all(site.coordinates(core) is not None for core in cores)
        ):
            return site
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Particle:
    """The particle whose moments the cores of a one-site hierarchy are.

    z_m = weight * mean of prod_c u_c^{m_c}, and with l(z) the contracted potential, the coordinates
    move by du_c/dtau = - rate_c * sum over m of m_c u^{m - e_c} dl/dz_m. For a squared length the
    vector moves like this, so that it is 4 u_c times as fast.

    Parameters
    ----------
    coordinates : tuple of Coordinate
    rates : tuple of Polynomial
        How fast every coordinate moves.
    site : tuple of Axis
        The axes of the nodes that the factors share.
    weight : Monomial
        The product of the sizes of the site that grow, and of the probabilities of its masks.
    copies : Fraction
        The product of those that are pinned, and of the numbers in the probabilities.
    potential : tuple of ParticleTerm
        l(z), with the normalisation of the loss.
    output : tuple of ParticleTerm
        The leading loss in the same moments.
    still : frozenset of (moments of a term, multiplicity, int)
        Where a term of l does not move a coordinate through one of its moments, because that is
        of lower order than its size.
    """

    coordinates: tuple[Coordinate, ...]
    rates: tuple[Polynomial, ...]
    site: tuple[Axis, ...]
    weight: Monomial
    copies: Fraction
    potential: tuple[ParticleTerm, ...]
    output: tuple[ParticleTerm, ...]
    still: frozenset[Still]

    @property
    def starts(self) -> tuple[Polynomial, ...]:
        """Variances of the entries, which have the laws of their tensors, and typical lengths."""
        return tuple(_start(coordinate, self.site) for coordinate in self.coordinates)


def _start(coordinate: Coordinate, site: tuple[Axis, ...]) -> Polynomial:
    tensor = coordinate.tensor
    powers = Counter([tensor.variance])
    number = Fraction(1)
    if coordinate.is_length:
        for axis in tensor.axes:
            if axis not in site and axis.pinned is None:
                powers[axis.name] += 1
            elif axis not in site:
                number *= axis.pinned or 1
    return Polynomial(evaluated({monomial(powers): number}))


def kind_of(cores: Iterable[Diagram], *, closed: bool) -> Closure:
    """The kind of a hierarchy.

    Parameters
    ----------
    cores : iterable of Diagram
        The cores that were reached.
    closed : bool
        Whether their derivatives contain no others.
    """
    cores = list(cores)
    if closed:
        return Closure.FINITE
    if site_of(cores) is not None:
        return Closure.ONE_SITE
    if all(_is_word(core) for core in cores):
        return Closure.WORDS
    return Closure.OPEN


def _powers(terms: Iterable[CoreTerm], site: Site) -> dict[Diagram, Counter[Coordinate]]:
    """The powers of the coordinates in every core."""
    powers: dict[Diagram, Counter[Coordinate]] = {}
    for core in {core for term in terms for core in term.cores}:
        found = site.coordinates(core)
        assert found is not None  # every core is on the site
        powers[core] = found
    return powers


def _coordinates(powers: Iterable[Counter[Coordinate]]) -> tuple[Coordinate, ...]:
    """The coordinates that occur, in their order."""
    return tuple(
        sorted(
            {coordinate for found in powers for coordinate in found},
            key=lambda coordinate: (coordinate.tensor.sort_key, coordinate.is_length),
        )
    )


def particle_of(
    potential: Sequence[CoreTerm],
    output: Sequence[CoreTerm],
    driven: Driven,
    *,
    site: Site,
    rate: Callable[[Diagram], Sequence[CoreTerm]],
    representative: Callable[[Diagram], Diagram],
) -> Particle:
    """The particle of one-site terms.

    Parameters
    ----------
    potential, output : sequence of CoreTerm
        Every core on the site; the output is normalised already.
    driven : Driven
        The rates, and the normalisation of the potential.
    site : Site
        Of all cores of the hierarchy: a bundle alone may be on several.
    rate : callable
        The derivative of a core, to leading order.
    representative : callable
        The core that stands for one up to exchangeable tensors.
    """
    moving = [term for term in potential if term.cores]
    powers = _powers((*moving, *output), site)
    coordinates = _coordinates(powers.values())

    def converted(terms: Sequence[CoreTerm], factor: Polynomial) -> tuple[ParticleTerm, ...]:
        result = []
        for term in terms:
            counts = Counter(
                tuple(powers[core][coordinate] for coordinate in coordinates) for core in term.cores
            )
            result.append(ParticleTerm(term.coefficient * factor, tuple(sorted(counts.items()))))
        return tuple(result)

    def stands_still(term: CoreTerm, core: Diagram, coordinate: Coordinate) -> bool:
        """Whether the derivative of a core lacks what one coordinate would contribute by itself."""
        merged = Counter(powers[core]) + Counter(powers[core])
        merged[coordinate] -= 1 if coordinate.is_length else 2
        others = list(term.cores)
        others.remove(core)
        if +merged:
            others.append(without_squares(site.diagram(+merged))[0])
        wanted = tuple(sorted(map(representative, others)))
        return all(found.cores != wanted for found in rate(representative(core)))

    still = frozenset(
        (converted_term.moments, tuple(powers[core][c] for c in coordinates), place)
        for term, converted_term in zip(moving, converted(moving, _ONE), strict=True)
        for core in set(term.cores)
        for place, coordinate in enumerate(coordinates)
        if powers[core][coordinate]
        and coordinate.tensor.is_learnable
        and stands_still(term, core, coordinate)
    )
    rates = [
        driven.generator.rate(coordinate.tensor)
        if coordinate.tensor.is_learnable
        else Amplitude(Fraction(0))
        for coordinate in coordinates
    ]
    sizes = Counter(axis.name for axis in site.axes if axis.pinned is None)
    copies = Fraction(prod(axis.pinned or 1 for axis in site.axes))
    for mask in site.masks:
        probability = Variance.parse(mask.probability)
        sizes.update(dict(probability.powers))
        copies *= probability.coefficient
    return Particle(
        coordinates=coordinates,
        rates=tuple(
            Polynomial({monomial(Counter(axis.name for axis in rate.symbols)): rate.number})
            for rate in rates
        ),
        site=site.axes,
        weight=monomial(sizes),
        copies=copies,
        potential=converted(moving, Polynomial({driven.normalisation: 1})),
        output=converted(output, _ONE),
        still=still,
    )


def _is_word(core: Diagram) -> bool:
    return all(tensor.rank == 2 for tensor, _ in core.factors) and set(core.degrees) == {2}


Kind = Closure  # its former name
