"""Preset models, each a few lines on top of `Problem`.

>>> cp(order=3, symmetric=True).title
'cp order=3 symmetric=true target=identity'

Source: Yarotsky, Golikov, Gusev 2026, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from expansion.problem import Problem
from expansion.targets import TARGETS

__all__ = ["MAXIMAL_ORDER", "PRESETS", "cp"]

MAXIMAL_ORDER = 100
"""The order of a CP model is bounded, so that a slip of the pen does not fill the memory."""


def cp(order: int = 3, *, symmetric: bool = False, target: str = "identity") -> Problem:
    """The canonical polyadic model f_{i1...iv} = sum_k prod_m u^(m)_{k,im}, fitted to a target.

    Parameters
    ----------
    order : int, default 3
        Number of tensor modes, at least 2.
    symmetric : bool, default False
        One weight matrix shared by all modes (SYM) instead of one for each (ASYM).
    target : str, default "identity"
        A name in `expansion.targets.TARGETS`.

    Returns
    -------
    Problem
        With axes ``p`` (size of every mode) and ``H`` (rank) and variance symbol ``sigma2``.

    Raises
    ------
    InvalidInputError
        If the order is below 2 or above `MAXIMAL_ORDER`, or the target unknown.

    Examples
    --------
    >>> [tensor.name for tensor in cp(order=2).tensors]
    ['U1', 'U2']
    """
    if order < 2:
        raise InvalidInputError(
            f"order {order}: a CP model needs at least two modes; give --order 2 or more"
        )
    if order > MAXIMAL_ORDER:
        raise InvalidInputError(
            f"order {order}: more than {MAXIMAL_ORDER} modes are out of reach; give a smaller "
            "--order"
        )
    if target not in TARGETS:
        raise InvalidInputError(
            f"target {target!r}: is not known; choose one of {', '.join(sorted(TARGETS))}"
        )
    p, H = Axis("p"), Axis("H")
    names = ["U"] * order if symmetric else [f"U{mode}" for mode in range(1, order + 1)]
    modes = [f"i{mode}" for mode in range(1, order + 1)]
    factors = tuple(
        (Tensor(name, (H, p), variance="sigma2"), ("k", mode))
        for name, mode in zip(names, modes, strict=True)
    )
    return Problem(
        family="cp",
        model=(Network(factors, tuple(modes)),),
        target=TARGETS[target](order),
        output_axes=(p,) * order,
        options=(("order", order), ("symmetric", symmetric), ("target", target)),
    )


PRESETS: Mapping[str, Callable[..., Problem]] = MappingProxyType({"cp": cp})
"""Preset problems by name."""
