"""Random problems for minutes: the engine against the independent oracle, in flat memory.

A problem is drawn from a seed: a preset of some order, depth, symmetry, target and data, or a
polynomial model of one's own, written as a TOML file and read back, with several terms, axes,
tensors of every kind, a normalisation and a second loss. Its exact coefficients at tiny integer
sizes have to be those of `diagflow.oracle`, which multiplies polynomials out and knows nothing of
diagrams.

`DIAGFLOW_SOAK_MINUTES` says for how long (1), `DIAGFLOW_SOAK_SEED` where the seeds begin (0); case
k of a run has the seed `DIAGFLOW_SOAK_SEED` + k, which a failure names, so that it is the first
case of a run that begins there. With ``pytest -s`` the run tells how far it is.
"""

from __future__ import annotations

import gc
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import comb, gcd, prod
from statistics import median
from string import ascii_letters

import psutil
import pytest

from diagflow.checking.translation import at_numbers
from diagflow.oracle import Moments, OracleLoss, Term, loss_derivatives
from diagrams.errors import BudgetExceededError, CapacityError
from diagrams.network import Network
from diagrams.tensors import UNIT_VARIANCE, Axis, Kind, Tensor
from expansion import losses
from expansion.models import autoencoder, cp, deep_linear, tied_autoencoder, two_layer
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem
from expansion.problem_files.toml_document import TomlDocument
from expansion.series import Budget, LossSeries
from expansion.targets import TARGETS

MINUTES = float(os.environ.get("DIAGFLOW_SOAK_MINUTES", "1"))
SEED = int(os.environ.get("DIAGFLOW_SOAK_SEED", "0"))

GROWTH = 64 * 2**20
"""How much the memory of the process may grow after the first quarter, in bytes."""

BUDGET = Budget(seconds=4, diagrams=20_000)
"""What the engine may spend on one problem; one that takes more is counted and left."""

MONOMIALS = 2_000_000
"""How many products of monomials the oracle may take for one coefficient, roughly."""

LAST = 4
"""The largest s."""

DESIGN = (0,) * 6 + (1, -1) * 2 + (2, -2)
"""Twelve numbers whose mean of x^k is that of a standard Gaussian for k up to 5."""


@dataclass(frozen=True)
class Case:
    """A problem, the losses that the oracle is told, and numbers for its sizes and amplitudes."""

    text: str
    problem: Problem
    told: Mapping[str, losses.QuadraticLoss]
    values: Mapping[str, Fraction]


# --- what is drawn --------------------------------------------------------------------------------


def drawn(seed: int) -> Case:
    """The problem of a seed."""
    dice = random.Random(seed)
    return (file_case if dice.random() < 0.6 else preset_case)(dice)


def preset_case(dice: random.Random) -> Case:
    target = dice.choice([*TARGETS, drawn_target(dice)])
    data = dice.random() < 0.5
    makers: dict[str, Callable[[], Problem]] = {
        "cp": lambda: cp(
            dice.choice([2, 2, 3, 3, 4]), symmetric=dice.random() < 0.5, target=target
        ),
        "autoencoder": lambda: autoencoder(data=data, target=target),
        "tied-autoencoder": lambda: tied_autoencoder(data=data, target=target),
        "deep-linear": lambda: deep_linear(dice.randint(2, 4), data=data, target=target),
        "two-layer": lambda: two_layer(dice.randint(1, 2), target=target),
    }
    problem = makers[dice.choice([*makers, "cp", "cp"])]()
    return Case(problem.title, problem, told_by(problem), drawn_values(dice, problem))


def drawn_target(dice: random.Random) -> str:
    """A linear combination of targets with numbers and symbols in front."""
    terms = []
    for name in dice.sample(sorted(TARGETS), dice.randint(1, 3)):
        symbol = dice.choice(["", "alpha * ", "beta "])
        terms.append(f"{dice.randint(1, 5)}/{dice.randint(1, 3)} {symbol}{name}")
    return dice.choice([" + ", " - "]).join(terms)


def told_by(problem: Problem) -> dict[str, losses.QuadraticLoss]:
    driving = {problem.loss_name: problem.driving}
    return driving | {loss.name: loss for loss in problem.observed}


def drawn_values(dice: random.Random, problem: Problem) -> dict[str, Fraction]:
    """Mostly sizes of 1 and 2, so that the oracle has few entries."""
    values = {name: Fraction(dice.choice([1, 1, 2, 2, 3])) for name in problem.growing}
    for name in problem.amplitude_symbols:
        values[name] = Fraction(dice.choice([-2, -1, 1, 2, 3]), dice.randint(1, 3))
    return values


AXES = (Axis("p"), Axis("H"), Axis("N"), Axis("two", pinned=2), Axis("one", pinned=1))
P, H, N, TWO, ONE = AXES
FIXED = (
    Tensor("S", (P, P), Kind.GAUSSIAN, "tau2"),
    Tensor("X", (P, N), Kind.GAUSSIAN, UNIT_VARIANCE),
    Tensor("y", (P,), Kind.GAUSSIAN, UNIT_VARIANCE),
    Tensor("g", (TWO,), Kind.GAUSSIAN, "tau2"),
    Tensor("first", (P,), Kind.PIN),
    Tensor("e", (TWO,), Kind.PIN),
    Tensor("same", (P, P), Kind.DELTA),
    Tensor("triple", (TWO, TWO, TWO), Kind.DELTA),
    Tensor("plus", (P, P, P), Kind.MODULAR),
)


def file_case(dice: random.Random) -> Case:
    """A polynomial model with terms, axes and tensors of its own, written as a TOML file."""
    axes = dice.choice([(P, H), (P, H), (P,), (P, TWO), (P, H, ONE), (P, N)])
    weights = [
        Tensor(
            name,
            tuple(dice.choice(axes) for _ in range(dice.choice([1, 2, 2, 3]))),
            variance=dice.choice(["sigma2", "sigma2", "tau2", UNIT_VARIANCE]),
        )
        for name in ("W", "V", "u")[: dice.randint(1, 3)]
    ]
    fixed = dice.sample(FIXED, dice.randint(0, 3))
    named = {}
    for name in ("train", "test")[: dice.randint(1, 2)]:
        slots = weights[0].axes
        output_axes = tuple(dice.sample(slots, min(len(slots), dice.choice([0, 1, 1, 2]))))
        outputs = tuple(f"o{place}" for place in range(len(output_axes)))
        model = [drawn_network(dice, [weights[0]], weights + fixed, outputs, output_axes)]
        model += [
            drawn_network(dice, [], weights + fixed, outputs, output_axes)
            for _ in range(dice.choice([0, 0, 1, 2]))
        ]
        target = [
            drawn_network(dice, [], fixed, outputs, output_axes, at_least=0)
            for _ in range(dice.randint(1, 2))
        ]
        named[name] = losses.QuadraticLoss(
            name=name,
            model=tuple(model),
            target=tuple(target),
            output_axes=output_axes,
            normalisation=dice.choice([(), (), (("p", -1),), (("alpha", 1), ("p", -2))]),
        )
    text = written(named)
    problem = read_problem(TomlDocument.parse("soak.toml", text))
    # What the file declares may be a symbol of a normalisation only.
    declared = {"alpha": Fraction(dice.choice([-1, 2, 3]), 2)}
    declared |= {axis.name: Fraction(dice.randint(1, 2)) for axis in AXES if not axis.pinned}
    values = declared | drawn_values(dice, problem)
    return Case(text, problem, named, values)


def drawn_network(
    dice: random.Random,
    first: list[Tensor],
    others: list[Tensor],
    outputs: tuple[str, ...],
    output_axes: tuple[Axis, ...],
    *,
    at_least: int = 1,
) -> Network:
    """A product of at most three tensors, with the open indices wherever they fit."""
    count = dice.choice([at_least, 1, 1, 2, 2, 3]) - len(first)
    chosen = first + [dice.choice(others) for _ in range(count if others else 0)]
    open_indices = list(zip(outputs, output_axes, strict=True))
    pool = [*open_indices, *((f"{axis.name}{k}", axis) for axis in AXES for k in "ab")]
    unused = list(open_indices) if first else []
    factors = []
    for tensor in chosen:
        at = []
        for axis in tensor.axes:
            # The first term of a model has every open index in a slot: so its axis is known.
            fitting = [pair for pair in unused if pair[1] == axis]
            pair = fitting[0] if fitting else dice.choice([q for q in pool if q[1] == axis])
            if pair in unused:
                unused.remove(pair)
            at.append(pair[0])
        factors.append((tensor, tuple(at)))
    coefficient = Fraction(dice.choice([1, 1, -1, 2, -3]), dice.choice([1, 1, 2, 3]))
    amplitudes = dice.choice([(), (), (), (Axis("alpha"),), (P,)])
    return Network(tuple(factors), outputs, coefficient, amplitudes)


def written(named: Mapping[str, losses.QuadraticLoss]) -> str:
    """The TOML file of losses; the first drives the flow."""
    used = {tensor for loss in named.values() for tensor in loss.tensors}
    lines = [f'family = "soak"\nflow = "{next(iter(named))}"\namplitudes = ["alpha"]\n[axes]']
    for axis in AXES:
        size = '"growing"' if axis.pinned is None else axis.pinned
        lines.append(f"{axis.name} = {size}")
    for tensor in sorted(used, key=lambda tensor: tensor.sort_key):
        slots = ", ".join(f'"{axis.name}"' for axis in tensor.axes)
        variance = f', variance = "{tensor.variance}"' if tensor.variance else ""
        variance = variance.replace('"1"', "1")
        lines.append(
            f'[tensors.{tensor.name}]\nkind = "{tensor.kind.value}"\naxes = [{slots}]'
            + variance.replace(", ", "\n")
        )
    for name, loss in named.items():
        outputs = ", ".join(f'"o{place}"' for place in range(len(loss.output_axes)))
        powers = ", ".join(f"{symbol} = {power}" for symbol, power in loss.normalisation)
        lines.append(
            f'[losses.{name}]\noutputs = [{outputs}]\nmodel = "{formula(loss.model)}"\n'
            f'target = "{formula(loss.target)}"\nnormalisation = {{ {powers} }}'
        )
    return "\n".join(lines) + "\n"


def formula(networks: Iterable[Network]) -> str:
    words = []
    for network in networks:
        words.append("-" if network.coefficient < 0 else "+")
        words.append(str(abs(network.coefficient)))
        words += [axis.name for axis in network.amplitudes]
        words += [f"{tensor.name}[{','.join(at)}]" for tensor, at in network.factors]
    return " ".join(words)


# --- the same for the oracle ----------------------------------------------------------------------


@dataclass
class OracleProblem:
    """Networks as einsum terms of the oracle, at given values of sizes and amplitudes."""

    values: Mapping[str, Fraction]
    averaged: bool
    letters: dict[tuple[str, Axis], str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def letter(self, index: str, axis: Axis) -> str:
        if (index, axis) not in self.letters:
            letter = [a for a in ascii_letters if a != "x"][len(self.letters)]
            self.letters[index, axis] = letter
            self.sizes[letter] = axis.pinned or int(self.values[axis.name])
        return self.letters[index, axis]

    def loss(self, loss: losses.QuadraticLoss) -> OracleLoss:
        size = prod(
            (self.values[name] ** power for name, power in loss.normalisation), start=Fraction(1)
        )
        inputs = len(DESIGN) ** self.dimension if self.averaged else 1
        return OracleLoss(
            tuple(self.term(network, loss.output_axes) for network in loss.model),
            tuple(self.term(network, loss.output_axes) for network in loss.target),
            size / (2 * inputs),
        )

    @property
    def dimension(self) -> int:
        return int(self.values["p"])

    def term(self, network: Network, output_axes: tuple[Axis, ...]) -> Term:
        axes = network.index_axes(output_axes)
        at = {index: self.letter(index, axis) for index, axis in axes.items()}
        factors = []
        for tensor, indices in network.factors:
            # The average over Gaussian inputs is a mean over finitely many of them, numbered by x.
            number = "x" if self.averaged and tensor.name == "x" else ""
            factors.append((tensor.name, number + "".join(at[index] for index in indices)))
        coefficient = network.coefficient
        for axis in network.amplitudes:
            coefficient *= self.values[axis.name]
        output = "".join(at[index] for index in network.output) + "x" * self.averaged
        if self.averaged:
            self.sizes["x"] = len(DESIGN) ** self.dimension
        return Term(coefficient, tuple(factors), output)


def entries_of(tensor: Tensor) -> Callable[..., int]:
    """The entries of a tensor that is not random."""
    if tensor.kind is Kind.PIN:
        return lambda at: int(at == 0)
    return lambda *at: int(len({*at}) == 1)


def modular_sum(p: int) -> Callable[..., int]:
    return lambda *at: int(sum(at[:-1]) % p == at[-1])


def expected(case: Case, name: str, last: int) -> list[Moments]:
    """The coefficients of a loss along the flow, from the oracle."""
    averaged = bool(case.problem.averaged_over)
    translation = OracleProblem(case.values, averaged)
    driving = case.told[case.problem.loss_name]
    observed = case.told[name]
    tensors = driving.tensors | observed.tensors
    structural = {t.name: entries_of(t) for t in tensors if not t.is_random}
    structural |= {
        t.name: modular_sum(translation.dimension) for t in tensors if t.kind is Kind.MODULAR
    }
    random_ones = [t for t in tensors if t.is_random]
    if averaged:
        inputs = list(product(DESIGN, repeat=translation.dimension))
        structural["x"] = lambda number, i: inputs[number][i]
        random_ones = [t for t in random_ones if t.name != "x"]
    flow = translation.loss(driving)
    followed = translation.loss(observed)
    return loss_derivatives(
        flow.model,
        flow.target,
        translation.sizes,
        last,
        {t.name: t.variance for t in random_ones},
        frozen={t.name for t in random_ones if not t.is_learnable},
        structural=structural,
        prefactor=flow.prefactor,
        observable=followed,
    )


def affordable(case: Case) -> int:
    """The largest s for which the oracle has few monomials, -1 if there is none."""
    sizes = {axis: axis.pinned or int(case.values[axis.name]) for axis in case.problem.axes}
    used = {t for loss in case.told.values() for t in loss.tensors} - {*case.problem.averaged_over}
    entries = sum(prod(sizes[axis] for axis in t.axes) for t in used if t.is_random)
    degree = 2 * max(
        sum(t.is_random for t, _ in network.factors)
        for loss in case.told.values()
        for network in (*loss.model, *loss.target)
    )
    slots = max(prod(sizes[axis] for axis in loss.output_axes) for loss in case.told.values())
    loss = comb(entries + degree, entries)
    if slots * loss > MONOMIALS or (case.problem.averaged_over and case.values["p"] > 1):
        return -1
    return max(
        s
        for s in range(-1, LAST + 1)
        if s <= 0 or comb(entries + degree + (s - 1) * (degree - 2), entries) * loss <= MONOMIALS
    )


# --- the comparison -------------------------------------------------------------------------------


def compare(case: Case) -> Counter[str]:
    """Compare all losses of a problem; tells how many coefficients and why others were left."""
    found: Counter[str] = Counter()
    last = affordable(case)
    if last < 0:
        return Counter({"too large for the oracle": 1})
    for name in case.told:
        exact = expected(case, name, last)
        series = LossSeries(case.problem, loss=name, budget=BUDGET)
        for s, moments in enumerate(exact):
            try:
                mine = series[s]
            except BudgetExceededError:
                found["beyond the budget"] += 1
                break
            except CapacityError:
                found["beyond the capacity"] += 1
                break
            if any(
                gcd(int(case.values[a]), d) > 1 for a, ds in series.divisors.items() for d in ds
            ):
                found["at a size left out"] += 1
                break
            assert at_numbers(mine, case.values) == moments, (
                f"Y_{s} of {name} at {dict(case.values)} in\n{case.text}"
            )
            found["compared"] += 1
            found["compared and not zero"] += bool(moments)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_case_is_that_of_its_seed(seed: int) -> None:
    """The text names everything; reading it twice gives the same problem."""
    assert drawn(seed) == drawn(seed)


def test_a_wrong_coefficient_is_found() -> None:
    """A problem that is told wrongly to the oracle differs from the second coefficient on."""
    case = drawn(next(seed for seed in range(100) if affordable(drawn(seed)) > 0))
    name = case.problem.loss_name
    driving = case.told[name]
    twice = tuple(
        Network(network.factors, network.output, 2 * network.coefficient, network.amplitudes)
        for network in driving.model
    )
    wrong = losses.QuadraticLoss(
        name=name,
        model=twice,
        target=driving.target,
        output_axes=driving.output_axes,
        normalisation=driving.normalisation,
        averaged_over=driving.averaged_over,
    )
    with pytest.raises(AssertionError, match=f"^Y_0 of {name} at "):
        compare(Case(case.text, case.problem, {**case.told, name: wrong}, case.values))


@pytest.mark.slow
def test_random_problems_against_the_oracle_in_flat_memory() -> None:
    process = psutil.Process()
    start = time.monotonic()
    end = start + 60 * MINUTES
    told = start
    found: Counter[str] = Counter()
    memory: list[tuple[float, int]] = []
    seed = SEED
    while time.monotonic() < end or seed == SEED:
        try:
            found += compare(drawn(seed))
        except Exception as error:
            raise AssertionError(
                f"case of seed {seed}; DIAGFLOW_SOAK_SEED={seed} begins with it"
            ) from error
        seed += 1
        gc.collect()
        memory.append((time.monotonic(), process.memory_info().rss))
        if time.monotonic() - told > 30:
            told = time.monotonic()
            print(
                f"{told - start:6.0f} s: {seed - SEED} problems, seeds {SEED} to {seed - 1}; "
                f"{memory[-1][1] / 2**20:.0f} MiB; {dict(found)}",
                flush=True,
            )
    print(f"{seed - SEED} problems, seeds {SEED} to {seed - 1}: {dict(found)}", flush=True)
    assert found["compared and not zero"] > 0
    quarter = (memory[-1][0] - start) / 4
    early = median([size for at, size in memory if quarter <= at - start <= 2 * quarter] or [0])
    late = median([size for at, size in memory if at - start >= 3 * quarter])
    print(f"memory: {early / 2**20:.0f} MiB early, {late / 2**20:.0f} MiB late", flush=True)
    if early:
        assert late - early < GROWTH
