"""Targets: what a model with open indices on one axis, p in the presets, is fitted to.

A target of order nu is a sum of networks with nu open indices:

- ``identity``: F = 1 where all indices agree and 0 elsewhere;
- ``zero``: F = 0, free evolution;
- ``spike``: F = 1 where all indices are the first one and 0 elsewhere, on a pinned node;
- ``spiked``: identity + alpha * spike, with a symbol alpha;
- ``modular-addition``: F = 1 where the last index is the sum of the others modulo p;
- ``teacher``: F = sum over k of prod_m V^(m)_{k,im}, a CP model of rank H_teacher whose Gaussian
  entries, of variance sigma2_teacher, never move; the modes share one matrix if the model's do.

A *linear combination* of them is a formula with rational and symbolic coefficients. To add a
target, add a function to `TARGETS`; nothing else has to know.

>>> [network.output for network in target_networks("identity", order=3)]
[('i', 'i', 'i')]
>>> two = target_networks("1/2*identity - beta*beta*teacher", order=2)
>>> [(str(term.coefficient), [a.name for a in term.amplitudes]) for term in two]
[('1/2', []), ('-1', ['beta', 'beta'])]

The series of a problem with modular addition holds for those p that have no factor in common with
the *elementary divisors* of the conditions on its indices; see `diagrams.residue_sums` and
`expansion.series.LossSeries.divisors`.

Source: Yarotsky, Golikov, Gusev 2026, section 2 and theorem 3.1; formulas are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from diagrams.arguments import word
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.formula_parser import FormulaTerm, read_formula

__all__ = ["TARGETS", "scaled", "target_networks", "target_title"]

MODES = Axis("p")
"""The axis of the open indices of the presets."""

Target = Callable[..., tuple[Network, ...]]
"""Makes the networks from the order.

``symmetric`` is true if the modes share tensors, ``axis`` is the axis of all open indices.
"""


def identity(order: int, *, symmetric: bool = False, axis: Axis = MODES) -> tuple[Network, ...]:
    """F = 1 where all indices agree and 0 elsewhere."""
    return (Network((), ("i",) * order),)


def zero(order: int, *, symmetric: bool = False, axis: Axis = MODES) -> tuple[Network, ...]:
    """F = 0: free evolution."""
    return ()


def spike(order: int, *, symmetric: bool = False, axis: Axis = MODES) -> tuple[Network, ...]:
    """F = 1 where all indices are the first one and 0 elsewhere."""
    return (Network(((Tensor.pin(axis), ("i",)),), ("i",) * order),)


def spiked(order: int, *, symmetric: bool = False, axis: Axis = MODES) -> tuple[Network, ...]:
    """The identity with a spike of amplitude alpha."""
    alpha = Axis("alpha")
    spikes = spike(order, axis=axis)
    return identity(order) + tuple(replace(term, amplitudes=(alpha,)) for term in spikes)


def modular_addition(
    order: int, *, symmetric: bool = False, axis: Axis = MODES
) -> tuple[Network, ...]:
    """F = 1 where the last index is the sum of the others modulo p."""
    modes = tuple(f"i{mode}" for mode in range(1, order + 1))
    return (Network(((Tensor.modular_sum(axis, order), modes),), modes),)


def teacher(order: int, *, symmetric: bool = False, axis: Axis = MODES) -> tuple[Network, ...]:
    """A fixed random CP model of rank H_teacher and variance sigma2_teacher."""
    modes = tuple(f"i{mode}" for mode in range(1, order + 1))
    axes = (Axis("H_teacher"), axis)
    factors = tuple(
        (
            Tensor("V" if symmetric else f"V{number}", axes, Kind.GAUSSIAN, "sigma2_teacher"),
            ("k", mode),
        )
        for number, mode in enumerate(modes, 1)
    )
    return (Network(factors, modes),)


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "identity": identity,
        "modular-addition": modular_addition,
        "spike": spike,
        "spiked": spiked,
        "teacher": teacher,
        "zero": zero,
    }
)
"""Targets by name, as functions of the order."""


def target_networks(formula: str, *, order: int, symmetric: bool = False) -> tuple[Network, ...]:
    """The networks of a target, or of a linear combination of targets.

    Parameters
    ----------
    formula : str
        A name in `TARGETS`, or several with ``+`` or ``-`` between them, each with rational numbers
        and symbols in front, such as ``identity + 1/2*alpha*teacher``; see
        `expansion.formula_parser`. ``0`` is the zero target.
    order : int
        Number of open indices.
    symmetric : bool, default False
        Whether the modes of a teacher share one matrix.

    Raises
    ------
    InvalidInputError
        If the formula is not of this form or names an unknown target.
    """
    result: list[Network] = []
    for term in read_formula(word(formula, "target"), names=tuple(TARGETS)):
        if term.is_zero:
            continue
        if term.entries or term.name is None:
            words = *term.symbols, *(name for name, _ in term.entries), str(term.coefficient)
            raise InvalidInputError(
                f"target {words[0]!r}: is not known; choose one of {', '.join(TARGETS)}"
            )
        result += scaled(TARGETS[term.name](order, symmetric=symmetric), term)
    return tuple(result)


def target_title(formula: str) -> str:
    """What describes a target: its formula, and ``zero`` for the number.

    Examples
    --------
    >>> target_title(" 0 "), target_title("identity")
    ('zero', 'identity')
    """
    return "zero" if formula.strip() == "0" else formula


def scaled(networks: Iterable[Network], term: FormulaTerm) -> Iterator[Network]:
    """Networks times the number and the symbols of a term."""
    for network in networks:
        yield replace(
            network,
            coefficient=network.coefficient * term.coefficient,
            amplitudes=(*network.amplitudes, *map(Axis, term.symbols)),
        )
