r"""The independent oracle for other dynamics than plain gradient flow, at integer sizes.

Definition.  The entries of all tensors are commuting symbols, as in `diagflow.oracle`, and a
potential P = sum of c_i times losses and other polynomials of them is an ordinary polynomial.  A
polynomial G of the entries obeys, in the time t/T,

    d E[G]/d(t/T) = E[X(G)],
    X(G) = - sum_u r_u (dP/du) (dG/du)  +  temperature * sum_u r_u (d²G/du²),

u running over the learnable entries, with the rate r_u of their tensor.  Beside this

- *implicit* η replaces P by P + (η/4) sum_u r_u (dP/du)²;
- *friction* γ gives every learnable entry a velocity v, zero at the start, with
  X(G) = sum_u v_u (dG/du) - sum_u (γ v_u + r_u dP/du) (dG/dv_u);
- *step* η makes of G the polynomial in which every learnable u is replaced by u - η r_u dP/du: one
  step of gradient descent, where the others give one derivative in time.  Entries of *redrawn*
  tensors are independent in G and in the step: G is averaged over them first.

Convention.  A symmetric tensor is treated as in `diagflow.oracle`: sum_u has the weight 1/n for an
entry that stands in n places.  Nothing is imported from the packages that know diagrams.

Laws.  One weight u with P = u²/2 decays as exp(-t/T), and a step multiplies it by 1 - η:

>>> u = Einsum((Term(1, (("u", ""), ("u", "")), ""),))
>>> decay = Dynamics(potential=((Fraction(1, 2), u),))
>>> [format_moments(moments) for moments in moved_moments(u, decay, {}, 2)]
['sigma2', '-2*sigma2', '4*sigma2']
>>> steps = Dynamics(potential=((Fraction(1, 2), u),), step=Fraction(1, 3))
>>> [format_moments(moments) for moments in moved_moments(u, steps, {}, 2)]
['sigma2', '4/9*sigma2', '16/81*sigma2']

Source: ours.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Literal, TypeAlias

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from diagflow.oracle import (
    Average,
    EntryRing,
    Moments,
    OracleLoss,
    Term,
    Variance,
    format_moments,
)

__all__ = [
    "Dynamics",
    "Einsum",
    "Products",
    "Quantity",
    "Slopes",
    "format_moments",
    "leaves",
    "moved_moments",
]


@dataclass(frozen=True)
class Einsum:
    """A sum of einsum terms without open indices, times a number."""

    terms: tuple[Term, ...]
    prefactor: Fraction = Fraction(1)


@dataclass(frozen=True)
class Products:
    """A sum of numbers times products of quantities."""

    terms: tuple[tuple[Fraction, tuple["Quantity", ...]], ...]


@dataclass(frozen=True)
class Slopes:
    """The sum over the learnable entries of the products of the slopes of two quantities."""

    first: "Quantity"
    second: "Quantity"


Quantity: TypeAlias = OracleLoss | Einsum | Products | Slopes | Literal["weight-norm"]
"""What may be followed or drive; the weight norm is half the squares of all learnable entries."""


@dataclass(frozen=True, kw_only=True)
class Dynamics:
    """What moves the learnable entries.

    Parameters
    ----------
    potential
        Quantities with their coefficients.
    rates
        By tensor; 1 where it is left out.
    temperature, implicit
        Zero is none.
    friction, step
        None is neither.
    redrawn
        Names of fixed tensors that are drawn anew after every step; their variances are numbers.
    """

    potential: tuple[tuple[Fraction, Quantity], ...]
    rates: Mapping[str, Fraction] = field(default_factory=dict)
    temperature: Fraction = Fraction(0)
    implicit: Fraction = Fraction(0)
    friction: Fraction | None = None
    step: Fraction | None = None
    redrawn: Collection[str] = ()


def moved_moments(
    observable: Quantity,
    dynamics: Dynamics,
    sizes: Mapping[str, int],
    terms: int,
    variances: Mapping[str, str | Variance] | None = None,
    *,
    frozen: Collection[str] = (),
    structural: Mapping[str, Callable[..., int]] | None = None,
    symmetric: Collection[str] = (),
    laws: Mapping[str, Callable[[int], Moments]] | None = None,
) -> list[Moments]:
    """The derivatives of the mean of a quantity at time zero, or its means after 0, 1, ... steps.

    Parameters
    ----------
    observable
        What is followed.
    dynamics
    terms
        Number of the last derivative or step.
    sizes, variances, frozen, structural, symmetric, laws
        As for `diagflow.oracle.loss_derivatives`.

    Returns
    -------
    list of Moments
    """
    quantities = [observable, *(quantity for _, quantity in dynamics.potential)]
    losses = [
        OracleLoss(q.terms, ()) if isinstance(q, Einsum) else q
        for quantity in quantities
        for q in leaves(quantity)
    ]
    ring = EntryRing.of(losses, sizes, structural or {}, symmetric)
    world = _World(ring, ring.learnable(frozen))
    average = ring.average_over(variances or {}, laws or {})
    potential = sum((_rational(c) * world.polynomial(q) for c, q in dynamics.potential), world.zero)
    weights = {
        u: _rational(dynamics.rates.get(ring.entries[u][0], Fraction(1)) / ring.places(u))
        for u in world.learnable
    }
    if dynamics.implicit:
        squares = (w * potential.derivative(u) ** 2 for u, w in weights.items())
        potential += _rational(dynamics.implicit / 4) * sum(squares, world.zero)
    forces = {u: -w * potential.derivative(u) for u, w in weights.items()}
    current = world.polynomial(observable)
    result = [average(world.terms(current))]
    redrawn = [n for n, (name, *_) in enumerate(ring.entries) if name in dynamics.redrawn]
    for _ in range(terms):
        current = world.averaged_over(redrawn, current, average)
        current = world.moved(current, forces, weights, dynamics)
        result.append(average(world.terms(current)))
    return result


def leaves(quantity: Quantity) -> Iterator[OracleLoss | Einsum]:
    """The losses and einsums that a quantity is made of."""
    if isinstance(quantity, Products):
        for _, factors in quantity.terms:
            for factor in factors:
                yield from leaves(factor)
    elif isinstance(quantity, Slopes):
        yield from leaves(quantity.first)
        yield from leaves(quantity.second)
    elif not isinstance(quantity, str):
        yield quantity


def _rational(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


class _World:
    """Polynomials with rational coefficients in the entries and in velocities of the learnable."""

    def __init__(self, ring: EntryRing, learnable: Sequence[int]) -> None:
        self.ring = ring
        self.learnable = learnable
        self.entries = len(ring.entries)
        names = [f"x{n}" for n in range(self.entries)] + [f"v{n}" for n in range(len(learnable))]
        self.context = fmpq_mpoly_ctx.get(names, Ordering.lex)
        self.velocity = {u: self.entries + n for n, u in enumerate(learnable)}
        self.zero = self.context.constant(0)

    def polynomial(self, quantity: Quantity) -> fmpq_mpoly:
        if isinstance(quantity, str):
            gens = self.context.gens()
            squares = (fmpq(self.ring.places(u), 2) * gens[u] ** 2 for u in self.learnable)
            return sum(squares, self.zero)
        if isinstance(quantity, Products):
            return sum(
                (
                    prod((self.polynomial(q) for q in factors), start=self.context.constant(1))
                    * _rational(c)
                    for c, factors in quantity.terms
                ),
                self.zero,
            )
        if isinstance(quantity, Slopes):
            first, second = self.polynomial(quantity.first), self.polynomial(quantity.second)
            slopes = (
                fmpq(1, self.ring.places(u)) * first.derivative(u) * second.derivative(u)
                for u in self.learnable
            )
            return sum(slopes, self.zero)
        if isinstance(quantity, OracleLoss):
            value, denominator = self.ring.loss_polynomial(quantity)
            scale = fmpq(1, denominator)
        else:
            found, common = self.ring.values(quantity.terms)
            value = found.get((), self.ring.zero)
            scale = _rational(quantity.prefactor / common)
        still = (0,) * len(self.learnable)
        terms = {(*powers, *still): int(c) * scale for powers, c in value.to_dict().items()}
        return self.context.from_dict(terms)

    def moved(
        self,
        value: fmpq_mpoly,
        forces: Mapping[int, fmpq_mpoly],
        weights: Mapping[int, fmpq],
        dynamics: Dynamics,
    ) -> fmpq_mpoly:
        gens = self.context.gens()
        if dynamics.step is not None:
            step = _rational(dynamics.step)
            moved = [g + step * forces.get(n, self.zero) for n, g in enumerate(gens)]
            return value.compose(*moved, ctx=self.context)
        if dynamics.friction is not None:
            friction = _rational(dynamics.friction)
            result = self.zero
            for u, v in self.velocity.items():
                result += gens[v] * value.derivative(u)
                result += (forces[u] - friction * gens[v]) * value.derivative(v)
            return result
        result = sum((value.derivative(u) * force for u, force in forces.items()), self.zero)
        if dynamics.temperature:
            tau = _rational(dynamics.temperature)
            for u, weight in weights.items():
                result += tau * weight * value.derivative(u).derivative(u)
        return result

    def averaged_over(
        self, entries: Sequence[int], value: fmpq_mpoly, average: Average
    ) -> fmpq_mpoly:
        """The average over some entries at fixed values of the others."""
        if not entries:
            return value
        found: dict[tuple[int, ...], fmpq] = {}
        for exponents, c in value.to_dict().items():
            powers = [int(power) for power in exponents]
            drawn = [powers[n] if n in entries else 0 for n in range(self.entries)]
            mean = average([(drawn, 1)])
            if any(mean):
                raise ValueError("an entry that is drawn anew has a law with symbols")
            rest = tuple(0 if n in entries else power for n, power in enumerate(powers))
            number = _rational(Fraction(mean.get((), 0)))
            found[rest] = found.get(rest, fmpq(0)) + c * number
        return self.context.from_dict(found)

    def terms(self, value: fmpq_mpoly) -> Iterator[tuple[Sequence[int], Fraction]]:
        """Exponents of the entries and coefficients at time zero, where all velocities vanish."""
        for exponents, c in value.to_dict().items():
            if not any(exponents[self.entries :]):
                yield exponents[: self.entries], Fraction(int(c.p), int(c.q))
