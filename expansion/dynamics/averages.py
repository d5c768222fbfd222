"""Exact means of diagrams and of their time derivatives, kept for all who ask.

Everything effective dynamics decides rests on two kinds of numbers: the exact mean of a diagram at
time zero, and the exact means of its first derivatives along the flow. Both are polynomials in the
sizes and variances, they depend on the potential of the flow alone and not on the regime, and the
same diagrams come up again and again. So one table per potential holds them, filled by the bulk
engine (`diagrams.flow`) and by integration by parts (`diagrams.wick`).

Tensors that may be permuted without changing the potential have the same law at all times. Diagrams
that differ by such a permutation have the same means, and one of them, the *representative*, stands
for all.

**Work.** The table serves many regimes, and a budget must not depend on which of them came first.
So what an average counts is a function of the diagram alone: the diagrams merged for it and those
that its contraction rests on, whatever the table held before. It is kept with the average, and
every account (`Account`, one for each derivation) is charged it once. While an average is computed,
what is really done is counted; that is never more, so a budget stops the first derivation that asks
for an average exactly where it stops the others.

>>> from expansion.models import cp
>>> problem = cp(order=2)
>>> averages = Averages(problem.loss)
>>> overlap = next(diagram for diagram, _ in problem.overlap)
>>> averages.derivatives(overlap, 1)
({}, {(('H', 1), ('p', 1), ('sigma2', 1)): Fraction(2, 1)})

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod

from diagrams.canonical import exchange_form
from diagrams.components import disjoint_union, pieces
from diagrams.diagram import Diagram
from diagrams.engine import (
    ArrayRepresentation,
    Blocks,
    PlainRepresentation,
    Tick,
    TraceRepresentation,
)
from diagrams.flow import Flow
from diagrams.generator import Generator, is_velocity
from diagrams.index_partitions import STEPS_OF_ONE, IndexPartitions
from diagrams.laws import evaluated
from diagrams.merge import symmetric_tensors
from diagrams.sums import DiagramSum
from diagrams.tensors import Tensor
from diagrams.wick import Counts, Moments, Steps, expectation, reach

__all__ = ["Account", "Averages", "disjoint_union", "pieces"]


FEW_NODES = 5
"""Diagrams with more nodes are averaged by the bulk engine, others one by one."""

MANY_FACTORS = 60
"""Diagrams with more factors are averaged one by one."""

MANY_WAYS = 6
"""With more ways to rename its tensors, a diagram is represented by a canonical one."""

KEPT_CONTRACTIONS = 400_000
"""Tables of contractions with more entries are dropped after use: about 200 MB."""


class Account:
    """The work of one derivation: every average counts once, however often it is asked for.

    Parameters
    ----------
    tick : callable
        Called with the work that is added; raises to stop it.

    Examples
    --------
    >>> added = []
    >>> account = Account(added.append)
    >>> account.charge("mean", 5)
    >>> account.charge("mean", 5)
    >>> account.tick(1)
    >>> added
    [5, 1]
    """

    def __init__(self, tick: Tick) -> None:
        self.tick = tick
        self._charged: set[Hashable] = set()

    def charge(self, what: Hashable, work: int, done: int = 0) -> None:
        """Count an average, less what of its work was counted while it was done."""
        if what not in self._charged:
            self._charged.add(what)
            self.tick(work - done)


class Averages:
    """Means of diagrams along the gradient flow of a potential.

    Parameters
    ----------
    potential : DiagramSum or Generator
        What drives the flow, without its normalisation.
    others : DiagramSum
        What else is followed; its tensors and axes are known to the tables from the start.
    exchange : bool, default True
        Whether diagrams that differ by a permutation of exchangeable tensors count as one.
    tick : callable, optional
        Called with the work of the first account; raises to stop it.

    Attributes
    ----------
    account : Account
        What the work is charged to; it may be replaced.
    period : int
        Derivatives that a merger takes: two under inertia, of a weight and of its velocity.
    """

    def __init__(
        self,
        potential: DiagramSum | Generator,
        *others: DiagramSum,
        exchange: bool = True,
        tick: Tick | None = None,
    ) -> None:
        self.generator = Generator.of(potential)
        self.potential = self.generator.potential
        self.account = Account(tick or (lambda added: None))
        self.period = 1 if self.generator.friction is None else 2
        # The velocities of exchangeable weights would have to be exchanged with them.
        exchange = exchange and self.period == 1
        self.exchangeable = symmetric_tensors(*self.generator.invariants) if exchange else ()
        self._others = others
        self._done = 0
        self._stores = _stores(self.generator, others, self._do)
        self._contracted: dict[Diagram, Counts] = {}
        self._partitions = IndexPartitions()
        self._steps: Steps = {}
        self._means: dict[Diagram, tuple[Moments, int]] = {}
        self._derivatives: dict[Diagram, list[tuple[Moments, int]]] = {}
        self._flows: dict[Diagram, Flow] = {}
        self._representatives: dict[Diagram, Diagram] = {}
        self._least_of_form: dict[Hashable, Diagram] = {}
        self.growth = max((len(diagram.factors) for diagram, _ in self.potential), default=2) - 2

    @cached_property
    def apart(self) -> Averages:
        """The same tables with every diagram for itself, exchangeable or not."""
        if not any(len(members) > 1 for members in self.exchangeable):
            return self
        return Averages(self.generator, *self._others, exchange=False)

    def tick(self, added: int) -> None:
        """Count work that is done for a derivation and not kept here."""
        self.account.tick(added)

    def mean(self, diagram: Diagram) -> Moments:
        """The mean of a diagram at time zero, where velocities vanish."""
        if any(is_velocity(tensor) for tensor in diagram.tensors):
            return {}
        store = self._store(diagram)
        quick = len(diagram.nodes) > FEW_NODES or isinstance(store, TraceRepresentation)
        # One by one, a factor of another law has as many blocks as there are sets of factors.
        has_blocks = any(t.is_random and not t.entries.is_wick for t in diagram.tensors)
        quick |= has_blocks
        if quick and self._holds(store, diagram):
            return self.derivatives(diagram, 0)[0]
        diagram = self.representative(diagram)
        known = self._means.get(diagram)
        done = 0
        if known is None:
            self._done = 0
            if has_blocks and IndexPartitions.suits(diagram):
                known = self._by_partitions(diagram)
            else:
                value = expectation(
                    diagram, known=self._contracted, tick=self._do, steps=self._steps
                )
                known = value, reach([diagram], self._steps)
            done = self._done
            self._means[diagram] = known
        self.account.charge(diagram, known[1], done)
        return known[0]

    def _by_partitions(self, diagram: Diagram) -> tuple[Moments, int]:
        """The mean of a diagram of any number of factors, and what it counts."""
        value, steps = self._partitions.expectation(diagram)
        work = 1 + steps // STEPS_OF_ONE
        self._do(work)
        return evaluated(value), work

    def _store(self, diagram: Diagram) -> _Store:
        """The first of the stores that suits a diagram, and so what it merges to."""
        return next(store for store in self._stores if store.suits(diagram))

    @staticmethod
    def _holds(store: _Store, diagram: Diagram) -> bool:
        known = store.blocks
        return {*known.tensors}.issuperset(diagram.tensors) and len(diagram.factors) <= MANY_FACTORS

    def derivatives(self, diagram: Diagram, last: int) -> tuple[Moments, ...]:
        """T^s E d^s G/dt^s at time zero, s = 0 ... last, without the normalisation of the loss."""
        diagram = self.representative(diagram)
        known = self._derivatives.setdefault(diagram, [])
        for s in range(last + 1):
            done = 0
            if s == len(known):
                known.append(self._derivative(diagram, s))
                done = self._done
            self.account.charge((diagram, s), known[s][1], done)
        return tuple(value for value, _ in known[: last + 1])

    def _derivative(self, diagram: Diagram, s: int) -> tuple[Moments, int]:
        """A derivative and what it counts."""
        representation = self._store(diagram)
        flow = self._flows.get(diagram)
        if flow is None:
            flow = Flow(DiagramSum({diagram: 1}), self.generator, representation)
            self._flows[diagram] = flow
        self._done = 0
        try:
            value = flow.expectation(s)
            work = flow.work(s) + representation.reach(flow.state(s))
        except BaseException:
            # What waits in the table would be done, and counted, with the next average.
            representation.forget()
            raise
        if representation.contractions > KEPT_CONTRACTIONS:
            representation.forget()
        return value, work

    def _do(self, added: int) -> None:
        self._done += added
        self.account.tick(added)

    def representative(self, diagram: Diagram) -> Diagram:
        """The least of the diagrams that permutations of exchangeable tensors make of one."""
        found = self._representatives.get(diagram)
        if found is None:
            found = self._representatives[diagram] = self._least(diagram)
            self._representatives[found] = found
        return found

    def _least(self, diagram: Diagram) -> Diagram:
        """`representative`, once for all diagrams that permutations make of one another."""
        present = {tensor for tensor, _ in diagram.factors}
        classes = [
            members
            for members in self.exchangeable
            if len(members) > 1 and not present.isdisjoint(members)
        ]
        if not classes:
            return diagram
        if any(members[0].symmetric for members in classes):
            return _least(diagram, classes, None)
        form, order = exchange_form(diagram.nodes, diagram.factors, classes)
        found = self._least_of_form.get(form)
        if found is None:
            found = self._least_of_form[form] = _least(diagram, classes, order)
        return found


_Store = TraceRepresentation | ArrayRepresentation | PlainRepresentation


def _stores(generator: Generator, others: tuple[DiagramSum, ...], tick: Tick) -> tuple[_Store, ...]:
    """Stores for all diagrams of a problem, the fastest first and one for every diagram last.

    No symmetry of tensors is taken for granted.
    """
    potential = generator.potential
    diagrams = [diagram for total in (potential, *others) for diagram, _ in total]
    diagrams += [diagram for diagram, _, _ in generator.blocks]
    tensors = sorted({t for d in diagrams for t in d.tensors}, key=lambda t: t.sort_key)
    axes = {axis for diagram in diagrams for axis in diagram.nodes}
    axes |= {axis for tensor in tensors for axis in tensor.axes} | generator.symbols
    blocks = Blocks(
        potential=tuple((diagram, weight) for diagram, weight, _ in generator.blocks),
        cuts=tuple(cuts for _, _, cuts in generator.blocks),
        symmetric=tuple((tensor,) for tensor in tensors if tensor.is_random),
        axes=tuple(sorted(axes, key=lambda axis: axis.sort_key)),
        deterministic=tuple(tensor for tensor in tensors if not tensor.is_random),
    )
    if not all(ArrayRepresentation.suits(diagram) for diagram in diagrams):
        return (PlainRepresentation(blocks, tick),)
    arrays = ArrayRepresentation(blocks, tick)
    if not all(TraceRepresentation.suits(diagram) for diagram, _ in potential):
        return (arrays,)
    # A product of traces merges with products of traces to products of traces only.
    traces = TraceRepresentation(blocks, tick)
    traces.keep_steps()
    return traces, arrays


def _least(
    diagram: Diagram, classes: Sequence[tuple[Tensor, ...]], order: dict[Tensor, int] | None
) -> Diagram:
    """The least of all relabellings; tensors that occur more often come first.

    Where there are too many of them, the relabelling by the canonical order of the tensors, if it
    is given.
    """
    counts = Counter(tensor for tensor, _ in diagram.factors)
    if order is not None and prod(_ways(members, counts) for members in classes) > MANY_WAYS:
        names: dict[Tensor, Tensor] = {}
        for members in classes:
            used = sorted(
                (tensor for tensor in members if counts[tensor]),
                key=lambda tensor: (-counts[tensor], order[tensor]),
            )
            names |= dict(zip(used, members, strict=False))
        return _renamed(diagram, names)
    choices = [list(_arrangements(members, counts)) for members in classes]
    return min(
        (
            _renamed(diagram, dict(pair for part in chosen for pair in part))
            for chosen in product(*choices)
        ),
        key=lambda renamed: renamed.sort_key,
    )


def _ways(members: tuple[Tensor, ...], counts: Counter[Tensor]) -> int:
    """In how many ways the tensors of a class can be renamed so that their counts fall."""
    alike = Counter(counts[tensor] for tensor in members if counts[tensor])
    return prod(factorial(size) for size in alike.values())


def _arrangements(
    members: tuple[Tensor, ...], counts: Counter[Tensor]
) -> Iterable[tuple[tuple[Tensor, Tensor], ...]]:
    """Ways to rename the tensors of a class so that their counts fall."""
    fall = sorted((counts[tensor] for tensor in members), reverse=True)
    used = [tensor for tensor in members if counts[tensor]]
    for order in permutations(used):
        if [counts[tensor] for tensor in order] == fall[: len(used)]:
            yield tuple(zip(order, members, strict=False))


def _renamed(diagram: Diagram, names: dict[Tensor, Tensor]) -> Diagram:
    return Diagram(diagram.nodes, tuple((names.get(t, t), at) for t, at in diagram.factors))
