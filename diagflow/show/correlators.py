"""A table of correlators as text, JSON or LaTeX.

>>> from expansion.correlators import correlators
>>> from expansion.models import mlp_linear
>>> print(text(correlators(mlp_linear(2))).splitlines()[4])
E[ff]         2  0    2    0  0         H*sigma2**2*c**2

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from diagflow.columns import table
from diagflow.schemas import versioned_text
from expansion.correlators import Correlators
from expansion.polynomial import Polynomial
from expansion.series_records import polynomial_record

__all__ = ["FORMATS", "json_text", "latex", "text"]


def text(found: Correlators, *, width: int | None = None) -> str:
    """The table, and its consequences for the kernel.

    Parameters
    ----------
    found : Correlators
    width : int, optional
        Of the table, see `diagflow.columns.table`.
    """
    head = ("mean", "m", "n_e", "n_o", "s_C", "exponent", "exact")
    rows = [
        (
            row.name,
            str(row.letters),
            str(row.even),
            str(row.odd),
            str(row.conjectured),
            _power(row.exponent),
            str(row.polynomial),
        )
        for row in found
    ]
    bound = "All obey" if all(row.obeys for row in found) else "Not all obey"
    lines = [
        found.problem.title,
        f"{bound} exponent <= s_C = n_e + n_o/2 - m/2, in units of E[ff]**(m/2).",
        "",
        *table([head, *rows], width=width),
        "",
        *_kernel(found),
    ]
    return "\n".join(lines) + "\n"


def _kernel(found: Correlators) -> list[str]:
    return [
        f"{title} = {value}, of order n**({_power(found.relative_order(value))}) times E[Θ]**2"
        if len(value)
        else f"{title} = 0"
        for title, value in (
            ("Var Θ", found.kernel_variance),
            ("T dE[Θ]/dt", found.kernel_motion),
        )
    ]


def json_text(found: Correlators) -> str:
    """The record of the command line's contract, indented."""
    record = {
        "family": found.problem.family,
        **dict(found.problem.options),
        "growing": list(found.problem.growing),
        "correlators": [
            {
                "name": row.name,
                "formula": row.formula,
                "m": row.letters,
                "n_e": row.even,
                "n_o": row.odd,
                "conjectured": str(row.conjectured),
                "exponent": None if row.exponent is None else str(row.exponent),
                "obeys": row.obeys,
                "terms": polynomial_record(row.polynomial),
            }
            for row in found
        ],
        "kernel": {
            "variance": _correction(found, found.kernel_variance),
            "motion": _correction(found, found.kernel_motion),
        },
    }
    return versioned_text("correlators", record)


def _correction(found: Correlators, value: Polynomial) -> dict[str, object]:
    order = found.relative_order(value)
    return {
        "relative_exponent": None if order is None else str(order),
        "terms": polynomial_record(value),
    }


def latex(found: Correlators) -> str:
    """A table to be set with the package booktabs."""
    rows = " \\\\\n".join(
        f"$\\mathbb{{E}}[{_letters(row.name)}]$ & ${_power(row.conjectured)}$ & "
        f"${_power(row.exponent)}$ & ${row.polynomial.latex()}$"
        for row in found
    )
    return (
        f"% {found.problem.title}\n\\begin{{tabular}}{{llll}}\n\\toprule\n"
        "correlator & $s_C$ & exponent & exact \\\\\n\\midrule\n"
        f"{rows} \\\\\n\\bottomrule\n\\end{{tabular}}\n"
    )


def _letters(name: str) -> str:
    inner = name.removeprefix("E[").removesuffix("]")
    return inner.replace("·", " \\cdot ").replace("*", " \\star ").replace("Θ", "\\Theta ").strip()


def _power(value: Fraction | None) -> str:
    return "-" if value is None else str(value)


FORMATS: Mapping[str, Callable[..., str]] = {"text": text, "json": json_text, "latex": latex}
"""How a list of correlators is printed, by the name of the format."""
