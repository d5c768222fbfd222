r"""A problem in formulas: model, target, loss, and the laws of its tensors.

>>> from expansion.models import cp
>>> problem = cp(order=2, symmetric=True)
>>> print(function_latex("f", problem.model, open_indices(problem)))
f_{i_{1} i_{2}} = \sum_{k} U_{k i_{1}} U_{k i_{2}}
>>> print(function_latex("F", problem.target, open_indices(problem)))
F_{i_{1} i_{2}} = \delta_{i_{1} i_{2}}

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from diagflow.latex.names import indices_latex, tensor_latex
from diagflow.latex.numbers import number_latex
from diagflow.latex.prose import escaped
from diagrams.network import Network
from diagrams.tensors import Kind, Tensor
from expansion.polynomial import symbol_latex
from expansion.problem import Problem

__all__ = ["function_latex", "motion_latex", "open_indices", "problem_section"]


def problem_section(problem: Problem) -> str:
    """The target, the initialisation, and the expansion of the loss."""
    names = open_indices(problem)
    sizes = ", ".join(
        f"${symbol_latex(axis.name)}$" for axis in problem.axes if axis.pinned is None
    )
    laws = " ".join(
        _law(tensor)
        for tensor in problem.tensors
        if tensor.is_random or tensor.kind in (Kind.ISOMETRY, Kind.POWER)
    )
    return (
        f"The problem is \\texttt{{{escaped(problem.title)}}}. The model and the target are\n"
        f"\\[\n\\fitted{{$\\displaystyle {function_latex('f', problem.model, names)}, \\qquad "
        f"{function_latex('F', problem.target, names)}$}}\n\\]\n"
        f"with indices on axes of the sizes {sizes}. {laws}\n"
        "The loss and the gradient flow, with inverse learning rate $T$, are\n"
        "\\[\nL = \\tfrac12 \\lVert f - F \\rVert^2 = \\tfrac12 D - R + \\tfrac12 \\lVert F "
        f"\\rVert^2, \\qquad {motion_latex(problem)} ."
        f"\n\\]\n{_drive(problem)}"
    )


def motion_latex(problem: Problem) -> str:
    r"""The equation of motion of a weight.

    Examples
    --------
    >>> from expansion.models import cp
    >>> print(motion_latex(cp(order=2)))
    \frac{du}{dt} = -\frac{1}{T} \frac{\partial L}{\partial u}
    >>> print(motion_latex(cp(order=2).driven_by(temperature="tau", rates={"U1": "eta"})))
    du = -\frac{r_u}{T} \frac{\partial L}{\partial u} \, dt + \sqrt{\frac{2 \tau r_u}{T}} \, dB
    """
    drive = problem.drive
    potential = "P" if drive.flow or drive.implicit else "L"
    rate = "r_u" if drive.rates else ""
    slope = f"\\frac{{\\partial {potential}}}{{\\partial u}}"
    if drive.temperature:
        tau = symbol_latex(drive.temperature)
        return (
            f"du = -\\frac{{{rate or 1}}}{{T}} {slope} \\, dt + "
            f"\\sqrt{{\\frac{{{' '.join(['2', tau, *[rate] * bool(rate)])}}}{{T}}}} \\, dB"
        )
    if drive.momentum:
        friction = symbol_latex(drive.momentum)
        force = f"{rate} {slope}" if rate else slope
        return f"T^2 \\frac{{d^2u}}{{dt^2}} = -{friction} T \\frac{{du}}{{dt}} - {force}"
    if drive.step:
        return f"u \\leftarrow u - {symbol_latex(drive.step)} {rate + ' ' * bool(rate)}{slope}"
    return f"\\frac{{du}}{{dt}} = -\\frac{{{rate or 1}}}{{T}} {slope}"


def _drive(problem: Problem) -> str:
    """The potential and the rates, where they are not the loss and one."""
    drive = problem.drive
    sentences = []
    if drive.flow or drive.implicit:
        flow = f"\\texttt{{{escaped(drive.flow or problem.loss_name)}}}"
        added = ""
        if drive.implicit:
            rate = "r_u " if drive.rates else ""
            added = (
                f", to which $\\frac{{{symbol_latex(drive.implicit)}}}{{4}} \\sum_u {rate}"
                "(\\partial P/\\partial u)^2$ is added"
            )
        sentences.append(f"The potential $P$ is {flow}{added}.")
    if drive.rates:
        listed = ", ".join(
            f"${symbol_latex(rate)}$ for \\texttt{{{escaped(name)}}}" for name, rate in drive.rates
        )
        sentences.append(f"The rates $r_u$ are {listed}, and 1 otherwise.")
    return "".join(f"{sentence}\n" for sentence in sentences)


def open_indices(problem: Problem) -> tuple[str, ...]:
    """Names for the open indices: those of the model if they are distinct."""
    own = problem.model[0].output
    if len(set(own)) == len(own):
        return own
    return tuple(f"i{number}" for number in range(1, len(own) + 1))


def function_latex(name: str, networks: Sequence[Network], indices: Sequence[str]) -> str:
    """A sum of networks as the definition of a function of its open indices.

    Parameters
    ----------
    name : str
    networks : sequence of Network
    indices : sequence of str
        Names of the open indices.
    """
    left = f"{name}_{{{indices_latex(indices)}}}" if indices else name
    right = ""
    for network in networks:
        term = _network(network, indices)
        negative = network.coefficient < 0
        right += (" - " if negative else " + ") if right else ("-" if negative else "")
        right += term
    return f"{left} = {right or '0'}"


def _network(network: Network, indices: Sequence[str]) -> str:
    name_of: dict[str, str] = {}
    deltas: dict[str, list[str]] = {}
    for own, name in zip(network.output, indices, strict=True):
        deltas.setdefault(own, []).append(name)
        name_of.setdefault(own, name)
    summed = []
    for _, at in network.factors:
        for own in at:
            if own not in name_of:
                name = own
                while name in {*indices, *name_of.values()}:
                    name += "'"
                name_of[own] = name
                summed.append(name)
    parts = []
    size = abs(network.coefficient)
    if size != 1 or not (network.factors or network.amplitudes or network.output):
        parts.append(number_latex(size))
    parts += [symbol_latex(axis.name) for axis in network.amplitudes]
    if summed:
        parts.append(f"\\sum_{{{indices_latex(summed, between=', ')}}}")
    parts += [f"\\delta_{{{indices_latex(names)}}}" for names in deltas.values() if len(names) > 1]
    parts += [_factor(tensor, [name_of[own] for own in at]) for tensor, at in network.factors]
    return " ".join(parts)


def _factor(tensor: Tensor, names: Sequence[str]) -> str:
    if tensor.kind is not Kind.MODULAR:
        return f"{tensor_latex(tensor.name)}_{{{indices_latex(names)}}}"
    *others, last = (indices_latex([name]) for name in names)
    size = symbol_latex(tensor.axes[0].name)
    return f"[{last} \\equiv {' + '.join(others)} \\;(\\mathrm{{mod}}\\; {size})]"


def _law(tensor: Tensor) -> str:
    name = tensor_latex(tensor.name)
    if tensor.kind is Kind.ISOMETRY:
        larger, smaller = (symbol_latex(axis.name) for axis in tensor.axes)
        return (
            f"The columns of ${name}$ are the first ${smaller}$ unit vectors, "
            f"${smaller} \\le {larger}$."
        )
    if tensor.kind is Kind.POWER:
        power = f"i^{{{tensor.exponent}}}" if tensor.exponent > 1 else "i"
        return f"The tensor ${name}$ is ${power}$ where all its indices are $i$, else 0."
    when = "at the start" if tensor.kind is Kind.WEIGHT else "and fixed"
    if not tensor.entries.is_wick:
        return f"The entries of ${name}$ are independent, {_entries(tensor)}, {when}."
    variance = symbol_latex(tensor.variance)
    if tensor.symmetric:
        return (
            f"The tensor ${name}$ is symmetric and Gaussian {when}, with a law that no "
            f"rotation changes; entries whose indices all differ have the variance ${variance}$."
        ) + " Derivatives with respect to it are symmetric parts." * tensor.is_learnable
    return f"The entries of ${name}$ are independent $N(0, {variance})$ {when}."


def _entries(tensor: Tensor) -> str:
    """The law of the entries in words, where it is not Gaussian of mean zero."""
    if tensor.cumulants:
        given = ", ".join(f"\\kappa_{{{k}}} = {_signed(v)}" for k, v in tensor.cumulants)
        return f"with the cumulants ${given}$ and no others"
    if tensor.probability:
        return f"one with probability ${symbol_latex(tensor.probability)}$ and else zero"
    names = {
        "gaussian": "Gaussian",
        "rademacher": "of two opposite values",
        "uniform": "uniform on an interval",
    }
    mean = _signed(tensor.mean) if tensor.mean else "0"
    variance = symbol_latex(tensor.variance)
    return f"{names[tensor.law]}, of mean ${mean}$ and variance ${variance}$"


def _signed(text: str) -> str:
    sign = "-" if text.startswith("-") else ""
    return sign + symbol_latex(text.removeprefix("-"))
