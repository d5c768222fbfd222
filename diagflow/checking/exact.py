"""Exact checks: each compares the engine with a route that shares no step with it.

- *oracle*: the coefficients at small integer sizes against ordinary polynomial algebra, for every
  loss of the problem, see `diagflow.oracle`;
- *counters*: with all symbols equal to one every matching contributes one (times the numbers in
  variances, and once for each order of the slots of a symmetric tensor), so that a
  diagram with n factors of a tensor counts (n - 1)!!, and the terms that merging enumerates add up
  to the engine's coefficient; beside it moments of Wishart matrices, counted by gluing polygons;
- *certificates*: the Taylor coefficients of every solved regime against the exact leading ones.

>>> from expansion.models import cp
>>> print(check_counters(cp(order=2, symmetric=True), terms=2).detail)
Y_0 ... Y_2 at sizes and variances 1: 10 diagrams, 148 matchings

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import gcd, prod

from diagflow.checking.findings import Finding, Verdict, listed
from diagflow.checking.translation import OracleProblem, at_numbers
from diagflow.time_limit import TimeLimit, time_limit
from diagflow.wording import as_options
from diagrams.counting import catalan, double_factorial, narayana, wishart_moment
from diagrams.diagram import Diagram
from diagrams.errors import BudgetExceededError, CapacityError, DiagflowError
from diagrams.generator import at_rest
from diagrams.tensors import Axis, Tensor
from diagrams.variances import Variance
from diagrams.wick import expectation
from expansion.polynomial import symbol_order
from expansion.problem import Problem
from expansion.regimes import Regimes
from expansion.series import Budget, LossSeries
from pde.solving import solution

__all__ = ["check_certificates", "check_counters", "check_oracle", "check_wishart"]

BUDGET = Budget(diagrams=20_000)
"""The budget of the engine for one loss: diagrams, so that the answer depends on no clock."""

_DIAGRAMS = 2_000
_POWERS = 5


def check_oracle(problem: Problem, *, monomials: int = 200_000) -> Finding:
    """The coefficients of every loss at sizes 1, 2 and 3 against the oracle.

    Parameters
    ----------
    problem : Problem
    monomials : int
        What the oracle may spend on one coefficient; larger ones are left out.
    """
    compared: Counter[int] = Counter()
    wrong: list[str] = []
    try:
        for name in problem.losses:
            series = LossSeries(problem, loss=name, budget=BUDGET)
            for values in _small_numbers(problem):
                oracle_problem = OracleProblem(problem, values)
                reach = oracle_problem.reach(name, monomials=monomials)
                mine = _affordable(series, reach)
                if _left_out(series, values):
                    continue
                for s, exact in enumerate(
                    oracle_problem.coefficients(name, mine) if mine >= 0 else []
                ):
                    compared[s] += 1
                    if at_numbers(series[s], values) != exact:
                        at = ", ".join(
                            f"{n} = {values[n]}" for n in sorted(values, key=symbol_order)
                        )
                        wrong.append(f"Y_{s} of {name} at {at}")
    except DiagflowError as error:
        return Finding(problem.title, "oracle", Verdict.SKIPPED, as_options(error))
    if not compared:
        detail = "no coefficient is small enough for the oracle"
        return Finding(problem.title, "oracle", Verdict.SKIPPED, detail)
    if wrong:
        return Finding(problem.title, "oracle", Verdict.FAILED, f"differs: {listed(wrong)}")
    detail = f"up to Y_{max(compared)} at sizes 1 to 3: {compared.total()} polynomials are equal"
    return Finding(problem.title, "oracle", Verdict.PASSED, detail)


def _small_numbers(problem: Problem) -> Iterator[dict[str, Fraction]]:
    """All sizes 1, then one of them 2 or 3, and amplitudes that are not one.

    The larger axis of an isometry grows with the smaller one. Symbols in the laws of tensors that
    are drawn anew are numbers below one, which may be probabilities.
    """
    amplitudes = {name: Fraction(k + 2, 3) for k, name in enumerate(problem.amplitude_symbols)}
    redrawn = (t.entries.symbols for t in problem.tensors if t.name in problem.drive.resample)
    symbols = {name for own in redrawn for name in own} - {*problem.growing}
    amplitudes |= {name: Fraction(1, k + 2) for k, name in enumerate(sorted(symbols))}
    ones = dict.fromkeys(problem.growing, Fraction(1))
    above: dict[str, set[str]] = {name: {name} for name in problem.growing}
    for _ in above:
        for small, large in problem.nested:
            if large.pinned is None and small.pinned is None:
                above[small.name] |= above[large.name]
    for small, large in problem.nested:
        if large.pinned is None and small.pinned is not None:
            least = Fraction(small.pinned)
            ones |= {name: max(ones[name], least) for name in above[large.name]}
    yield ones | amplitudes
    for size in (2, 3):
        for name in problem.growing:
            raised = {other: max(ones[other], Fraction(size)) for other in above[name]}
            yield ones | raised | amplitudes


def _affordable(series: LossSeries, reach: int) -> int:
    """The largest s up to the reach that the budget allows."""
    try:
        if reach >= 0:
            _ = series[reach]
    except (BudgetExceededError, CapacityError):
        return len(series.known) - 1
    return reach


def _left_out(series: LossSeries, values: Mapping[str, Fraction]) -> bool:
    """Whether the coefficients do not hold at a size."""
    return any(
        gcd(int(values[name]), divisor) > 1
        for name, divisors in series.divisors.items()
        for divisor in divisors
    )


def check_counters(problem: Problem, *, terms: int = 2) -> Finding:
    """The number of matchings, with signs and factors, against the coefficients at ones.

    Parameters
    ----------
    problem : Problem
    terms : int
        The largest s.
    """
    title = problem.title
    pinned = [axis.name for axis in problem.axes if axis.pinned not in (None, 1)]
    if pinned:
        detail = f"axis {pinned[0]} has a fixed size, so that not all sizes can be 1"
        return Finding(title, "counters", Verdict.SKIPPED, detail)
    series = LossSeries(problem, budget=BUDGET)
    if problem.drive.is_rewriting:
        detail = "mergers are counted for flows without finite steps"
        return Finding(title, "counters", Verdict.SKIPPED, detail)
    generator = problem.dynamics.generator
    current, wrong = problem.driving.quantity.diagrams, list[str]()
    diagrams, matchings, last = 0, 0, -1
    try:
        for s in range(terms + 1):
            if s:
                current = generator.applied(current)
            if diagrams + len(current) > _DIAGRAMS:
                break
            still = at_rest(current)
            counted = sum((c * _weight(d) * _matchings(d) for d, c in still), Fraction(0))
            diagrams += len(still)
            matchings += sum(_matchings(diagram) for diagram, _ in still)
            last = s
            if series[s].evaluate(**dict.fromkeys(series[s].symbols, 1)) != counted:
                wrong.append(f"Y_{s}")
    except DiagflowError as error:
        return Finding(title, "counters", Verdict.SKIPPED, as_options(error))
    if last < 0:
        return Finding(title, "counters", Verdict.SKIPPED, "the loss has too many diagrams")
    if wrong:
        return Finding(title, "counters", Verdict.FAILED, f"differs: {listed(wrong)}")
    terms_text = f"Y_0 ... Y_{last}" if last else "Y_0"
    detail = f"{terms_text} at sizes and variances 1: {diagrams} diagrams, {matchings} matchings"
    return Finding(title, "counters", Verdict.PASSED, detail)


def _weight(diagram: Diagram) -> Fraction:
    """The contribution of a perfect matching when all symbols are one: the numbers in variances.

    Where a law has other cumulants, it is the moment of the law instead.
    """
    counts = Counter(tensor for tensor, _ in diagram.factors if tensor.is_random)
    result = Fraction(1)
    for tensor, count in counts.items():
        if tensor.entries.is_wick:
            result *= Variance.parse(tensor.variance).coefficient ** (count // 2)
        else:
            result *= sum(tensor.entries.moment(count).values(), Fraction(0))
    return result


def _matchings(diagram: Diagram) -> int:
    """The number of perfect matchings of the Gaussian factors of a diagram, tensor by tensor.

    Factors of a tensor with another law count as one; `_weight` has all their set partitions.
    Pairs of factors of a symmetric tensor count once for every order of their slots.
    """
    counts = Counter(t for t, _ in diagram.factors if t.is_random and t.entries.is_wick)
    if any(count % 2 for count in counts.values()):
        return 0
    return prod(
        double_factorial(count - 1) * len(tensor.orders) ** (count // 2)
        for tensor, count in counts.items()
    )


def check_wishart() -> Finding:
    """Contractions of Tr (W W^T)^k against polygons glued to surfaces, and planar ones."""
    p, H = Axis("p"), Axis("H")
    W = Tensor("W", (H, p), variance="sigma2")
    wrong = []
    for power in range(1, _POWERS + 1):
        edges = tuple((W, (j, power + (j + k) % power)) for j in range(power) for k in (0, 1))
        found = {
            (dict(powers)["H"], dict(powers)["p"]): value
            for powers, value in expectation(Diagram((H,) * power + (p,) * power, edges)).items()
        }
        planar = {n: value for (n, q), value in found.items() if n + q == power + 1}
        narayana_row = {k: narayana(power, k) for k in range(1, power + 1)}
        if (
            found != wishart_moment(power)
            or planar != narayana_row
            or sum(planar.values()) != catalan(power)
        ):
            wrong.append(f"Tr (W W^T)^{power}")
    if wrong:
        return Finding(None, "counters", Verdict.FAILED, f"differs: {listed(wrong)}")
    detail = f"E Tr (W W^T)^k for k = 1 ... {_POWERS}: polygons, Narayana and Catalan numbers"
    return Finding(None, "counters", Verdict.PASSED, detail)


def _without(limit: TimeLimit | None, late: Sequence[str], exhausted: Sequence[str]) -> str:
    """The regimes left out, and which of two limits is the reason: the clock's or a counted one."""
    text = ""
    if limit is not None and late:
        text += (
            f"; left out, as the time of {limit.seconds:g} seconds was over: {len(late)}, give "
            "--max-seconds"
        )
    if exhausted:
        text += f"; left out, as their budget of diagrams was used up: {listed(exhausted)}"
    return text


def check_certificates(regime_set: Regimes, *, limit: TimeLimit | None = None) -> Finding:
    """Whether every solution reproduces the exact leading coefficients of its regime.

    Parameters
    ----------
    regime_set : Regimes
    limit : TimeLimit, optional
        Regimes that are not solved when it is over are left out, and counted. How many these are
        depends on the machine; those whose own budget of diagrams is used up are named besides.
    """
    problem = regime_set.exponents.problem
    title = None if problem is None else problem.title
    holding: list[str] = []
    wrong: list[str] = []
    unsolved: list[str] = []
    late: list[str] = []
    exhausted: list[str] = []
    for regime in regime_set:
        try:
            with time_limit(None if limit is None else limit.left, "a solution"):
                certificate = solution(regime_set, regime.name).certificate
        except BudgetExceededError:
            (late if limit is not None and limit.is_over else exhausted).append(regime.name)
            continue
        except DiagflowError:
            unsolved.append(regime.name)
            continue
        if not certificate.compared:
            unsolved.append(regime.name)
        elif certificate.holds:
            holding.append(regime.name)
        else:
            missed = sorted({*certificate.compared} - {*certificate.matched})
            wrong.append(f"regime {regime.name} at s = {', '.join(map(str, missed))}")
    if wrong:
        return Finding(title, "certificates", Verdict.FAILED, f"differs: {listed(wrong)}")
    if not holding:
        reason = f"no regime is solved{_without(limit, late, exhausted)}"
        return Finding(title, "certificates", Verdict.SKIPPED, reason)
    rest = f"; not solved: {listed(unsolved)}" if unsolved else ""
    rest += _without(limit, late, exhausted)
    detail = (
        f"{len(holding)} of {len(regime_set)} regimes up to Y_{regime_set.exponents.last}{rest}"
    )
    return Finding(title, "certificates", Verdict.PASSED, detail)
