"""An effective dynamics as text that reads like a derivation, as JSON or as LaTeX.

>>> from diagflow import cp, derive, regimes
>>> found = derive(regimes(cp(order=2), terms=4), "C-D")
>>> print(text(found, 2).splitlines()[0])
cp order=2 symmetric=false target=identity, regime C-D

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from diagflow.schemas import versioned_text
from diagrams.diagram import Diagram
from expansion.cumulants import read_cumulant
from expansion.dynamics.derivation import EffectiveDynamics
from expansion.dynamics.hierarchy import CoreTerm
from expansion.dynamics.particle import Closure
from expansion.dynamics.records import derivation_record
from expansion.dynamics.reduction import Separated
from expansion.polynomial import Polynomial
from expansion.series_records import polynomial_record
from pde.variance import DerivedVariance

__all__ = [
    "FORMATS",
    "VARIANCE_FORMATS",
    "json_text",
    "latex",
    "text",
    "variance_json",
    "variance_latex",
    "variance_text",
]

_SHOWN = 12
"""Most cores, steps and dropped products that the text lists."""

_KINDS = {
    Closure.FINITE: "finite: the cores close, an ordinary differential equation",
    Closure.ONE_SITE: "one-site: the moments of one particle in an effective potential",
    Closure.WORDS: "words: the cores are traces of products of matrices",
    Closure.OPEN: "open: no closed description",
}


def text(found: EffectiveDynamics, last: int) -> str:
    """The reduced potential, the cores, the steps, the coefficients and the certificate."""
    names = _names(found, "c{}")
    lines = [f"{found.problem.title}, regime {found.regime.name}"]
    if found.loss != found.problem.loss_name:
        lines[0] += f", {found.loss}"
    lines += ["", "Cores, with their scales and values at time zero"]
    lines += _shortened(
        [
            f"  {names[core]} = {core}; scale {scale}; at zero {found.initial(core)}"
            for core, scale in found.cores
        ]
    )
    lines += [
        f"  {first} is Gaussian of mean zero and variance {variance}"
        for (first, second), variance in found.covariance.items()
        if first == second
    ]
    lines += ["", "Reduced potential", f"  P = {_sum(found.potential, names)}"]
    followed = "its rate of change, dL/dtau" if found.rate_of_change else "L"
    lines += ["", "Leading part of the observable", f"  {followed} = {_sum(found.output, names)}"]
    lines += ["", f"Hierarchy, {_KINDS[found.kind]}"]
    inner = [core for core, _ in found.cores if _known(found, core)]
    lines += _shortened(
        [f"  d{names[core]}/dtau = {_sum(found.rate(core), names)}" for core in inner]
    )
    means = [str(step) for step in found.steps if isinstance(step, Separated)]
    joined = [str(step) for step in found.steps if not isinstance(step, Separated)]
    for title, steps in (
        ("Replaced by means", means),
        ("Coinciding nodes", joined),
        ("Dropped", [str(item) for item in found.dropped]),
    ):
        if steps:
            lines += ["", title, *_shortened([f"  {step}" for step in dict.fromkeys(steps)])]
    lines += ["", f"Certificate: {found.loss_certificate}"]
    if found.certificate.holds:
        lines += ["", "Leading coefficients"]
        lines += [f"  Y_{s} ~ {value}" for s, value in enumerate(found.loss_coefficients(last))]
    return "\n".join(lines) + "\n"


def json_text(found: EffectiveDynamics, last: int) -> str:
    """The record of `expansion.dynamics.records` with its version, indented."""
    return versioned_text("derive", derivation_record(found, last))


def latex(found: EffectiveDynamics, last: int) -> str:
    """An ``align*`` environment with potential, hierarchy and coefficients."""
    names = _names(found, "c_{{{}}}")
    followed = r"\frac{dL}{d\tau}" if found.rate_of_change else "L"
    rows = [
        f"P &= {_latex_sum(found.potential, names)}",
        f"{followed} &\\sim {_latex_sum(found.output, names)}",
    ]
    inner = [core for core, _ in found.cores if _known(found, core)][:_SHOWN]
    rows += [
        f"\\frac{{d {names[core]}}}{{d\\tau}} &= {_latex_sum(found.rate(core), names)}, & "
        f"{names[core]}(0) &= {found.initial(core).latex()}"
        for core in inner
    ]
    if found.certificate.holds:
        rows += [
            f"Y_{{{s}}} &\\sim {value.latex()}"
            for s, value in enumerate(found.loss_coefficients(last))
        ]
    head = [f"{found.problem.title}, regime {found.regime.name}"]
    head += [f"{names[core]} = {core}" for core, _ in found.cores]
    head += [f"certificate: {found.loss_certificate}"]
    comments = "".join(f"% {line}\n" for line in head)
    body = " \\\\\n".join(rows)
    return f"{comments}{{\\allowdisplaybreaks\n\\begin{{align*}}\n{body}\n\\end{{align*}}}}\n"


def variance_text(found: DerivedVariance, last: int) -> str:
    """The dynamics of the quantity, how its cores fluctuate, and what becomes of it."""
    dynamics = found.dynamics
    names = _names(dynamics, "c{}")
    whole = text(dynamics, 0).split("\n\nCertificate: ")[0].split("\n", 1)[1]
    lines = [f"{dynamics.problem.title}, regime {found.regime}, {found.name}", whole, ""]
    lines.append("Covariances at time zero of the cores of the observable")
    lines += _shortened(
        [f"  Cov({names[a]}, {names[b]}) = {value}" for a, b, value in found.covariances]
    )
    lines += ["", _RULES[read_cumulant(found.name)[1]]]
    lines += ["", f"Certificate: {_agreement(found)}"]
    if found.certificate.holds:
        lines += ["", "Leading coefficients"]
        values = found.coefficients[: last + 1]
        symbol = _symbol(found)
        lines += [f"  {symbol}_{s} ~ {value}" for s, value in enumerate(values)]
    return "\n".join(lines) + "\n"


def variance_json(found: DerivedVariance, last: int) -> str:
    """The record of the quantity's dynamics with covariances, and coefficients of the variance."""
    certificate = found.certificate
    values = found.coefficients[: last + 1] if certificate.holds else ()
    return versioned_text(
        "derive",
        {
            **derivation_record(found.dynamics, None),
            "loss": found.name,
            "regime": found.regime,
            "covariances": [
                {"cores": [str(a), str(b)], "value": polynomial_record(value)}
                for a, b, value in found.covariances
            ],
            "coefficients": [
                {"s": s, "terms": polynomial_record(value)} for s, value in enumerate(values)
            ],
            "certificate": {
                "matched": list(certificate.matched),
                "failed": _failed(found),
                "holds": certificate.holds,
            },
        },
    )


def variance_latex(found: DerivedVariance, last: int) -> str:
    """An ``align*`` environment with the observable, covariances and coefficients."""
    names = _names(found.dynamics, "c_{{{}}}")
    rows = [f"L &\\sim {_latex_sum(found.dynamics.output, names)}"]
    rows += [
        f"\\operatorname{{Cov}}({names[a]}, {names[b]}) &\\sim {value.latex()}"
        for a, b, value in found.covariances[:_SHOWN]
    ]
    if found.certificate.holds:
        values = found.coefficients[: last + 1]
        symbol = _symbol(found)
        rows += [f"{symbol}_{{{s}}} &\\sim {value.latex()}" for s, value in enumerate(values)]
    head = [f"{found.dynamics.problem.title}, regime {found.regime}, {found.name}"]
    head += [f"{names[core]} = {core}" for core, _ in found.dynamics.cores]
    head += [f"certificate: {_agreement(found)}"]
    comments = "".join(f"% {line}\n" for line in head)
    body = " \\\\\n".join(rows)
    return f"{comments}{{\\allowdisplaybreaks\n\\begin{{align*}}\n{body}\n\\end{{align*}}}}\n"


_RULES = {
    2: "Var L = sum over cores of dL/dc(0) dL/dc'(0) Cov(c, c')",
    3: "K3 = sum over cores of L_a L_b L_c C_abc + 3 L_ab L_c L_d C_ac C_bd",
    4: "K4 = sum over cores of L_a L_b L_c L_d C_abcd + 12 L_ab L_c L_d L_e C_ac C_bde"
    " + 4 L_abc L_d L_e L_f C_ad C_be C_cf + 12 L_ab L_cd L_e L_f C_ae C_bc C_df",
}
"""How a cumulant of order K follows from joint cumulants C and derivatives of L by the cores."""


def _symbol(found: DerivedVariance) -> str:
    return "V" if read_cumulant(found.name)[1] == 2 else "K"


def _failed(found: DerivedVariance) -> list[int]:
    return sorted({*found.certificate.compared} - {*found.certificate.matched})


def _agreement(found: DerivedVariance) -> str:
    failed = _failed(found)
    if failed or not found.certificate.compared:
        where = ", ".join(map(str, failed)) or "nothing was compared"
        return f"refused: differs at s = {where}"
    return f"equal for s = {', '.join(map(str, found.certificate.matched))}"


def _known(found: EffectiveDynamics, core: Diagram) -> bool:
    """Whether the derivative of a core names cores of the list only."""
    names = {other for other, _ in found.cores}
    return found.depth is None or (
        core in found.inner and all(names.issuperset(term.cores) for term in found.rate(core))
    )


def _names(found: EffectiveDynamics, form: str) -> dict[Diagram, str]:
    """Names by place; diagrams that differ by exchangeable tensors have one."""
    names = {core: form.format(k) for k, (core, _) in enumerate(found.cores, start=1)}
    for term in found.potential:
        for core in term.cores:
            names.setdefault(core, names.get(found.representative(core), f"[{core}]"))
    return names


def _shortened(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], *([f"  ... and {more} more"] if more > 0 else [])]


def _sum(terms: Sequence[CoreTerm], names: Mapping[Diagram, str]) -> str:
    return " + ".join(_product(term, names) for term in terms) or "0"


def _product(term: CoreTerm, names: Mapping[Diagram, str]) -> str:
    counts = Counter(names[core] for core in term.cores)
    factors = [name + (f"^{power}" if power > 1 else "") for name, power in counts.items()]
    return " ".join([_bracketed(term.coefficient, str(term.coefficient)), *factors])


def _latex_sum(terms: Sequence[CoreTerm], names: Mapping[Diagram, str]) -> str:
    products = []
    for term in terms:
        counts = Counter(names[core] for core in term.cores)
        factors = [name + (f"^{{{power}}}" if power > 1 else "") for name, power in counts.items()]
        products.append(
            " ".join([_bracketed(term.coefficient, term.coefficient.latex()), *factors])
        )
    return " + ".join(products) or "0"


def _bracketed(coefficient: Polynomial, written: str) -> str:
    return f"({written})" if len(coefficient) > 1 or written.startswith("-") else written


FORMATS: Mapping[str, Callable[..., str]] = {"text": text, "json": json_text, "latex": latex}
"""How a derivation is printed, by the name of the format."""


VARIANCE_FORMATS: Mapping[str, Callable[..., str]] = {
    "text": variance_text,
    "json": variance_json,
    "latex": variance_latex,
}
"""How a derived variance is printed, by the name of the format."""
