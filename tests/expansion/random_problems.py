"""Small random problems as documents: one to three sizes, products of weights, targets of any kind.

Every problem is drawn from a number, so that a failure can be repeated.
"""

import random
from collections.abc import Sequence

from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem
from expansion.problem_files.toml_document import TomlDocument

__all__ = ["random_problem"]

AXES = ("p", "H", "n")


def random_problem(seed: int) -> Problem:
    """The problem of a number."""
    return read_problem(TomlDocument.parse("random.toml", text_of(random.Random(seed))))


def text_of(dice: random.Random) -> str:
    axes = AXES[: dice.choice([1, 2, 2, 3])]
    outputs = tuple(dice.choice(axes) for _ in range(dice.choice([0, 1, 1, 2])))
    shared = dice.random() < 0.5
    weights: dict[str, tuple[str, ...]] = {}
    terms = [term(dice, axes, outputs, weights, 1)]
    if dice.random() < 0.3:
        terms.append(term(dice, axes, outputs, weights, 2))
    lines = ['family = "random"', 'amplitudes = ["beta"]', "[axes]"]
    lines += [f'{axis} = "growing"' for axis in (*axes, "R")]
    lines.append("[tensors]")
    for number, (name, slots) in enumerate(sorted(weights.items())):
        variance = "sigma2" if shared or not number else f"s_{'abcdef'[number]}"
        lines.append(tensor(name, "weight", slots, variance))
    lines.append(tensor("F", "gaussian", outputs or axes[:1], "tau2"))
    lines.append(tensor("A", "gaussian", (*outputs, "R"), "tau2"))
    lines.append(f'E = {{ kind = "structural", axes = [{quoted(axes[0])}, {quoted(axes[0])}] }}')
    lines.append(
        "[losses.train]\n"
        f"outputs = [{', '.join(quoted(f'o{k}') for k in range(len(outputs)))}]\n"
        f'model = "{" + ".join(terms)}"\n'
        f'target = "{target(dice, outputs)}"'
    )
    return "\n".join(lines) + "\n"


def term(
    dice: random.Random,
    axes: Sequence[str],
    outputs: Sequence[str],
    weights: dict[str, tuple[str, ...]],
    place: int,
) -> str:
    """A product of at most three weights on the outputs and on one summed index."""
    summed = dice.choice(axes)
    slots = [(f"o{k}", axis) for k, axis in enumerate(outputs)]
    groups: list[list[tuple[str, str]]] = [[] for _ in range(dice.choice([1, 2, 2, 3]))]
    for slot in slots:
        dice.choice(groups).append(slot)
    for group in groups:
        if not group or dice.random() < 0.7:
            group.append(("k", summed))
    factors = []
    for number, group in enumerate(groups):
        name = f"W{'abc'[number]}{'xy'[place - 1]}"
        alike = [known for known, axes_of in weights.items() if axes_of == shape(group)]
        name = dice.choice(alike) if alike and dice.random() < 0.5 else name
        weights.setdefault(name, shape(group))
        factors.append(f"{name}[{','.join(index for index, _ in group)}]")
    return " ".join(factors)


def shape(group: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(axis for _, axis in group)


def target(dice: random.Random, outputs: Sequence[str]) -> str:
    at = ",".join(f"o{k}" for k in range(len(outputs)))
    choices = ["0", "1", "beta"]
    if outputs:
        choices += [f"F[{at}]", f"beta F[{at}]", f"A[{at},r]", f"F[{at}] + beta A[{at},r]"]
    if tuple(outputs) == (AXES[0], AXES[0]):
        choices += ["E[o0,o1]", "beta E[o0,o1]"]
    return dice.choice(choices)


def tensor(name: str, kind: str, slots: Sequence[str], variance: str) -> str:
    axes = ", ".join(quoted(axis) for axis in slots)
    return f'{name} = {{ kind = "{kind}", axes = [{axes}], variance = "{variance}" }}'


def quoted(word: str) -> str:
    return f'"{word}"'
