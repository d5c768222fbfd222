r"""The generator of a flow: the operator of one derivative in time.

A flow that starts from random weights has, for every polynomial G of its tensors,

    E[G(t)] ~ sum over s of (t/T)^s/s! E[𝓛^s G](0)

with a linear map 𝓛 of polynomials, its *generator*. Here

    𝓛 G  =  - sum over W of r_W (G *_W P)  +  τ sum over W of r_W Δ_W G

over the learnable tensors W, where G *_W P is the part of the merger G * P that cuts factors of W,
and Δ_W G = sum over entries u of W of d²G/du². It belongs to

    du  =  - (r_W/T) dP/du dt  +  (2 τ r_W/T)^{1/2} dB,

with a *potential* P, a *rate* r_W for every tensor and a *temperature* τ: gradient flow with all
rates 1 and τ = 0, Langevin dynamics with τ > 0, whose stationary density exp(-P/τ) does not depend
on the rates. Rates and temperature are numbers times symbols; in a diagram a symbol is a free node.

With a *friction* γ it belongs to the heavy ball u'' = -γ u' - r_W dP/du. Its weights have
velocities, fixed tensors named after them, and

    𝓛 G  =  sum over u of  v dG/du  -  (γ v + r_W dP/du) dG/dv :

a factor of a weight becomes one of its velocity, and a factor of a velocity either -γ times itself
or a merger with P. Friction and temperature exclude each other. All three are mergers: over the
weights with U·V, the sum over the entries of weight times velocity, and over the velocities with
½γ V·V and with the derivative of P along the velocities, in which one factor of a weight is a
velocity. So the bulk engine knows this generator by its blocks, too.

Δ_W takes two factors of W out of a diagram and identifies their nodes slot by slot, for every
ordered pair of factors; of a symmetric tensor in all orders of the slots, with equal shares.

>>> from diagrams.network import Network, inner_product
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> norm = DiagramSum({Diagram((H, p), ((W, (0, 1)), (W, (0, 1)))): Fraction(1, 2)})
>>> print(Generator(norm, temperature=Amplitude(symbols=(Axis("tau"),))).applied(norm))
1 * [H0 p0 tau0] + -1 * [weight W[H,p]~sigma2; W(H0,p0)^2]
>>> print(Generator(norm, rates=((W, Amplitude(Fraction(2))),)).applied(norm))
-2 * [weight W[H,p]~sigma2; W(H0,p0)^2]

Source: the generator of a diffusion, e.g. B. Øksendal, *Stochastic Differential Equations*, 2003,
chapter 7; as rewriting of diagrams, ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import factorial, lcm

from diagrams.canonical import Factor
from diagrams.diagram import Diagram, identify
from diagrams.merge import factor_orbits, learnable, merge, shares
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import MAXIMAL_SYMMETRIC, Axis, Kind, Tensor

__all__ = [
    "Amplitude",
    "Block",
    "Generator",
    "along_velocities",
    "at_rest",
    "is_velocity",
    "laplacian",
    "velocity",
    "weight_moved",
]

Block = tuple[Diagram, int, tuple[tuple[Factor, int], ...]]
"""A diagram that is merged with, its integer weight, and the factors that may be cut out of it."""


@dataclass(frozen=True, slots=True)
class Amplitude:
    """A number times symbols.

    Parameters
    ----------
    number : Fraction, default 1
    symbols : tuple of Axis, default ()
        With repetition.
    """

    number: Fraction = Fraction(1)
    symbols: tuple[Axis, ...] = ()

    def times(self, diagram: Diagram) -> Diagram:
        """The diagram with the symbols as free nodes; the number is left out."""
        return (
            Diagram((*diagram.nodes, *self.symbols), diagram.factors) if self.symbols else diagram
        )

    def __mul__(self, total: DiagramSum) -> DiagramSum:
        return collect((self.times(diagram), c * self.number) for diagram, c in total)


ONE = Amplitude()


@dataclass(frozen=True)
class Generator:
    """What moves the weights.

    Parameters
    ----------
    potential : DiagramSum
    rates : tuple of (Tensor, Amplitude), default ()
        The rates that are not 1.
    temperature : Amplitude, optional
        Without it there is no noise.
    friction : Amplitude, optional
        Without it there is no inertia.
    """

    potential: DiagramSum
    rates: tuple[tuple[Tensor, Amplitude], ...] = ()
    temperature: Amplitude | None = None
    friction: Amplitude | None = None

    @classmethod
    def of(cls, value: DiagramSum | Generator) -> Generator:
        """Itself, or the gradient flow of a potential."""
        return value if isinstance(value, Generator) else cls(value)

    def rate(self, tensor: Tensor) -> Amplitude:
        """The rate of a tensor."""
        return dict(self.rates).get(tensor, ONE)

    # -- by definition -------------------------------------------------------------------------

    def moved(self, diagram: Diagram) -> frozenset[Tensor]:
        """The weights by which a merger with the potential moves a diagram."""
        if self.friction is None:
            return _tensors(diagram)
        return frozenset(weight for t in diagram.tensors if (weight := weight_moved(t)) is not None)

    def merged(self, first: Diagram | DiagramSum, second: Diagram | DiagramSum) -> DiagramSum:
        """The merger of two sums, every tensor with its rate; of velocities of the first one."""
        cut = learnable if self.friction is None else weight_moved
        if not self.rates:
            return merge(first, second, cut=cut)
        sums = [
            rate * merge(first, second, over=tensors, cut=cut)
            for rate, tensors in self._by_rate(_tensors(second))
        ]
        return sum(sums, DiagramSum())

    def applied(self, total: DiagramSum) -> DiagramSum:
        """𝓛 G of a sum G."""
        return self.noise(total) - self.merged(total, self.potential)

    def noise(self, total: DiagramSum) -> DiagramSum:
        """The part of 𝓛 G without the potential: from the temperature, or from the velocities."""
        if self.friction is not None:
            return _inertia(total, self.friction)
        if self.temperature is None:
            return DiagramSum()
        sums = (self.rate(tensor) * laplacian(total, tensor) for tensor in _sorted(_tensors(total)))
        return self.temperature * sum(sums, DiagramSum())

    # -- for the bulk engine -------------------------------------------------------------------

    @cached_property
    def denominator(self) -> int:
        """The common denominator of the weights of the blocks and of the noise."""
        common = lcm(*(c.denominator for _, c in self.potential)) * shares(self.potential)
        common *= lcm(*(rate.number.denominator for _, rate in self.rates))
        if self.friction is not None:
            common *= 2 * self.friction.number.denominator
        if self.temperature is None:
            return common
        # What is followed may have symmetric tensors that the potential does not know.
        return common * self.temperature.number.denominator * factorial(MAXIMAL_SYMMETRIC)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks to merge with: the diagrams of the potential, once for every rate.

        A block takes the symbols of the rate along as free nodes and its number in the weight, and
        only factors of tensors that move at this rate may be cut out of it. With a friction the
        blocks are those that have the velocities, see above.
        """
        return tuple(
            (diagram, int(weight * self.denominator), cuts)
            for diagram, weight, cuts in self._blocks()
        )

    def _blocks(self) -> Iterator[tuple[Diagram, Fraction, tuple[tuple[Factor, int], ...]]]:
        if self.friction is not None:
            yield from self._blocks_at_speed(self.friction)
            return
        if not self.rates:
            for diagram, c in self.potential:
                yield diagram, c, tuple(factor_orbits(diagram).items())
            return
        for rate, tensors in self._by_rate(_tensors(self.potential)):
            for diagram, c in rate * self.potential:
                orbits = factor_orbits(diagram).items()
                cuts = tuple((factor, size) for factor, size in orbits if factor[0] in tensors)
                if cuts:
                    yield diagram, c, cuts

    def _blocks_at_speed(
        self, friction: Amplitude
    ) -> Iterator[tuple[Diagram, Fraction, tuple[tuple[Factor, int], ...]]]:
        for weight in _sorted(_tensors(self.potential)):
            at, nodes = tuple(range(weight.rank)), weight.axes
            slow, fast = (weight, at), (velocity(weight), at)
            yield Diagram(nodes, (slow, fast)), Fraction(-1), ((slow, 1),)
            damping = friction.times(Diagram(nodes, (fast, fast)))
            yield damping, friction.number / 2, ((damping.factors[0], 2),)
            rate = self.rate(weight)
            for diagram, c in rate * along_velocities(self.potential, weight):
                cut = next(factor for factor in diagram.factors if is_velocity(factor[0]))
                yield diagram, c, ((cut, 1),)

    @property
    def invariants(self) -> tuple[DiagramSum, ...]:
        """Sums that an exchange of two tensors leaves alone if it does not change the flow.

        Under inertia a weight and its velocity would have to be exchanged together, and no sum is
        left alone.
        """
        if self.friction is not None:
            return tuple(DiagramSum({diagram: weight}) for diagram, weight, _ in self.blocks)
        if not self.rates:
            return (self.potential,)
        # One diagram for every tensor, with its rate: exchanged, they distinguish different rates.
        moved = DiagramSum()
        for tensor in _sorted(_tensors(self.potential)):
            alone = Diagram(tensor.axes, ((tensor, tuple(range(tensor.rank))),))
            moved += self.rate(tensor) * DiagramSum({alone: 1})
        return (self.potential, moved)

    @property
    def symbols(self) -> frozenset[Axis]:
        """The symbols of rates, temperature and friction."""
        others = (self.temperature, self.friction)
        amplitudes = [rate for _, rate in self.rates]
        amplitudes += [other for other in others if other is not None]
        return frozenset(axis for amplitude in amplitudes for axis in amplitude.symbols)

    def _by_rate(self, tensors: frozenset[Tensor]) -> list[tuple[Amplitude, frozenset[Tensor]]]:
        """Tensors with equal rates together, in the order of the tensors."""
        found: dict[Amplitude, list[Tensor]] = {}
        for tensor in _sorted(tensors):
            found.setdefault(self.rate(tensor), []).append(tensor)
        return [(rate, frozenset(members)) for rate, members in found.items()]


_VELOCITY = "__velocity"
"""The end of the names of tensors that stand for a velocity."""


def velocity(weight: Tensor) -> Tensor:
    """The tensor of the velocities of a weight, which counts as fixed.

    Examples
    --------
    >>> W = Tensor("W", (Axis("H"),), variance="sigma2")
    >>> is_velocity(velocity(W)), weight_moved(velocity(W)) == W
    (True, True)
    """
    return replace(weight, name=weight.name + _VELOCITY, kind=Kind.FIXED)


def is_velocity(tensor: Tensor) -> bool:
    """Whether a tensor is that of the velocities of a weight."""
    return tensor.name.endswith(_VELOCITY)


def weight_moved(tensor: Tensor) -> Tensor | None:
    """The weight of a velocity, None for other tensors."""
    if not is_velocity(tensor):
        return None
    return replace(tensor, name=tensor.name.removesuffix(_VELOCITY), kind=Kind.WEIGHT)


def at_rest(total: DiagramSum) -> DiagramSum:
    """The diagrams without velocities."""
    return DiagramSum({d: c for d, c in total if not any(is_velocity(t) for t in d.tensors)})


def along_velocities(total: DiagramSum, weight: Tensor | None = None) -> DiagramSum:
    """The derivative of a sum along the velocities: of one weight, or of all.

    Examples
    --------
    >>> W = Tensor("W", (Axis("H"),), variance="sigma2")
    >>> square = DiagramSum({Diagram(W.axes, ((W, (0,)), (W, (0,)))): 1})
    >>> print(along_velocities(square))
    2 * [gaussian W__velocity[H]~sigma2; weight W[H]~sigma2; W(H0) W__velocity(H0)]
    """
    return collect(_moving(total, weight))


def _inertia(total: DiagramSum, friction: Amplitude) -> DiagramSum:
    """The sum over the entries of v dG/du - γ v dG/dv."""
    return along_velocities(total) - friction * DiagramSum(
        {d: c * sum(is_velocity(tensor) for tensor, _ in d.factors) for d, c in total}
    )


def _moving(total: DiagramSum, weight: Tensor | None) -> Iterator[tuple[Diagram, Fraction]]:
    for diagram, c in total:
        for (tensor, at), copies in diagram.multiplicities.items():
            if tensor.is_learnable and weight in (None, tensor):
                factors = [*diagram.factors]
                factors[factors.index((tensor, at))] = velocity(tensor), at
                yield Diagram(diagram.nodes, tuple(factors)), c * copies


def laplacian(total: DiagramSum, tensor: Tensor) -> DiagramSum:
    """The sum over the entries of a tensor of the second derivatives.

    Examples
    --------
    >>> p = Axis("p")
    >>> S = Tensor("S", (p, p), variance="sigma2", symmetric=True)
    >>> square = DiagramSum({Diagram((p, p), ((S, (0, 1)), (S, (0, 1)))): 1})
    >>> print(laplacian(square, S))  # p(p + 1)/2 directions of curvature 2
    1 * [p0] + 1 * [p0 p1]
    """
    return collect(
        (result, c * count)
        for diagram, c in total
        for result, count in _second_derivatives(diagram, tensor)
    )


def _second_derivatives(diagram: Diagram, tensor: Tensor) -> Iterator[tuple[Diagram, Fraction]]:
    multiplicities = diagram.multiplicities
    for first, first_count in multiplicities.items():
        for second, second_count in multiplicities.items():
            ways = first_count * (second_count - (first == second))
            if not first[0] == second[0] == tensor or not ways:
                continue
            rest = [*diagram.factors]
            rest.remove(first)
            rest.remove(second)
            for order in tensor.orders:
                pairs = zip(first[1], (second[1][slot] for slot in order), strict=True)
                nodes, factors = identify(diagram.nodes, rest, pairs)
                yield Diagram(nodes, factors), Fraction(ways, len(tensor.orders))


def _tensors(value: Diagram | DiagramSum) -> frozenset[Tensor]:
    """The learnable tensors that occur."""
    diagrams = [value] if isinstance(value, Diagram) else [diagram for diagram, _ in value]
    return frozenset(t for diagram in diagrams for t in diagram.tensors if t.is_learnable)


def _sorted(tensors: frozenset[Tensor]) -> list[Tensor]:
    return sorted(tensors, key=lambda tensor: tensor.sort_key)
