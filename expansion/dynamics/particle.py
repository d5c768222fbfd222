"""What kind of hierarchy a set of cores makes, and the particle behind one-site cores.

A core is *on one site* if all its factors sit on the same nodes, each on another axis: then it is
z_m, the sum over the site of a product of powers of its entries. A hierarchy of such cores is that
of the moments of a particle, one coordinate for every tensor. A core is a *word* if every node
meets two slots of matrices: a product of traces.

>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> bundle = Diagram((H, p), ((W, (0, 1)),) * 4)
>>> circle = Diagram((H, H, p, p), ((W, (0, 2)), (W, (1, 2)), (W, (1, 3)), (W, (0, 3))))
>>> kind_of([bundle], closed=False), kind_of([bundle, circle], closed=False)
(<Kind.ONE_SITE: 'one-site'>, <Kind.OPEN: 'open'>)
>>> kind_of([circle], closed=False), kind_of([circle], closed=True)
(<Kind.WORDS: 'words'>, <Kind.FINITE: 'finite'>)

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from diagrams.diagram import Diagram
from diagrams.laws import evaluated
from diagrams.tensors import Axis, Tensor
from diagrams.wick import Monomial, monomial
from expansion.drive import Driven
from expansion.dynamics.hierarchy import CoreTerm
from expansion.polynomial import Polynomial

__all__ = ["Kind", "Particle", "ParticleTerm", "kind_of"]


class Kind(StrEnum):
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
    moments: tuple[tuple[tuple[int, ...], int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Particle:
    """The particle whose moments the cores of a one-site hierarchy are.

    z_m = weight * mean of prod_c u_c^{m_c}, and with l(z) the contracted potential, the coordinates
    move by du_c/dtau = - rate_c * sum over m of m_c u^{m - e_c} dl/dz_m.

    Parameters
    ----------
    coordinates : tuple of Tensor
    rates : tuple of Polynomial
        How fast every coordinate moves.
    site : tuple of Axis
        The axes of the nodes that the factors share.
    weight : Monomial
        The product of the sizes of the site.
    potential : tuple of ParticleTerm
        l(z), with the normalisation of the loss.
    output : tuple of ParticleTerm
        The leading loss in the same moments.
    """

    coordinates: tuple[Tensor, ...]
    rates: tuple[Polynomial, ...]
    site: tuple[Axis, ...]
    weight: Monomial
    potential: tuple[ParticleTerm, ...]
    output: tuple[ParticleTerm, ...]

    @property
    def variances(self) -> tuple[Polynomial, ...]:
        """The variances of the coordinates at time zero, where they have the law of the tensor."""
        named: list[Monomial] = [((tensor.variance, 1),) for tensor in self.coordinates]
        return tuple(Polynomial(evaluated({name: Fraction(1)})) for name in named)


def kind_of(cores: Iterable[Diagram], *, closed: bool) -> Kind:
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
        return Kind.FINITE
    if all(_on_one_site(core) for core in cores) and len({core.nodes for core in cores}) == 1:
        return Kind.ONE_SITE
    if all(_is_word(core) for core in cores):
        return Kind.WORDS
    return Kind.OPEN


def particle_of(
    potential: Sequence[CoreTerm], output: Sequence[CoreTerm], driven: Driven
) -> Particle:
    """The particle of one-site terms.

    Parameters
    ----------
    potential, output : sequence of CoreTerm
        Every core on one site, all sites with the same axes; the output is normalised already.
    driven : Driven
        The rates, and the normalisation of the potential.
    """
    cores = [core for term in (*potential, *output) for core in term.cores]
    coordinates = tuple(
        sorted({t for core in cores for t in core.tensors}, key=lambda tensor: tensor.sort_key)
    )
    site = cores[0].nodes

    def converted(terms: Sequence[CoreTerm], factor: Polynomial) -> tuple[ParticleTerm, ...]:
        result = []
        for term in terms:
            counts: Counter[tuple[int, ...]] = Counter()
            for core in term.cores:
                tensors = Counter(tensor for tensor, _ in core.factors)
                counts[tuple(tensors[tensor] for tensor in coordinates)] += 1
            result.append(ParticleTerm(term.coefficient * factor, tuple(sorted(counts.items()))))
        return tuple(result)

    rates = [driven.generator.rate(tensor) for tensor in coordinates]
    moving = [term for term in potential if term.cores]
    return Particle(
        coordinates=coordinates,
        rates=tuple(
            Polynomial({monomial(Counter(axis.name for axis in rate.symbols)): rate.number})
            for rate in rates
        ),
        site=site,
        weight=monomial(Counter(axis.name for axis in site if axis.pinned is None)),
        potential=converted(moving, Polynomial({driven.normalisation: 1})),
        output=converted(output, Polynomial({(): 1})),
    )


def _on_one_site(core: Diagram) -> bool:
    return len(set(core.nodes)) == len(core.nodes) and all(
        len(at) == len(core.nodes) and tensor.is_learnable for tensor, at in core.factors
    )


def _is_word(core: Diagram) -> bool:
    return all(tensor.rank == 2 for tensor, _ in core.factors) and set(core.degrees) == {2}
