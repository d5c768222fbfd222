"""Preset models, each a few lines on top of `Problem`.

>>> cp(order=3, symmetric=True).title
'cp order=3 symmetric=true target=identity'
>>> sorted(PRESETS)
['autoencoder', 'cp', 'deep-linear', 'mlp-linear', 'tied-autoencoder', 'two-layer']

All have the sizes ``p`` (inputs, outputs, tensor modes) and ``H`` (rank, hidden units), weights of
variance ``sigma2`` and a target of `expansion.targets`. The linear ones, whose order is 2, can be
given *finite Gaussian data*: N inputs x_n with independent entries of variance one. Then

    L_train = 1/(2N) sum over n of |f x_n - F x_n|^2    drives the flow, and
    L_population = 1/2 |f - F|^2                        is observed.

Source: Yarotsky, Golikov, Gusev 2026, section 2; the models besides CP are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from diagrams.arguments import flag, shown
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import UNIT_VARIANCE, Axis, Kind, Tensor
from expansion.losses import QuadraticLoss
from expansion.problem import Option, Problem
from expansion.targets import target_networks, target_title

__all__ = [
    "MAXIMAL_DEGREE",
    "MAXIMAL_DEPTH",
    "MAXIMAL_ORDER",
    "PRESETS",
    "autoencoder",
    "cp",
    "deep_linear",
    "mlp_linear",
    "tied_autoencoder",
    "two_layer",
]

MAXIMAL_ORDER = 100
"""The order of a CP model is bounded, so that a slip of the pen does not fill the memory."""

MAXIMAL_DEPTH = 100
"""So is the depth of a linear network."""

MAXIMAL_DEGREE = 6
"""So is the degree k of an activation: averaging over the inputs takes (2k - 1)!! pairings."""

_p, _H, _N = Axis("p"), Axis("H"), Axis("N")


def cp(order: int = 3, *, symmetric: bool = False, target: str = "identity") -> Problem:
    """The canonical polyadic model f_{i1...iv} = sum_k prod_m u^(m)_{k,im}, fitted to a target.

    Parameters
    ----------
    order : int, default 3
        Number of tensor modes, at least 2.
    symmetric : bool, default False
        One weight matrix shared by all modes (SYM) instead of one for each (ASYM).
    target : str, default "identity"
        A name in `expansion.targets.TARGETS`, or a linear combination of them.

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
    >>> cp(order=2, target="teacher").growing
    ('H', 'H_teacher', 'p')
    """
    if not _at_least(order, 2):
        raise InvalidInputError(
            f"order {shown(order)}: a CP model needs at least two modes; give an order of 2 or more"
        )
    if order > MAXIMAL_ORDER:
        raise InvalidInputError(
            f"order {shown(order)}: more than {MAXIMAL_ORDER} modes are out of reach; give a "
            "smaller order"
        )
    names = (
        ["U"] * order
        if flag(symmetric, "symmetric")
        else [f"U{mode}" for mode in range(1, order + 1)]
    )
    modes = [f"i{mode}" for mode in range(1, order + 1)]
    factors = tuple((_weight(name), ("k", mode)) for name, mode in zip(names, modes, strict=True))
    return Problem(
        family="cp",
        model=(Network(factors, tuple(modes)),),
        target=target_networks(target, order=order, symmetric=symmetric),
        output_axes=(_p,) * order,
        options=(("order", order), ("symmetric", symmetric), ("target", target_title(target))),
    )


def autoencoder(*, data: bool = False, target: str = "identity") -> Problem:
    """The linear autoencoder f = U^T V with two weight matrices of shape H x p.

    Parameters
    ----------
    data : bool, default False
        Finite Gaussian data instead of all of the population.
    target : str, default "identity"
        As for `cp`, of order 2.

    Examples
    --------
    >>> autoencoder(data=True).losses
    ('train', 'population')
    """
    model = Network.einsum("ki,kj->ij", _weight("U"), _weight("V"))
    return _linear("autoencoder", model, data=data, target=target)


def tied_autoencoder(*, data: bool = False, target: str = "identity") -> Problem:
    """The linear autoencoder f = W^T W with one weight matrix of shape H x p.

    Parameters
    ----------
    data : bool, default False
        Finite Gaussian data instead of all of the population.
    target : str, default "identity"
        As for `cp`, of order 2.

    Examples
    --------
    >>> tied_autoencoder(data=True).growing
    ('H', 'N', 'p')
    """
    model = Network.einsum("ki,kj->ij", _weight("W"), _weight("W"))
    return _linear("tied-autoencoder", model, data=data, target=target, symmetric=True)


def deep_linear(depth: int = 3, *, data: bool = False, target: str = "identity") -> Problem:
    """The deep linear network f = W1^T W2 ... W_depth: inputs and outputs p, all else of width H.

    The first and the last matrix have shape H x p, so that depth 2 is the autoencoder; those
    between have shape H x H.

    Parameters
    ----------
    depth : int, default 3
        Number of weight matrices, at least 2.
    data : bool, default False
        Finite Gaussian data instead of all of the population.
    target : str, default "identity"
        As for `cp`, of order 2.

    Raises
    ------
    InvalidInputError
        If the depth is below 2 or above `MAXIMAL_DEPTH`, or the target unknown.

    Examples
    --------
    >>> [[axis.name for axis in tensor.axes] for tensor in deep_linear(3).tensors]
    [['H', 'p'], ['H', 'H'], ['H', 'p']]
    """
    if not _at_least(depth, 2) or depth > MAXIMAL_DEPTH:
        raise InvalidInputError(
            f"depth {shown(depth)}: a deep linear network has from 2 to {MAXIMAL_DEPTH} weight "
            "matrices; give another depth"
        )
    hidden = [f"k{layer}" for layer in range(1, depth)]
    between = zip(range(2, depth), hidden[:-1], hidden[1:], strict=True)
    factors = (
        (_weight("W1"), (hidden[0], "i")),
        *((_weight(f"W{layer}", _H, _H), (left, right)) for layer, left, right in between),
        (_weight(f"W{depth}"), (hidden[-1], "j")),
    )
    model = Network(factors, ("i", "j"))
    return _linear("deep-linear", model, data=data, target=target, options=(("depth", depth),))


def mlp_linear(depth: int = 2, *, wide_ends: bool = False) -> Problem:
    """The linear network f = c W_depth ... W_1 with a multiplier c, fitted to one datum y.

    With rates and variances of its layers (`expansion.drive`) it is every parametrisation of a wide
    linear network: its regimes are found, and with them which ones learn features.

    Parameters
    ----------
    depth : int, default 2
        Number of layers, at least 2; all hidden ones have the width H.
    wide_ends : bool, default False
        Inputs and outputs of width p and the target y times the identity, in place of one input,
        one output and the target y.

    Returns
    -------
    Problem
        The first layer W1 has its inputs in the second slot, the last its outputs. All entries have
        the variance ``sigma2``.

    Raises
    ------
    InvalidInputError
        If the depth is below 2 or above `MAXIMAL_DEPTH`.

    Examples
    --------
    >>> problem = mlp_linear(3)
    >>> [tensor.rank for tensor in problem.tensors], problem.amplitude_symbols
    ([1, 2, 1], ('c', 'y'))
    """
    if not 2 <= depth <= MAXIMAL_DEPTH:
        raise InvalidInputError(
            f"depth {depth}: a linear network has from 2 to {MAXIMAL_DEPTH} layers; give another "
            "depth"
        )
    ends = (_H, _p) if wide_ends else (_H,)
    hidden = [f"k{layer}" for layer in range(1, depth)]
    between = zip(range(2, depth), hidden[1:], hidden[:-1], strict=True)
    factors = (
        (_weight("W1", *ends), (hidden[0], "i")[: len(ends)]),
        *((_weight(f"W{layer}", _H, _H), (left, right)) for layer, left, right in between),
        (_weight(f"W{depth}", *ends), (hidden[-1], "j")[: len(ends)]),
    )
    return Problem(
        family="mlp-linear",
        model=(Network(factors, ("i", "j") if wide_ends else (), amplitudes=(Axis("c"),)),),
        target=(Network((), ("i", "i") if wide_ends else (), amplitudes=(Axis("y"),)),),
        output_axes=(_p, _p) if wide_ends else (),
        options=(("depth", depth), ("wide_ends", wide_ends)),
    )


def two_layer(degree: int = 2, *, target: str = "identity") -> Problem:
    """The two-layer network f(x) = sum_k a_k (w_k . x)^degree, averaged over Gaussian inputs x.

    The loss is 1/2 E_x[(f(x) - F(x))^2] with x ~ N(0, I_p): the flow of infinitely many data. A
    target of order nu = degree stands for the function F(x) = sum over i1...inu of
    F_{i1...inu} x_i1 ... x_inu. So ``identity`` is the sum of x_i^degree and ``teacher`` a network
    of H_teacher units.

    Parameters
    ----------
    degree : int, default 2
        Of the activation, at least 1.
    target : str, default "identity"
        As for `cp`; the vectors of a teacher are the same in all modes.

    Returns
    -------
    Problem
        With axes ``p`` (inputs) and ``H`` (units); a and w both have the variance ``sigma2``.

    Raises
    ------
    InvalidInputError
        If the degree is below 1 or above `MAXIMAL_DEGREE`, or the target unknown.

    Examples
    --------
    >>> two_layer(degree=2).losses
    ('population',)
    """
    if not _at_least(degree, 1) or degree > MAXIMAL_DEGREE:
        raise InvalidInputError(
            f"degree {shown(degree)}: an activation has a degree from 1 to {MAXIMAL_DEGREE}; give "
            "another degree"
        )
    x = Tensor("x", (_p,), Kind.GAUSSIAN, variance=UNIT_VARIANCE)
    modes = tuple(f"i{mode}" for mode in range(1, degree + 1))
    units = (_weight("a", _H), ("k",)), *((_weight("w"), ("k", mode)) for mode in modes)
    inputs = ((x, ()),) * degree
    targets = target_networks(target, order=degree, symmetric=True)
    return Problem(
        family="two-layer",
        model=(Network(units, modes).applied(*inputs),),
        target=tuple(network.applied(*inputs) for network in targets),
        output_axes=(),
        options=(("degree", degree), ("target", target_title(target))),
        loss_name="population",
        averaged_over=(x,),
    )


def _at_least(value: object, least: int) -> bool:
    """Whether a value is an integer that is not too small."""
    return isinstance(value, int) and value >= least


def _weight(name: str, *axes: Axis) -> Tensor:
    return Tensor(name, axes or (_H, _p), variance="sigma2")


def _linear(
    family: str,
    model: Network,
    *,
    data: bool,
    target: str,
    symmetric: bool = False,
    options: tuple[tuple[str, Option], ...] = (),
) -> Problem:
    """A model that is a p x p matrix, on all of the population or on finite Gaussian data."""
    networks = target_networks(target, order=2, symmetric=symmetric)
    options = (*options, ("target", target_title(target)))
    if not flag(data, "data"):
        return Problem(family, (model,), networks, (_p, _p), options)
    X = Tensor("X", (_p, _N), Kind.GAUSSIAN, variance=UNIT_VARIANCE)
    inputs = X, ("n",)
    population = QuadraticLoss(
        name="population", model=(model,), target=networks, output_axes=(_p, _p)
    )
    return Problem(
        family=family,
        model=(model.applied(inputs),),
        target=tuple(network.applied(inputs) for network in networks),
        output_axes=(_p, _N),
        options=(*options, ("data", "gaussian")),
        normalisation=((_N.name, -1),),
        observed=(population,),
    )


PRESETS: Mapping[str, Callable[..., Problem]] = MappingProxyType(
    {
        "cp": cp,
        "autoencoder": autoencoder,
        "tied-autoencoder": tied_autoencoder,
        "deep-linear": deep_linear,
        "mlp-linear": mlp_linear,
        "two-layer": two_layer,
    }
)
"""Preset problems by name."""
