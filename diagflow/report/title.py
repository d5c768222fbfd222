r"""The title of a report, in words and in mathematics.

>>> from expansion.models import cp
>>> print(title_words(cp(order=3, symmetric=True, target="teacher")))
the symmetric CP decomposition of order 3 with a teacher as target
>>> print(title_latex(cp(order=2)).splitlines()[0])
Learning regimes of the CP decomposition of order 2\\

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from diagflow.latex.prose import escaped
from diagflow.report.problem import function_latex, open_indices
from expansion.problem import Problem

__all__ = ["title_latex", "title_words"]

Options = Mapping[str, object]

_MODELS: Mapping[str, Callable[[Options], str]] = MappingProxyType(
    {
        "cp": lambda o: (
            f"the {'symmetric ' if o['symmetric'] else ''}CP decomposition of order {o['order']}"
        ),
        "autoencoder": lambda o: "the linear autoencoder" + _data(o),
        "tied-autoencoder": lambda o: "the linear autoencoder with tied weights" + _data(o),
        "deep-linear": lambda o: f"the deep linear network of depth {o['depth']}",
        "mlp-linear": lambda o: (
            f"the linear perceptron of depth {o['depth']}"
            + (" with wide ends" if o["wide_ends"] else "")
        ),
        "two-layer": lambda o: f"the two-layer network of degree {o['degree']}",
    }
)
"""The models of the presets in words; a file has a name of its own."""

_TARGETS = MappingProxyType(
    {
        "identity": "the identity",
        "zero": "zero",
        "spike": "a spike",
        "spiked": "the spiked identity",
        "modular-addition": "modular addition",
        "teacher": "a teacher",
    }
)


def title_words(problem: Problem) -> str:
    """What a problem is, in words.

    Parameters
    ----------
    problem : Problem
    """
    options = dict(problem.options)
    model = _MODELS.get(problem.family)
    if model is None:
        return problem.title
    target = str(options.get("target", "identity"))
    learnt = "" if target == "identity" else f" with {_TARGETS.get(target, target)} as target"
    return model(options) + learnt


def title_latex(problem: Problem) -> str:
    """The title: words, and below them the model and the target in formulas.

    Parameters
    ----------
    problem : Problem
    """
    names = open_indices(problem)
    formulas = (
        f"{function_latex('f', problem.model, names)}, \\qquad "
        f"{function_latex('F', problem.target, names)}"
    )
    return (
        f"Learning regimes of {escaped(title_words(problem))}\\\\\n"
        f"{{\\large\\fitted{{$\\displaystyle {formulas}$}}}}"
    )


def _data(options: Options) -> str:
    return " on finite data" if options.get("data") else ""
