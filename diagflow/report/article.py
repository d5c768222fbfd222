"""The sections of a report and the document around them.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from diagflow.columns import counted
from diagflow.drawing.appearance import Appearance
from diagflow.drawing.draw import block_items, term_items
from diagflow.drawing.tikz import tikz_gallery
from diagflow.latex.lines import aligned, visible_length
from diagflow.latex.polynomials import by_power
from diagflow.latex.prose import escaped, name_latex, prose
from diagflow.latex.references import bibliography, cited
from diagflow.latex.solutions import (
    UNDECIDED_LATEX,
    certificate_latex,
    result_latex,
    step_latex,
)
from diagflow.report.problem import problem_section
from diagflow.report.steps import SharedSteps
from diagflow.report.title import title_latex
from diagflow.show import regimes as show_regimes
from diagflow.show.sources import engine_name
from diagflow.time_limit import TimeLimit, time_limit
from diagrams.errors import BudgetExceededError, DiagflowError, InvalidInputError
from expansion.cumulants import read_cumulant
from expansion.polynomial import quotient_latex
from expansion.problem import Problem
from expansion.regimes import Regime, Regimes
from expansion.scaling_conditions import as_monomial
from expansion.series import LossSeries
from expansion.series_exponents import SeriesExponents
from pde.evolution import DerivationStep, Method, Solution
from pde.formula_latex import formula_latex
from pde.solving import solution

__all__ = ["MAP_FILE", "article", "solutions"]

_MAP_LABEL = "fig:map"

MAP_FILE = "regimes.pdf"
"""The figure with the exponents and the regime map."""

_LONGEST_COEFFICIENT = 40
"""Coefficients with more terms are counted, not printed."""

_WIDTH = 68
"""Width of a line of a coefficient, see `visible_length`."""

_PICTURES = 24
"""Diagrams of Y_0 and Y_1 that are drawn at most."""

_LONG_FORMULA = 80
"""Characters of a formula beyond which its common parts get names."""

_OUT_OF_REACH = (
    "There is no simulation of this regime: the sizes at which it describes the loss are larger "
    "than those that can be simulated quickly.\n\n"
)
"""In the place of a figure, where others have one."""

_PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage[utf8]{inputenc}
% Letters as outlines: Latin Modern, or without it the Computer Modern that every TeX has.
\IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}
\usepackage[a4paper, margin=2.3cm]{geometry}
\usepackage{amsmath, amssymb}
\usepackage{booktabs}
\usepackage{graphicx}
\usepackage{tikz}
\usepackage[hidelinks]{hyperref}
\newsavebox{\fittedbox}
% What is wider than the line is shrunk to it.
\newcommand{\fitted}[1]{\sbox{\fittedbox}{#1}%
  \ifdim\wd\fittedbox>\linewidth\resizebox{\linewidth}{!}{\usebox{\fittedbox}}%
  \else\usebox{\fittedbox}\fi}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt plus 2pt}
\setlength{\emergencystretch}{3em}
\allowdisplaybreaks
\raggedbottom
% Figures stay near the text that they belong to.
\renewcommand{\topfraction}{0.9}
\renewcommand{\bottomfraction}{0.8}
\renewcommand{\textfraction}{0.07}
\renewcommand{\floatpagefraction}{0.7}
\setcounter{topnumber}{3}
\setcounter{bottomnumber}{2}
\setcounter{totalnumber}{4}
"""


def article(
    regime_set: Regimes | SeriesExponents,
    *,
    figures: Mapping[str, str] = MappingProxyType({}),
    captions: Mapping[str, str] = MappingProxyType({}),
    solved: Mapping[str, Solution | DiagflowError] | None = None,
    has_map: bool = True,
    missing: Sequence[str] = (),
) -> str:
    """The report about a problem as a LaTeX document.

    Parameters
    ----------
    regime_set : Regimes or SeriesExponents
        With coefficients alone, where regimes are not known, the sections about them are left out.
    figures : mapping from str to str
        File names of comparisons with simulation, or of curves that are summed, by the name of
        the regime.
    captions : mapping from str to str, optional
        What is said under these figures, in LaTeX.
    solved : mapping, optional
        The solution of every regime, or why there is none; `solutions` unless given.
    has_map : bool
        Whether there is the figure `MAP_FILE`.
    missing : sequence of str
        What was not finished, a line each.

    Raises
    ------
    InvalidInputError
        If the regimes are those of given coefficients, not of a problem.
    """
    exponents = regime_set.exponents if isinstance(regime_set, Regimes) else regime_set
    problem = exponents.problem
    if problem is None:
        raise InvalidInputError(
            "report: the regimes are those of given coefficients; a report needs their problem"
        )
    followed = exponents.loss or problem.loss_name
    sections = [
        ("Problem", problem_section(problem)),
        (
            "Diagrams",
            _blocks(problem)
            if exponents.discrete
            else _diagrams(LossSeries(problem, loss=read_cumulant(followed)[0])),
        ),
        ("Expansion", _expansion(problem, exponents)),
    ]
    if isinstance(regime_set, Regimes):
        sections.append(("Learning regimes", _regimes(regime_set, has_map=has_map)))
        if not exponents.discrete:  # the exact means after every step are the coefficients
            known = solutions(regime_set) if solved is None else solved
            sections.append(("Loss evolution", _evolutions(regime_set, known, figures, captions)))
    if missing:
        sections.append(("What is missing", _missing(missing)))
    body = "\n".join(f"\\section{{{title}}}\n{text}" for title, text in sections)
    return (
        f"{_PREAMBLE}\\title{{{title_latex(problem)}}}\n"
        f"\\author{{computed by {engine_name()}}}\n\\date{{}}\n\\begin{{document}}\n"
        f"\\maketitle\n\\tableofcontents\n{body}{bibliography(body)}\\end{{document}}\n"
    )


def solutions(
    regime_set: Regimes,
    *,
    limit: TimeLimit | None = None,
    further: int = 0,
    stopped: Callable[[BaseException], None] | None = None,
) -> dict[str, Solution | DiagflowError]:
    """The solution of every regime, or why there is none.

    Parameters
    ----------
    regime_set : Regimes
    limit : TimeLimit, optional
        Each regime has its share of the time that is left; when that is over, that is why there
        is none.
    further : int, default 0
        How many parts share the time with the regimes and come after them.
    stopped : callable, optional
        Called with an interrupt of the user; the regimes from there on have none.
    """
    known: dict[str, Solution | DiagflowError] = {}
    try:
        for number, regime in enumerate(regime_set):
            share = None if limit is None else limit.share(len(regime_set) - number + further)
            try:
                with time_limit(share, f"the solution of regime {regime.name}"):
                    known[regime.name] = solution(regime_set, regime.name)
            except DiagflowError as error:
                known[regime.name] = error
    except KeyboardInterrupt as error:
        if stopped is None:
            raise
        stopped(error)
        for regime in regime_set:
            known.setdefault(
                regime.name, BudgetExceededError("the solution was interrupted; begin again")
            )
    return known


def _missing(lines: Sequence[str]) -> str:
    items = "".join(f"\\item {prose(line)}.\n" for line in lines)
    return (
        "This report was stopped, or its time was over, before all of it was finished:\n"
        f"\\begin{{itemize}}\n{items}\\end{{itemize}}\n"
    )


def _diagrams(series: LossSeries) -> str:
    blocks = list(block_items(series.problem))
    terms = list(islice(term_items(series, 1), _PICTURES + 1))
    look = Appearance.of(diagram for diagram, _ in (*blocks, *terms))
    rest = len(terms) > _PICTURES
    text = (
        "Every node is a summed index, every line an entry of a tensor at the indices that it "
        "joins; dashed lines are tensors that are not learnt. The blocks of the loss, with the "
        "beginning of their expectations:\n\n\\bigskip\n"
        f"{tikz_gallery(blocks, look=look, columns=3)}\n\\bigskip\n"
        "The distinct diagrams of $Y_0$ and $Y_1$ before the expectation, with their "
        "coefficients; one stands for all that differ by a permutation of alike tensors"
    )
    text += f"; the first {_PICTURES} of them" if rest else ""
    return f"{text}:\n\n\\bigskip\n{tikz_gallery(terms[:_PICTURES], look=look, columns=3)}\n"


def _blocks(problem: Problem) -> str:
    """The blocks alone, where a step rewrites whole diagrams."""
    blocks = list(block_items(problem))
    look = Appearance.of(diagram for diagram, _ in blocks)
    return (
        "Every node is a summed index, every line an entry of a tensor at the indices that it "
        "joins; dashed lines are tensors that are not learnt. The blocks of the loss, with the "
        "beginning of their expectations, into which every step puts the force for any of the "
        "entries:\n\n\\bigskip\n"
        f"{tikz_gallery(blocks, look=look, columns=3)}\n"
    )


def _expansion(problem: Problem, exponents: SeriesExponents) -> str:
    rows = []
    long: list[str] = []
    for s, part in enumerate(exponents.coefficients):
        polynomial = part if s else exponents.pure_target + part
        if len(polynomial) <= _LONGEST_COEFFICIENT and not long:
            rows.append((f"Y_{{{s}}}", by_power(polynomial, problem.weight_variances)))
        else:
            long.append(f"$Y_{{{s}}}$ has {counted(len(polynomial), 'term')}")
    followed = exponents.loss
    text = "" if followed is None else f"Here $L$ is \\texttt{{{escaped(followed)}}}.\n"
    if followed is not None and read_cumulant(followed)[1] > 1:
        text += "For $\\mathbb{E}[L]$ read this cumulant over initialisations.\n"
    if exponents.discrete:
        text += "Time is discrete: $Y_s = \\mathbb{E}[L_s]$ is the exact mean after $s$ steps,\n"
        text += f"{aligned(rows, width=_WIDTH)}\n"
        return text + (f"Not printed: {', '.join(long)}.\n" if long else "")
    text += (
        "Along the flow,\n\\[\n\\mathbb{E}[L(t)] \\sim \\sum_{s \\ge 0} Y_s \\frac{(t/T)^s}{s!}, "
        "\\qquad Y_s = T^s\\, \\mathbb{E}\\Bigl[\\frac{d^s L}{dt^s}(0)\\Bigr],\n\\]\n"
        "with the exact coefficients\n"
        f"{aligned(rows, width=_WIDTH)}\n"
    )
    return text + (f"Not printed: {', '.join(long)}.\n" if long else "")


def _regimes(regime_set: Regimes, *, has_map: bool) -> str:
    exponents = regime_set.exponents
    shown = (
        _float(
            MAP_FILE,
            f"Above, the exponents of $Y_{{{exponents.last}}}$ with the faces of their Newton "
            "polyhedron; below, the scalings at which each face leads, with the natural $T$. "
            "Colours say how much is learnt.",
            label=_MAP_LABEL,
            width=0.62,
        )
        if has_map
        else ""
    )
    pointer = f", see figure~\\ref{{{_MAP_LABEL}}}" if has_map else ""
    tied = ", ".join(
        f"${quotient_latex(as_monomial(exponents.symbols, relation.normal))} \\sim 1$"
        for relation in regime_set.on
    )
    on_slice = f" on the slice {tied}" if tied else ""
    return (
        "A regime is a face of the Newton polyhedra of all coefficients: a set of monomials that "
        "lead together when the sizes grow under its scaling condition. There are "
        f"{len(regime_set)}{on_slice}, from $Y_0, \\dots, Y_{{{exponents.last}}}${pointer}. "
        f"{prose(show_regimes.support(regime_set))}\n\n"
        f"{shown}\n\\begin{{center}}\\small\n\\fitted{{%\n{show_regimes.latex(regime_set)}}}\n"
        "\\end{center}\n"
    )


def _evolutions(
    regime_set: Regimes,
    known: Mapping[str, Solution | DiagflowError],
    figures: Mapping[str, str],
    captions: Mapping[str, str],
) -> str:
    text = (
        "The leading parts of the coefficients in a regime are summed. A solution is certified by "
        "the orders $s$ at which its Taylor coefficient equals the exact leading part of "
        "$Y_s$.\n\n"
    )
    resummed, unsolved, curves = [], [], []
    derived: list[tuple[Regime, Solution]] = []
    for regime in regime_set:
        solved = known[regime.name]
        if isinstance(solved, DiagflowError):
            unsolved.append(f"\\item {name_latex(regime.name)}: {prose(str(solved))}.\n")
        elif solved.method is Method.RESUMMED:
            drawn = regime.name in figures
            pointer = f", figure~\\ref{{{_label(regime.name)}}}" if drawn else ""
            said = f"{name_latex(regime.name)}: {prose(solved.validity)}{pointer}"
            resummed.append(f"\\item {said}\n")
            if drawn:
                curves.append(_figure(regime.name, figures, captions))
        else:
            derived.append((regime, solved))
    shared = SharedSteps.of(
        [[_shortened(step, solved) for step in solved.derivation] for _, solved in derived]
    )
    if len(shared):
        text += f"\\subsection{{Steps that regimes share}}\n{shared.latex(_fitted)}\n"
    simulated = any(regime.name in figures for regime, _ in derived)
    for regime, solved in derived:
        text += _solution(regime, solved, shared, drawn=regime.name in figures)
        if regime.name in figures:
            text += _figure(regime.name, figures, captions)
        elif simulated:
            text += _OUT_OF_REACH
    if resummed:
        text += (
            "\\subsection{Resummed regimes}\nNo closed form or characteristic equation is known "
            "here; the exact leading series is resummed, with an error estimate from two kinds "
            f"of approximants.\n\\begin{{itemize}}\n{''.join(resummed)}\\end{{itemize}}\n"
            f"{''.join(curves)}"
        )
    if unsolved:
        text += (
            "\\subsection{Unsolved regimes}\n"
            f"\\begin{{itemize}}\n{''.join(unsolved)}\\end{{itemize}}\n"
        )
    return text


def _solution(regime: Regime, solved: Solution, shared: SharedSteps, *, drawn: bool) -> str:
    conditions = ", ".join(f"${condition.latex()}$" for condition in regime.conditions)
    time = show_regimes.power_latex(regime.natural_time)
    pointer = f" Figure~\\ref{{{_label(regime.name)}}} shows it." if drawn else ""
    parts = [
        f"\\subsection{{Regime {name_latex(regime.name)}}}\n",
        f"Scaling: {conditions or 'the sizes grow'}; natural $T \\asymp {time}$; learning: "
        f"{regime.learning.value}. Method: {solved.method.value}. The solution holds for "
        f"{prose(solved.validity)}. {certificate_latex(solved.certificate)} "
        f"Source: {cited(solved.source)}.{_hierarchy(solved)}"
        f"{'' if solved.decided else ' ' + UNDECIDED_LATEX}{pointer}\n",
    ]
    references: list[str] = []
    for step in (_shortened(step, solved) for step in solved.derivation):
        if shared.number(step) is not None:
            references.append(shared.reference(step))
            continue
        parts += _referred(references)
        references = []
        parts.append(step_latex(step, display=_fitted))
    parts += _referred(references)
    short = solved.short_formula()
    if short is not None and not any(
        _shortened(step, solved) is step and step.latex.endswith(formula_latex(solved.formula))
        for step in solved.derivation
    ):
        parts.append(f"\\paragraph{{Result.}}\n{result_latex(short, display=_fitted)}\n")
    return "".join(parts) + "\n"


def _referred(references: Sequence[str]) -> list[str]:
    """A paragraph for steps that are printed elsewhere."""
    return [f"\\paragraph{{As elsewhere.}} {'; '.join(references)}.\n"] if references else []


def _hierarchy(solved: Solution) -> str:
    """A sentence on the cores that a regime was derived from, if there are any."""
    if solved.hierarchy.cores is None:
        return ""
    return f" Hierarchy of its effective dynamics: {solved.hierarchy}."


def _figure(name: str, figures: Mapping[str, str], captions: Mapping[str, str]) -> str:
    caption = captions.get(name, f"Regime {name_latex(name)}.")
    return _float(figures[name], caption, label=_label(name), width=0.5)


def _float(file: str, caption: str, *, label: str, width: float) -> str:
    """A numbered figure that TeX places where there is room."""
    return (
        "\\begin{figure}[htbp]\n\\centering\n"
        f"\\includegraphics[width={width}\\linewidth]{{{file}}}\n"
        f"\\caption{{{caption}}}\\label{{{label}}}\n\\end{{figure}}\n\n"
    )


def _label(name: str) -> str:
    return f"fig:{name.replace(' & ', '-and-')}"


def _shortened(step: DerivationStep, solved: Solution) -> DerivationStep:
    """A step without the long formula that is its result; it is printed once, at the end."""
    if solved.formula is None:
        return step
    formula = formula_latex(solved.formula)
    if visible_length(formula) <= _LONG_FORMULA or not step.latex.endswith(formula):
        return step
    kept = step.latex.removesuffix(formula).rstrip()
    kept = kept.removesuffix("=").removesuffix("\\sim").rstrip()
    return DerivationStep(step.title, kept, step.text) if kept else step


def _fitted(formula: str) -> str:
    """A formula on a line of its own, shrunk if it is wider than the line."""
    return f"\\[\n\\fitted{{$\\displaystyle {formula}$}}\n\\]"
