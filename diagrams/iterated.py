"""A sum of diagrams that is rewritten again and again, and its expectation each time.

For dynamics that are no flow of the bulk engine (`diagrams.rewriting`): the rewriting is done
diagram by diagram, the expectations are those of the bulk engine. `Iterated` answers the same
questions as `diagrams.flow.Flow`.

Symbols that the rewriting brings may stand for products of others with powers of either sign, such
as eta/N; they are put in at the end.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import lcm
from typing import Any

from diagrams.engine import IN_PROCESS, Representation, StepRunner, Tick
from diagrams.flow import represent
from diagrams.laws import evaluated
from diagrams.named_polynomial import NamedPolynomial
from diagrams.rewriting import Rewriting
from diagrams.sums import DiagramSum
from diagrams.variances import Variance
from diagrams.wick import Expectation, monomial

__all__ = ["Iterated"]


class Iterated:
    """The means of an observable after 0, 1, 2, ... rewritings.

    Parameters
    ----------
    observable : DiagramSum
        What is followed.
    rewriting : Rewriting
    meanings : mapping
        From symbols of the rewriting to what they stand for.
    tick, work
        See `diagrams.flow.Flow`.
    """

    def __init__(
        self,
        observable: DiagramSum,
        rewriting: Rewriting,
        meanings: Mapping[str, Variance],
        *,
        tick: Tick | None = None,
        work: StepRunner = IN_PROCESS,
    ) -> None:
        self._rewriting = rewriting
        self._meanings = meanings
        self._tick: Tick = tick or (lambda added: None)
        self._sums = [observable]
        self.representation: Representation[Any] = represent(
            rewriting.force.generator, observable, symbols=rewriting.symbols, tick=tick, work=work
        )

    def diagrams(self, s: int) -> DiagramSum:
        """The diagrams after s rewritings, before the expectation."""
        while len(self._sums) <= s:
            self._sums.append(self._rewriting.applied(self._sums[-1], self._tick))
        return self._rewriting.still(self._sums[s])

    def count(self, s: int) -> int:
        """Number of distinct diagrams whose expectation is taken after s rewritings."""
        return len(self.diagrams(s))

    def expectation(self, s: int) -> Expectation:
        """The expectation after s rewritings."""
        total = self.diagrams(s)
        denominator = lcm(*(c.denominator for _, c in total))
        state = self.representation.encode((d, int(c * denominator)) for d, c in total)
        moments = evaluated(self.representation.expectation(state))
        return self._with_meanings({key: c / denominator for key, c in moments.items()})

    @staticmethod
    def polynomial(s: int) -> NamedPolynomial | None:
        """None: the expectation is found as terms, see `Flow.polynomial`."""
        return None

    def _with_meanings(self, moments: Expectation) -> Expectation:
        result: Expectation = {}
        for powers, c in moments.items():
            total: dict[str, int] = {}
            for name, power in powers:
                meaning = self._meanings.get(name, Variance(Fraction(1), ((name, 1),)))
                c *= meaning.coefficient**power
                for symbol, more in meaning.powers:
                    total[symbol] = total.get(symbol, 0) + more * power
            key = monomial(total)
            result[key] = result.get(key, Fraction(0)) + c
        return {key: result[key] for key in sorted(result) if result[key]}
