"""What drives the weights of a problem, in the words of its user.

Plain gradient flow follows the loss of the model and its target, all weights alike:

    T du/dt = -dL/du.

A `Drive` is the difference:

- *flow*: the potential P in place of L, a linear combination of the problem's losses and
  observables with rational numbers and symbols, such as ``train + lambda*weight-norm``;
- *rates*: a factor r_W for the velocity of a tensor W, a number times powers of symbols;
- *temperature* τ: Langevin dynamics, T du = -r_W dP/du dt + (2 τ r_W T)^{1/2} dB;
- *implicit* η: the potential P + (η/4) sum of r_W (dP/du)², of which the flow agrees with gradient
  descent of steps η = Δt/T on P up to the second order;
- *momentum* γ: the heavy ball T² d²u/dt² = -γ T du/dt - r_W dP/du, at rest at time zero;
- *step* η: gradient descent u <- u - η r_W dP/du in place of a flow; the coefficients are then the
  means after 0, 1, 2, ... steps. Fixed tensors in *resample* are drawn anew after every step: with
  the data among them this is stochastic gradient descent in one pass, a batch for every step. What
  is followed is measured with the tensors that the next step uses, which the weights do not know.

Of temperature, momentum and step a problem has one at most.

The symbols are free nodes of the diagrams. Powers that all parts of a generator share are taken out
as a *normalisation*, a factor of every step; what is left of the others are free nodes. So the loss
of N data, with 1/N in front, and a weight norm without it become (1/N) (L + N |W|²/2).

>>> print(combined([(1, (("N", -1),), DiagramSum()), (1, (("lambda", 1),), DiagramSum())])[1])
(('N', -1),)

Source: generators, ours; the modified potential: D. Barrett, B. Dherin, "Implicit gradient
regularization", 2021, and E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*,
chapter IX.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from diagrams.arguments import shown, word
from diagrams.errors import InvalidInputError
from diagrams.generator import Amplitude, Generator
from diagrams.merge import merge
from diagrams.rewriting import Descent, Force, HeavyBall, Rewriting
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.variances import Powers, Variance
from diagrams.wick import Monomial, monomial
from expansion.formula_parser import FormulaTerm, read_formula
from expansion.losses import Quantity

__all__ = [
    "FACTORS",
    "PLAIN",
    "Drive",
    "Driven",
    "combined",
    "driven",
    "factor_of",
    "inertial",
    "rewriting",
]

FACTORS = ("temperature", "implicit", "momentum", "step")
"""The values that are a number times powers of symbols, besides the rates."""

_SYMBOL = re.compile(r"[A-Za-z_](?:\w*[A-Za-z_])?", re.ASCII)

_SCALE, _FRICTION = Axis("_scale_of_the_force"), Axis("_friction")
"""Symbols of a rewriting until they are replaced by what they stand for."""

Part = tuple[Fraction | int, Powers, DiagramSum]
"""A number, powers of symbols, and what they multiply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """The dynamics of the weights; plain gradient flow by default.

    Parameters
    ----------
    flow : str, default ""
        A formula in names of losses and observables; empty for the loss of the problem.
    rates : tuple of (str, str), default ()
        Tensors with their rates; a mapping is understood too.
    temperature : str, default ""
        A symbol, a number, or a product of powers of them; empty for none.
    implicit : str, default ""
        The step of gradient descent whose modified flow is followed, likewise.
    momentum : str, default ""
        The friction of the heavy ball, likewise.
    step : str, default ""
        The step of gradient descent, likewise.
    resample : tuple of str, default ()
        Fixed tensors that are drawn anew after every step.

    Raises
    ------
    InvalidInputError
        If one of them is not understood, a symbol ends in a digit, two dynamics are asked for, or
        tensors are drawn anew without steps.

    Examples
    --------
    >>> Drive(rates={"V": "2*eta", "U": 1}, temperature="tau").words
    (('rate', 'V:2*eta'), ('temperature', 'tau'))
    """

    flow: str = ""
    rates: tuple[tuple[str, str], ...] = ()
    temperature: str = ""
    implicit: str = ""
    momentum: str = ""
    step: str = ""
    resample: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "flow", word(self.flow, "flow"))
        object.__setattr__(self, "rates", _rates(self.rates))
        object.__setattr__(self, "resample", _resampled(self.resample))
        for name in FACTORS:
            value = getattr(self, name)
            text = "" if value in ("", None) else str(factor_of(value, name))
            object.__setattr__(self, name, text)
        dynamics = [name for name in ("temperature", "momentum", "step") if getattr(self, name)]
        if len(dynamics) > 1:
            raise InvalidInputError(
                f"{' and '.join(dynamics)}: are different dynamics; give one of them"
            )
        if self.resample and not self.step:
            raise InvalidInputError(
                f"resample {', '.join(self.resample)}: tensors are drawn anew after steps, and "
                "time is continuous here; give a step too"
            )

    @property
    def is_plain(self) -> bool:
        """Whether it is the gradient flow of the loss of the problem."""
        return self == PLAIN

    @property
    def is_rewriting(self) -> bool:
        """Whether it is done by `diagrams.rewriting`: steps are no flow."""
        return bool(self.step)

    @property
    def words(self) -> tuple[tuple[str, str], ...]:
        """The differences from gradient flow, for titles: names of options with their values."""
        named = [("flow", self.flow), *(("rate", f"{name}:{rate}") for name, rate in self.rates)]
        named += [(name, getattr(self, name)) for name in FACTORS]
        named += [("resample", ",".join(self.resample))]
        return tuple((name, value) for name, value in named if value)

    @property
    def record(self) -> dict[str, str | dict[str, str] | list[str]]:
        """The differences from gradient flow, as plain data under the words of problem files."""
        values: dict[str, str | dict[str, str] | list[str]] = {
            "flow": self.flow,
            "rates": dict(self.rates),
            **{name: getattr(self, name) for name in FACTORS},
            "resample": list(self.resample),
            "time": "discrete" if self.step else "",
        }
        return {name: value for name, value in values.items() if value}

    @property
    def factors(self) -> tuple[Variance, ...]:
        """All rates and other factors."""
        texts = [*(rate for _, rate in self.rates), *(getattr(self, name) for name in FACTORS)]
        return tuple(Variance.parse(text) for text in texts if text)

    def terms(self, quantities: Sequence[str]) -> tuple[FormulaTerm, ...]:
        """The terms of the flow; none if it is plain.

        Raises
        ------
        InvalidInputError
            If it is not a combination of the quantities of the problem.
        """
        if not self.flow:
            return ()
        terms = read_formula(self.flow, names=quantities)
        for term in terms:
            if term.name is None or term.entries or not term.coefficient:
                raise InvalidInputError(
                    f"flow {self.flow[:60]!r}: has a term without a loss or an observable, or with "
                    "a tensor or a factor 0; combine " + ", ".join(quantities)
                )
            for symbol in term.symbols:
                _checked(symbol)
        return terms

    def symbols(self, quantities: Sequence[str]) -> frozenset[str]:
        """All symbols that it brings."""
        named = {symbol for term in self.terms(quantities) for symbol in term.symbols}
        return frozenset(named.union(*(factor.symbols for factor in self.factors)))

    def checked(self, quantities: Sequence[str], tensors: Sequence[Tensor]) -> Drive:
        """In the words of a problem: like terms are collected, the plain flow is not written.

        Raises
        ------
        InvalidInputError
            If the flow is no combination of the quantities, a rate belongs to no weight, or what is
            drawn anew is no fixed random tensor.
        """
        self._drawn_anew(tensors)
        weights = [tensor.name for tensor in tensors if tensor.is_learnable]
        for name, _ in self.rates:
            if name not in weights:
                raise InvalidInputError(
                    f"rate of {name}: there is no learnable tensor of this name; give rates to "
                    f"{', '.join(weights)}"
                )
        found: dict[tuple[str, tuple[str, ...]], Fraction] = {}
        for term in self.terms(quantities):
            key = term.name or "", tuple(sorted(term.symbols))
            found[key] = found.get(key, Fraction(0)) + term.coefficient
        kept = {key: c for key, c in found.items() if c}
        if self.flow and not kept:
            raise InvalidInputError(
                f"flow {self.flow[:60]!r}: is zero, and nothing moves; combine "
                + ", ".join(quantities)
            )
        plain = kept == {(quantities[0], ()): 1}
        return replace(self, flow="" if plain else _sum(kept))

    def _drawn_anew(self, tensors: Sequence[Tensor]) -> None:
        fixed = {tensor.name: tensor for tensor in tensors if tensor.kind is Kind.FIXED}
        for name in self.resample:
            if name not in fixed:
                known = ", ".join(fixed) or "give none, there is no such tensor"
                raise InvalidInputError(
                    f"resample {name}: is no fixed random tensor of this problem; name one of: "
                    f"{known}"
                )
            for symbol in fixed[name].entries.symbols:
                _checked(symbol)


@dataclass(frozen=True, slots=True)
class Driven:
    """A generator, without a factor that every step has.

    Parameters
    ----------
    generator : Generator
    normalisation : Monomial
        Powers of symbols in front of it.
    """

    generator: Generator
    normalisation: Monomial


def driven(
    drive: Drive,
    quantities: Mapping[str, Quantity],
    weights: Iterable[Tensor],
) -> Driven:
    """The generator of a drive.

    Parameters
    ----------
    drive : Drive
    quantities : mapping
        The losses and observables that its flow names; without a flow the first one drives.
    weights : iterable of Tensor
        All learnable tensors.
    """
    rates = {tensor: Variance.parse(dict(drive.rates).get(tensor.name, "1")) for tensor in weights}
    shared = _shared(rate.powers for rate in rates.values())
    amplitudes = {tensor: _amplitude(rate, shared) for tensor, rate in rates.items()}
    total, powers = combined(_potential(drive, quantities))
    if drive.implicit:
        total, powers = combined(
            [(1, powers, total), *_squared_gradient(drive.implicit, total, powers, rates)]
        )
    temperature = None
    if drive.temperature:
        factor = Variance.parse(drive.temperature)
        # The noise has the rates but not the normalisation of the potential.
        common = _shared([powers, factor.powers])
        total, powers = _nodes(powers, common) * total, common
        temperature = _amplitude(factor, common)
    return Driven(
        Generator(
            total,
            tuple((tensor, rate) for tensor, rate in amplitudes.items() if rate != Amplitude()),
            temperature,
        ),
        _product(powers, shared),
    )


def inertial(drive: Drive, found: Driven) -> Driven:
    """The generator of a heavy ball, with its friction, and the normalisation of a step of it.

    With the normalisation n of the force and a monomial m of no positive power, v = m w turns

        𝓛  =  sum of  v d/du - (γ v + n r dP/du) d/dv

    into m times the sum of w d/du - (γ/m w + n/m² r dP/du) d/dw, which has no negative powers if m
    takes those of γ and n. The velocities of the generator are these w; they vanish at rest, too.

    Examples
    --------
    >>> plain = Driven(Generator(DiagramSum()), (("N", -1),))
    >>> ball = inertial(Drive(momentum="gamma"), plain)
    >>> ball.normalisation, [axis.name for axis in ball.generator.friction.symbols]
    ((('N', -1),), ['N', 'gamma'])
    """
    friction = Variance.parse(drive.momentum)
    common: dict[str, int] = {}
    for name, power in (*found.normalisation, *friction.powers):
        common[name] = min(common.get(name, 0), power)
    inverse = tuple((name, -power) for name, power in common.items())
    scale = _product(found.normalisation, _product(inverse, inverse))
    symbols = _nodes(friction.powers, tuple(common.items())).symbols
    return Driven(
        Generator(
            _nodes(scale, ()) * found.generator.potential,
            found.generator.rates,
            friction=Amplitude(friction.coefficient, symbols),
        ),
        monomial(common),
    )


def rewriting(
    drive: Drive, found: Driven, tensors: Iterable[Tensor]
) -> tuple[Rewriting, Mapping[str, Variance]]:
    """The rewriting of a heavy ball or of gradient descent, and what its symbols stand for.

    The normalisation of the generator is in what the scale of the force stands for. The tensors
    are those of the problem, among which some may be drawn anew.
    """
    normalisation = Variance(Fraction(1), found.normalisation)
    force = Force(found.generator, _SCALE)
    if drive.momentum:
        meanings = {_SCALE.name: normalisation, _FRICTION.name: Variance.parse(drive.momentum)}
        return HeavyBall(force, _FRICTION), meanings
    step = Variance.parse(drive.step)
    powers = _product(step.powers, found.normalisation)
    redrawn = tuple(tensor for tensor in tensors if tensor.name in drive.resample)
    return Descent(force, redrawn), {_SCALE.name: Variance(step.coefficient, powers)}


def combined(parts: Sequence[Part]) -> tuple[DiagramSum, Monomial]:
    """A sum of products as diagrams with free nodes, and the powers that all of them share.

    Examples
    --------
    >>> from diagrams.diagram import Diagram
    >>> one = DiagramSum({Diagram(()): 1})
    >>> total, powers = combined([(1, (("N", -1),), one), (2, (), one)])
    >>> print(total, powers)
    1 * [1] + 2 * [N0] (('N', -1),)
    """
    shared = _shared(powers for _, powers, _ in parts)
    sums = (
        _amplitude(Variance(Fraction(1), powers), shared) * (total * c)
        for c, powers, total in parts
    )
    return sum(sums, DiagramSum()), shared


def _potential(drive: Drive, quantities: Mapping[str, Quantity]) -> list[Part]:
    names = tuple(quantities)
    terms = drive.terms(names) or (FormulaTerm(name=names[0]),)
    result: list[Part] = []
    for term in terms:
        quantity = quantities[term.name or ""]
        symbols = monomial({symbol: term.symbols.count(symbol) for symbol in term.symbols})
        powers = _product(quantity.normalisation, symbols)
        result.append((term.coefficient, powers, quantity.diagrams))
    return result


def _squared_gradient(
    step: str, potential: DiagramSum, powers: Powers, rates: Mapping[Tensor, Variance]
) -> list[Part]:
    """(η/4) sum of r_W (dP/du)² with P of the given diagrams and powers."""
    eta = Variance.parse(step)
    return [
        (
            eta.coefficient * rate.coefficient / 4,
            _product(_product(powers, powers), _product(eta.powers, rate.powers)),
            merge(potential, potential, over={tensor}),
        )
        for tensor, rate in rates.items()
    ]


def _shared(several: Iterable[Powers]) -> Monomial:
    """The least power of every symbol."""
    tables = [dict(powers) for powers in several]
    names = {name for table in tables for name in table}
    return monomial({name: min(table.get(name, 0) for table in tables) for name in names})


def _amplitude(factor: Variance, shared: Powers) -> Amplitude:
    return Amplitude(factor.coefficient, _nodes(factor.powers, shared).symbols)


def _nodes(powers: Powers, shared: Powers) -> Amplitude:
    """The powers without the shared ones, as free nodes."""
    rest = dict(_product(powers, tuple((name, -power) for name, power in shared)))
    return Amplitude(
        symbols=tuple(Axis(name) for name, power in sorted(rest.items()) for _ in range(power))
    )


def _product(first: Powers, second: Powers) -> Monomial:
    total = dict(first)
    for name, power in second:
        total[name] = total.get(name, 0) + power
    return monomial(total)


def _rates(value: object) -> tuple[tuple[str, str], ...]:
    """Tensors with their rates, sorted, without those that are 1."""
    pairs = value.items() if isinstance(value, Mapping) else value
    try:
        listed = [(word(name, "rates"), rate) for name, rate in pairs]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"rates: {shown(value)} are no tensors with rates; give for example {{'W': 'eta'}}"
        ) from None
    found: dict[str, str] = {}
    for name, rate in listed:
        if name in found:
            raise InvalidInputError(f"rate of {name}: is given twice; give it once")
        found[name] = str(factor_of(rate, f"rate of {name}"))
    return tuple(sorted((name, rate) for name, rate in found.items() if rate != "1"))


def _resampled(value: object) -> tuple[str, ...]:
    """Names of tensors, sorted."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidInputError(
            f"resample: {shown(value)} is no list of names of tensors; give for example ['X']"
        )
    return tuple(sorted({word(name, "resample") for name in value}))


def factor_of(value: object, title: str) -> Variance:
    """A positive number times powers of symbols.

    Parameters
    ----------
    value : str, int or Fraction
        As for a variance, see `diagrams.variances`.
    title : str
        What it is, for messages.

    Raises
    ------
    InvalidInputError
        If it is none, or a symbol ends in a digit.
    """
    try:
        factor = Variance.of(value)
    except InvalidInputError as error:
        raise InvalidInputError(str(error).replace("variance", title, 1)) from None
    for symbol in factor.symbols:
        _checked(symbol)
    return factor


def _checked(symbol: str) -> None:
    """A symbol may become a free node of a diagram, where a digit at the end would be a number."""
    if not _SYMBOL.fullmatch(symbol):
        raise InvalidInputError(
            f"symbol {symbol[:40]!r}: ends in a digit; rename it, as eta_a in place of eta1"
        )


def _sum(terms: Mapping[tuple[str, tuple[str, ...]], Fraction]) -> str:
    """A flow as one writes it."""
    text = ""
    for (name, symbols), c in terms.items():
        product = "*".join([*([str(abs(c))] if abs(c) != 1 else []), *symbols, name])
        text += f"{' - ' if c < 0 else ' + '}{product}"
    return f"-{text[3:]}" if text.startswith(" - ") else text[3:]


PLAIN = Drive()
"""The gradient flow of the loss."""
