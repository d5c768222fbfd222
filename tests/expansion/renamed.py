"""Problems as TOML text under other names: axes, tensors, variances, indices and their order."""

from __future__ import annotations

from collections.abc import Mapping

from diagrams.network import Network
from diagrams.tensors import Tensor
from expansion.losses import QuadraticLoss
from expansion.problem import Problem

SYMBOLS = {
    "p": "width",
    "H": "a",
    "N": "samples",
    "H_teacher": "rank",
    "sigma2": "w",
    "sigma2_teacher": "noise",
    "alpha": "strength",
}


def renamed_toml(problem: Problem, symbols: Mapping[str, str] = SYMBOLS) -> str:
    """A problem as the text of a file, every name another one and every order turned around."""
    names = {tensor: f"B{place}" for place, tensor in enumerate(reversed(problem.tensors))}
    lines = ['family = "a copy"', 'flow = "fit"']
    if problem.amplitude_symbols:
        amplitudes = ", ".join(f'"{symbols[name]}"' for name in problem.amplitude_symbols)
        lines.append(f"amplitudes = [{amplitudes}]")
    lines.append("[axes]")
    for axis in reversed(problem.axes):
        size = '"growing"' if axis.pinned is None else axis.pinned
        lines.append(f"{symbols[axis.name]} = {size}")
    lines.append("[tensors]")
    for tensor, name in names.items():
        axes = ", ".join(f'"{symbols[axis.name]}"' for axis in reversed(tensor.axes))
        variance = ""
        if tensor.is_random:
            variance = f', variance = "{symbols.get(tensor.variance, tensor.variance)}"'
        lines.append(f'{name} = {{ kind = "{tensor.kind.value}", axes = [{axes}]{variance} }}')
    for name, loss in zip(("fit", "whole"), (problem.driving, *problem.observed), strict=False):
        lines += _loss(name, loss, names, symbols)
    return "\n".join(lines) + "\n"


def _loss(
    name: str, loss: QuadraticLoss, names: Mapping[Tensor, str], symbols: Mapping[str, str]
) -> list[str]:
    outputs = [f"o{place}" for place in range(len(loss.output_axes))]
    lines = [f"[losses.{name}]", f"outputs = {outputs}".replace("'", '"')]
    for key, networks in (("model", loss.model), ("target", loss.target)):
        terms = [_formula(network, outputs, names, symbols) for network in networks]
        lines.append(f'{key} = "{" + ".join(terms) or "zero"}"')
    if loss.normalisation:
        powers = ", ".join(f"{symbols[axis]} = {power}" for axis, power in loss.normalisation)
        lines.append(f"normalisation = {{ {powers} }}")
    if loss.averaged_over:
        inputs = ", ".join(f'"{names[tensor]}"' for tensor in loss.averaged_over)
        lines.append(f"averaged_over = [{inputs}]")
    return lines


def _formula(
    network: Network,
    outputs: list[str],
    names: Mapping[Tensor, str],
    symbols: Mapping[str, str],
) -> str:
    """A network with its open indices called o0, o1, ...; equal ones make a target by name."""
    if len({*network.output}) < len(network.output):
        target = "spike" if network.factors else "identity"
        return " ".join([*(symbols[a.name] for a in network.amplitudes), target])
    indices = dict(zip(network.output, outputs, strict=True))
    entries = [
        f"{names[tensor]}[{','.join(indices.get(i, i) for i in reversed(at))}]"
        for tensor, at in reversed(network.factors)
    ]
    return " ".join(entries)
