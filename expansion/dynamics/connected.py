r"""Leading cumulants of order three and four of a regime, from the deviations of its cores.

A run begins with deviations g of its cores from their means, and moves deterministically from
there, so that the loss is a function L(t; g). Its cumulants are sums over *trees*: the points are
the K copies of L and the joint cumulants of the g, a line from one to the other is a core, and each
copy with m lines is the m-th derivative of L by the initial values. With C the cumulants of the g,
of order two, three, ..., and indices summed,

    κ_3  ~  L_a L_b L_c C_abc  +  3 L_ab L_c L_d C_ac C_bd,

    κ_4  ~  L_a L_b L_c L_d C_abcd  +  12 L_ab L_c L_d L_e C_ac C_bde
            +  4 L_abc L_d L_e L_f C_ad C_be C_cf  +  12 L_ab L_cd L_e L_f C_ae C_bc C_df.

Diagrams with a loop are smaller if every further factor of a cumulant costs the same small power,
as for sums of independent contributions. Nothing of this is believed: as for the variance
(`expansion.dynamics.fluctuations`) the coefficients must equal the exact ones.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> from expansion.dynamics.averages import Averages
>>> from expansion.dynamics.derivation import derive
>>> problem = cp(order=2, symmetric=True)
>>> apart = Averages(problem.driven.generator, problem.loss, exchange=False)
>>> dynamics = derive(regimes(problem, terms=4), "E", averages=apart)
>>> [str(value) for value in cumulant_coefficients(dynamics, 3, 1)]
['-8*p*H*sigma2**3', '-96*p*H*sigma2**3']

Source: ours; the sum over trees is the classical limit of a generating function, the delta method
of statistics carried to higher cumulants.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, product
from math import factorial

from flint import fmpq

from diagrams.components import disjoint_union
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from expansion.dynamics.averages import Averages
from expansion.dynamics.derivation import EffectiveDynamics
from expansion.dynamics.fluctuations import linearised, require_numbers
from expansion.dynamics.taylor import Laurent, LaurentRing, SeriesTerm, series_coefficients
from expansion.leading import leading_part
from expansion.polynomial import Polynomial

__all__ = ["TREES", "cumulant_coefficients"]

Tree = tuple[int, tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]
"""In how many ways it occurs, the lines of the copies of L, and those of the cumulants."""

TREES: dict[int, tuple[Tree, ...]] = {
    3: (
        (1, ((0,), (1,), (2,)), ((0, 1, 2),)),
        (3, ((0, 1), (2,), (3,)), ((0, 2), (1, 3))),
    ),
    4: (
        (1, ((0,), (1,), (2,), (3,)), ((0, 1, 2, 3),)),
        (12, ((0, 1), (2,), (3,), (4,)), ((0, 2), (1, 3, 4))),
        (4, ((0, 1, 2), (3,), (4,), (5,)), ((0, 3), (1, 4), (2, 5))),
        (12, ((0, 1), (2, 3), (4,), (5,)), ((0, 4), (1, 2), (3, 5))),
    ),
}
"""The trees of the cumulants, by their order."""

_ONE, _ZERO = Polynomial({(): 1}), Polynomial()

_Series = list[Laurent]


def cumulant_coefficients(
    dynamics: EffectiveDynamics, order: int, last: int, *, diagrams: int | None = None
) -> tuple[Polynomial, ...]:
    """The leading parts of the first coefficients of a cumulant; they are not certified.

    Parameters
    ----------
    dynamics : EffectiveDynamics
        Derived with averages that distinguish exchangeable tensors.
    order : int
        Three or four.
    last : int
        The last coefficient.
    diagrams : int, optional
        Limit on the diagrams met, see `EffectiveDynamics.coefficients`.

    Raises
    ------
    InvalidInputError
        If there are no trees of this order, or as `fluctuations.variance_coefficients`.
    RefusedError, BudgetExceededError
        As there.
    """
    if order not in TREES:
        raise InvalidInputError(
            f"cumulant of order {order} from fluctuations: is known for the orders 2, 3 and 4; use "
            "the exact coefficients"
        )
    require_numbers(dynamics)
    trees = TREES[order]
    numbered = dynamics.numbered(last, diagrams=diagrams)
    cores = numbered[0]
    averages = dynamics.scales.averages
    slopes = {
        lines: _slopes(last, lines, numbered[1:], averages)
        for lines in {len(lines) for _, copies, _ in trees for lines in copies}
    }
    scaling: dict[str, int | Fraction] = {
        name: Fraction(power)
        for name, power in zip(dynamics.regime.symbols, dynamics.regime.scaling, strict=True)
    }
    moving = sorted({place for table in slopes.values() for places in table for place in places})
    joint = {
        places: leading_part(_cumulant([cores[place] for place in places], averages), scaling)
        for size in {len(lines) for _, _, blocks in trees for lines in blocks}
        for places in combinations_with_replacement(moving, size)
    }
    values = [
        *joint.values(),
        *(value for table in slopes.values() for row in table.values() for value in row),
    ]
    ring = LaurentRing(sorted({name for value in values for name in value.symbols}))
    pairs = {places: ring.element(value) for places, value in joint.items() if len(value)}
    # Taylor coefficients: products of series need no binomials.
    moved = {
        lines: {
            places: [
                ring.scaled(ring.element(value), fmpq(1, factorial(s)))
                for s, value in enumerate(row)
            ]
            for places, row in table.items()
        }
        for lines, table in slopes.items()
    }
    total: _Series = [ring.zero] * (last + 1)
    for ways, copies, blocks in trees:
        for series in _terms(copies, blocks, pairs, moved, ring):
            averages.tick(1 + last)
            total = [
                ring.total([before, ring.scaled(value, fmpq(ways))])
                for before, value in zip(total, series, strict=True)
            ]
    return tuple(
        leading_part(ring.polynomial(ring.scaled(value, fmpq(factorial(n)))), scaling)
        for n, value in enumerate(total)
    )


def _terms(
    copies: Sequence[tuple[int, ...]],
    blocks: Sequence[tuple[int, ...]],
    joint: dict[tuple[int, ...], Laurent],
    moved: dict[int, dict[tuple[int, ...], _Series]],
    ring: LaurentRing,
) -> list[_Series]:
    """One tree, for all cores on its lines that have no factor zero."""
    moving = sorted({place for places in joint for place in places})
    lines = 1 + max(line for block in blocks for line in block)
    found = []
    for chosen in product(moving, repeat=lines):
        factors = [joint.get(tuple(sorted(chosen[n] for n in block))) for block in blocks]
        series = [moved[len(copy)].get(tuple(sorted(chosen[n] for n in copy))) for copy in copies]
        if any(value is None for value in (*factors, *series)):
            continue
        weight = ring.one
        for factor in factors:
            assert factor is not None  # looked at above
            weight = ring.product(weight, factor)
        result: _Series | None = None
        for other in series:
            assert other is not None
            result = other if result is None else _product(result, other, ring)
        assert result is not None  # a tree has copies
        found.append([ring.product(weight, value) for value in result])
    return found


def _product(first: _Series, second: _Series, ring: LaurentRing) -> _Series:
    return [
        ring.total([ring.product(first[i], second[n - i]) for i in range(n + 1)])
        for n in range(len(first))
    ]


def _slopes(
    last: int,
    lines: int,
    system: tuple[list[SeriesTerm], dict[int, list[SeriesTerm]], list[Polynomial]],
    averages: Averages,
) -> dict[tuple[int, ...], list[Polynomial]]:
    """The derivatives of Y_0 ... Y_last by so many initial values, those that are not all zero."""
    output, rates, initial = system
    count = len(initial)
    # Every linearisation doubles the variables: what is perturbed, and by how much.
    for level in range(lines):
        shift = count << level
        rates = {
            **rates,
            **{shift + place: linearised(terms, shift) for place, terms in rates.items()},
        }
        output = linearised(output, shift)
    found = {}
    for places in combinations_with_replacement(range(count), lines):
        starts = [*initial, *[_ZERO] * ((count << lines) - count)]
        for level, place in enumerate(places):
            starts[(count << level) + place] = _ONE
        row = series_coefficients(
            last, output=output, rates=rates, initial=starts, tick=averages.tick
        )
        if any(len(value) for value in row):
            found[places] = list(row)
    return found


def _cumulant(cores: Sequence[Diagram], averages: Averages) -> Polynomial:
    """The joint cumulant of some cores at time zero."""
    first, others = cores[0], cores[1:]
    total = _moment(cores, averages)
    for size in range(len(others)):
        for chosen in combinations(range(len(others)), size):
            block = [first, *(others[n] for n in chosen)]
            rest = [core for n, core in enumerate(others) if n not in chosen]
            total -= _cumulant(block, averages) * _moment(rest, averages)
    return total


def _moment(cores: Sequence[Diagram], averages: Averages) -> Polynomial:
    """The mean of a product of cores."""
    union = cores[0]
    for core in cores[1:]:
        union = disjoint_union(union, core)
    return Polynomial(averages.mean(union))
