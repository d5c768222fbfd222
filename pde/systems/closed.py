r"""Closed forms of systems: linear ones, scalar ones, and those on a conic.

A system is first made smaller: variables on which the output does not depend are dropped, and
linear relations along the trajectory eliminate others. Then

- a linear system of at most three variables is a matrix exponential;
- one variable with a quadratic rate is a Riccati equation, x' = αx² + βx + γ, solved by a Möbius
  transformation of its start,

      x = (A x_0 + B)/(C x_0 + D),   (A B; C D) = exp(τ (β/2 γ; -α -β/2));

- one variable with x' = ax + bx^n is linear in x^{1-n};
- two variables on a conic: the conic is parametrised by the slope m of the line through the start,
  and m obeys a scalar equation.

Nothing is believed: the Taylor coefficients of every formula are compared with the exact ones of
the system at random numbers, to many digits, before it is returned.

>>> from expansion.dynamics.system import SystemTerm
>>> p = Polynomial.parse
>>> decay = PolynomialSystem(
...     variables=("x",),
...     rates=((SystemTerm(p("-2"), ((0, 2),)),),),
...     initial=(p("p"),),
...     output=(SystemTerm(p("1/2"), ((0, 2),)),),
... )
>>> closed_formula(decay).formula
p**2/(2*(1 + 2*p*t/T)**2)

Source: ours; the reductions are classical.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from random import Random

import mpmath
import sympy

from diagrams.rationals import as_fraction
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.polynomial import Polynomial
from pde.evolution import DerivationStep
from pde.formula_latex import formula_latex
from pde.systems.exact import taylor_at
from pde.systems.invariants import Invariant, expression_of, rates_of, relations, variables_of
from pde.taylor import symbol

__all__ = ["TAU", "ClosedForm", "closed_formula", "propagated", "pruned"]

_LARGEST = 8
"""Systems with more variables are not tried."""

_ORDER = 8
"""Taylor coefficients that are compared."""

_DIGITS = 60


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """A formula for the output of a system, and how it was found.

    Parameters
    ----------
    formula : sympy.Expr
        In t, T and the symbols of the system.
    steps : tuple of DerivationStep
    is_entire : bool
        Whether it has a value at all times, as a linear system has.
    """

    formula: sympy.Expr
    steps: tuple[DerivationStep, ...]
    is_entire: bool = False


@dataclass(frozen=True, slots=True)
class _Reduced:
    """A system with expressions for its parts."""

    variables: tuple[sympy.Symbol, ...]
    rates: tuple[sympy.Expr, ...]
    start: tuple[sympy.Expr, ...]
    output: sympy.Expr


def pruned(system: PolynomialSystem) -> PolynomialSystem:
    """The system without the variables on which its output does not depend.

    Examples
    --------
        >>> one = Polynomial({(): 1})
    >>> system = PolynomialSystem(
    ...     variables=("x", "y"),
    ...     rates=((), (SystemTerm(one, ((1, 1),)),)),
    ...     initial=(one, one),
    ...     output=(SystemTerm(one, ((1, 1),)),),
    ... )
    >>> pruned(system).variables
    ('y',)
    """
    needed: set[int] = set()
    waiting = {place for term in system.output for place, _ in term.powers}
    while waiting:
        needed |= waiting
        waiting = {
            place for i in waiting for term in system.rates[i] for place, _ in term.powers
        } - needed
    kept = sorted(needed)
    number = {place: k for k, place in enumerate(kept)}

    def renamed(terms: Sequence[SystemTerm]) -> tuple[SystemTerm, ...]:
        return tuple(
            SystemTerm(term.coefficient, tuple((number[i], k) for i, k in term.powers))
            for term in terms
        )

    return PolynomialSystem(
        variables=tuple(system.variables[i] for i in kept),
        rates=tuple(renamed(system.rates[i]) for i in kept),
        initial=tuple(system.initial[i] for i in kept),
        output=renamed(system.output),
    )


def closed_formula(system: PolynomialSystem) -> ClosedForm | None:
    """A closed form of the output, None if none is found that stands the comparison.

    Parameters
    ----------
    system : PolynomialSystem
    """
    small = pruned(system)
    if not 0 < len(small.variables) <= _LARGEST:
        return None
    smaller, before = _without_linear_relations(small)
    variables = variables_of(smaller)
    reduced = _Reduced(
        variables=variables,
        rates=rates_of(smaller),
        start=tuple(expression_of((SystemTerm(value),), ()) for value in smaller.initial),
        output=expression_of(smaller.output, variables),
    )
    solved = _solved(smaller, reduced)
    if solved is None:
        return None
    values, steps = solved
    formula = _short(reduced.output.subs(dict(zip(reduced.variables, values, strict=True))))
    formula = formula.subs(TAU, symbol("t") / symbol("T"))
    if not _agrees(formula, system):
        return None
    checked = DerivationStep(
        "Loss",
        rf"\mathbf{{E}}[L] \sim {formula_latex(formula)}",
        f"Its Taylor coefficients up to s = {_ORDER} were compared with those of the system.",
    )
    return ClosedForm(formula, (*before, *steps, checked), is_entire=_is_linear(reduced))


TAU = sympy.Symbol("tau", real=True)


class _Growth(sympy.Function):  # type: ignore[misc]
    """exp(root of the first argument times τ), while it is a variable of rational functions."""


class _Root(sympy.Function):  # type: ignore[misc]
    """The square root of the argument, while it is a variable of rational functions."""


def _short(expression: sympy.Expr) -> sympy.Expr:
    """A rational function of exponentials and roots in lowest terms, and with factors."""
    growths, roots = expression.atoms(_Growth), expression.atoms(_Root)
    names = {each: sympy.Dummy(positive=True) for each in (*growths, *roots)}
    plain = expression.subs(names)
    if growths or roots:
        parts = sympy.fraction(sympy.cancel(sympy.together(plain)))
        for root in roots:
            square = names[root] ** 2 - root.args[0]
            parts = tuple(sympy.rem(sympy.expand(part), square, names[root]) for part in parts)
        plain = sympy.factor(sympy.cancel(parts[0] / parts[1]))
    values = {names[each]: sympy.exp(sympy.sqrt(each.args[0]) * TAU) for each in growths}
    values |= {names[each]: sympy.sqrt(each.args[0]) for each in roots}
    return plain.subs(values)


def _without_linear_relations(
    system: PolynomialSystem,
) -> tuple[PolynomialSystem, tuple[DerivationStep, ...]]:
    """The system in fewer variables, where linear relations have coefficients like its own."""
    found = relations(system, degree=1)
    variables = variables_of(system)
    equations = [relation.expression for relation in found]
    solutions = sympy.solve(equations, list(reversed(variables)), dict=True) if found else []
    if not solutions:
        return system, ()
    solution = solutions[0]
    kept = [i for i, x in enumerate(variables) if x not in solution]
    names = [variables[i] for i in kept]
    try:
        smaller = PolynomialSystem(
            variables=tuple(system.variables[i] for i in kept),
            rates=tuple(
                _terms(expression_of(system.rates[i], variables).subs(solution), names)
                for i in kept
            ),
            initial=tuple(system.initial[i] for i in kept),
            output=_terms(expression_of(system.output, variables).subs(solution), names),
        )
    except _NotLaurentError:
        return system, ()
    return smaller, (_relations_step(found),)


class _NotLaurentError(Exception):
    """A coefficient that is no Laurent polynomial in the symbols."""


def _terms(expression: sympy.Expr, variables: Sequence[sympy.Symbol]) -> tuple[SystemTerm, ...]:
    """An expression as a sum of terms; without variables, the one that it is."""
    if not variables:
        return (SystemTerm(_laurent(expression)),)
    polynomial = sympy.Poly(sympy.expand(expression), *variables)
    return tuple(
        SystemTerm(_laurent(c), tuple((i, k) for i, k in enumerate(powers) if k))
        for powers, c in polynomial.terms()
        if c != 0
    )


def _laurent(coefficient: sympy.Expr) -> Polynomial:
    total = Polynomial()
    for part in sympy.Add.make_args(sympy.expand(coefficient)):
        number, rest = part.as_coeff_Mul()
        powers = rest.as_powers_dict() if rest != 1 else {}
        if not number.is_Rational or not all(
            base.is_Symbol and power.is_Integer for base, power in powers.items()
        ):
            raise _NotLaurentError
        table = {(base.name, int(power)) for base, power in powers.items()}
        total += Polynomial({tuple(table): as_fraction(number)})
    return total


def _relations_step(found: Sequence[Invariant]) -> DerivationStep:
    latex = r",\qquad ".join(f"{formula_latex(each.expression)} = 0" for each in found)
    return DerivationStep(
        "Relations along the trajectory",
        latex,
        "Found by exact linear algebra; they hold at the start and the flow keeps them.",
    )


def _solved(
    system: PolynomialSystem, reduced: _Reduced
) -> tuple[tuple[sympy.Expr, ...], tuple[DerivationStep, ...]] | None:
    """The variables as functions of the time."""
    if not reduced.variables:
        return (), ()
    if len(reduced.variables) <= 3 and _is_linear(reduced):
        return _linear(reduced)
    if len(reduced.variables) == 1:
        value = _scalar(reduced.rates[0], reduced.variables[0], reduced.start[0])
        return None if value is None else ((value,), (_scalar_step(reduced),))
    if len(reduced.variables) == 2:
        return _on_conic(system, reduced)
    return None


def _scalar_step(reduced: _Reduced) -> DerivationStep:
    (x,), (rate,) = reduced.variables, reduced.rates
    return DerivationStep(
        "Scalar equation",
        f"{sympy.latex(x)}' = {formula_latex(rate)}",
        "Separable; its solution is elementary.",
    )


# -- linear --------------------------------------------------------------------------------------


def _is_linear(reduced: _Reduced) -> bool:
    """Whether it is linear; without variables it is."""
    return all(sympy.Poly(rate, *reduced.variables).total_degree() <= 1 for rate in reduced.rates)


def _linear(
    reduced: _Reduced,
) -> tuple[tuple[sympy.Expr, ...], tuple[DerivationStep, ...]] | None:
    x = sympy.Matrix(reduced.variables)
    rate = sympy.Matrix(reduced.rates)
    matrix = rate.jacobian(x)
    shift = (rate - matrix * x).applyfunc(sympy.expand)
    size = len(reduced.variables)
    # x' = Mx + b as a homogeneous system with one variable more, which is constant.
    whole = sympy.zeros(size + 1, size + 1)
    whole[:size, :size] = matrix
    whole[:size, size] = shift
    if shift.is_zero_matrix:
        whole = matrix
    start = sympy.Matrix([*reduced.start, *([1] if whole.shape[0] > size else [])])
    values = propagated(whole, start)
    if values is None:
        return None
    step = DerivationStep(
        "Linear equations",
        rf"x' = M x,\quad M = {sympy.latex(whole)}",
        "Solved by the Laplace transform, partial fraction by partial fraction.",
    )
    return values[:size], (step,)


def propagated(matrix: sympy.Matrix, start: sympy.Matrix) -> tuple[sympy.Expr, ...] | None:
    """exp(Mτ) v, None if an eigenvalue is not at most a square root of what is known.

    (s - M)^{-1} v is a sum of partial fractions over the field of the symbols; those of a linear
    factor are exponentials, those of a quadratic one exponentials with a square root.
    """
    s = sympy.Dummy("s")
    field = sympy.QQ.frac_field(*sorted(matrix.free_symbols | start.free_symbols, key=str))
    field = field if field.gens else sympy.QQ
    whole = sympy.Poly(matrix.charpoly().as_expr(s), s, domain=field)
    factors = [(factor.monic(), power) for factor, power in whole.factor_list()[1]]
    if any(f.degree() > 2 or (f.degree() == 2 and power > 1) for f, power in factors):
        return None
    moved = (s * sympy.eye(matrix.shape[0]) - matrix).adjugate() * start
    values = []
    for entry in moved:
        numerator = sympy.Poly(entry, s, domain=field)
        value = sympy.S.Zero
        for factor, power in factors:
            block = factor**power
            part = (numerator * whole.quo(block).invert(block)).rem(block)
            for k in range(power, 0, -1):
                part, digit = part.div(factor)
                value += _inverse_laplace(digit, factor, k)
        values.append(value)
    return tuple(values)


def _inverse_laplace(above: sympy.Poly, factor: sympy.Poly, power: int) -> sympy.Expr:
    """Of above / factor^power with a monic factor, as a function of `TAU`."""
    if factor.degree() == 1:
        growth = sympy.exp(sympy.factor(-factor.nth(0)) * TAU)
        scale = sympy.factor(above.nth(0)) / sympy.factorial(power - 1)
        return scale * TAU ** (power - 1) * growth
    half = factor.nth(1) / 2
    root = sympy.sqrt(sympy.factor(sympy.cancel(half**2 - factor.nth(0))))
    slope, offset = sympy.factor(above.nth(1)), sympy.factor(above.nth(0) - above.nth(1) * half)
    growth = sympy.exp(root * TAU)
    even, odd = (growth + 1 / growth) / 2, (growth - 1 / growth) / (2 * root)
    return sympy.exp(sympy.factor(-half) * TAU) * (slope * even + offset * odd)


# -- scalar --------------------------------------------------------------------------------------


def _scalar(rate: sympy.Expr, x: sympy.Symbol, start: sympy.Expr) -> sympy.Expr | None:
    """The solution of x' = rate, in `TAU`."""
    polynomial = sympy.Poly(rate, x)
    terms = {power: sympy.cancel(c) for (power,), c in polynomial.terms() if sympy.cancel(c) != 0}
    if all(power <= 2 for power in terms):
        a, b, c = (terms.get(power, sympy.S.Zero) for power in (2, 1, 0))
        return _riccati(a, b, c, start)
    powers = sorted(terms)
    if len(powers) == 1 or (len(powers) == 2 and powers[0] == 1):
        if sympy.simplify(start) == 0:
            return sympy.S.Zero
        return _bernoulli(terms.get(1, sympy.S.Zero), terms[powers[-1]], powers[-1], start)
    return None


def _riccati(a: sympy.Expr, b: sympy.Expr, c: sympy.Expr, start: sympy.Expr) -> sympy.Expr:
    square = sympy.factor(sympy.cancel(b**2 / 4 - a * c))
    if square == 0:
        cosh, sinh = sympy.S.One, TAU
    else:
        exact = sympy.sqrt(square)
        growth, root = _Growth(square), exact if exact.is_Rational else _Root(square)
        cosh, sinh = (growth + 1 / growth) / 2, (growth - 1 / growth) / (2 * root)
    above = start * cosh + (b / 2 * start + c) * sinh
    below = cosh - (a * start + b / 2) * sinh
    return above / below


def _bernoulli(a: sympy.Expr, b: sympy.Expr, n: int, start: sympy.Expr) -> sympy.Expr:
    """From u = x^{1-n}, u' = (1-n)(a u + b), relative to its start."""
    if a == 0:
        ratio = 1 + (1 - n) * b * start ** (n - 1) * TAU
    else:
        growth = sympy.exp((1 - n) * a * TAU)
        ratio = growth + b * start ** (n - 1) / a * (growth - 1)
    return start * ratio ** sympy.Rational(-1, n - 1)


# -- conics --------------------------------------------------------------------------------------


def _on_conic(
    system: PolynomialSystem, reduced: _Reduced
) -> tuple[tuple[sympy.Expr, ...], tuple[DerivationStep, ...]] | None:
    """Two variables that obey a quadratic relation, by the slope of the line from the start."""
    found = relations(system, degree=2)
    if len(found) != 1:
        return None
    conic = found[0].expression
    at_start = dict(zip(reduced.variables, reduced.start, strict=True))
    slopes = [sympy.cancel(rate.subs(at_start)) for rate in reduced.rates]
    if slopes == [0, 0]:
        return reduced.start, ()
    one, other = (0, 1) if slopes[0] != 0 else (1, 0)
    x, y = reduced.variables[one], reduced.variables[other]
    m, away = sympy.Symbol("m", real=True), sympy.Symbol("away", real=True)
    line = {x: reduced.start[one] + away, y: reduced.start[other] + m * away}
    restricted = sympy.Poly(sympy.expand(conic.subs(line)), away)
    coefficients = [sympy.cancel(restricted.coeff_monomial(away**k)) for k in (1, 2)]
    if coefficients[1] == 0:
        return None
    distance = sympy.cancel(-coefficients[0] / coefficients[1])
    rates = [rate.subs(line).subs(away, distance) for rate in reduced.rates]
    slope = sympy.cancel(sympy.together((rates[other] - m * rates[one]) / distance))
    if not slope.is_polynomial(m):
        return None
    value = _scalar(slope, m, sympy.cancel(slopes[other] / slopes[one]))
    if value is None:
        return None
    moved = distance.subs(m, value)
    values = {x: reduced.start[one] + moved, y: reduced.start[other] + value * moved}
    steps = (
        _relations_step([Invariant(conic, sympy.S.Zero)]),
        DerivationStep(
            "Rational parametrisation",
            rf"m = {formula_latex((y - reduced.start[other]) / (x - reduced.start[one]))},\qquad "
            rf"m' = {formula_latex(sympy.collect(sympy.expand(slope), m))}",
            "Lines through the start of the trajectory meet the conic in one further point.",
        ),
    )
    return tuple(values[v] for v in reduced.variables), steps


def _agrees(formula: sympy.Expr, system: PolynomialSystem) -> bool:
    """Whether Taylor coefficients agree at random numbers."""
    names = sorted(
        {
            name
            for coefficient in (
                *system.initial,
                *(t.coefficient for row in (*system.rates, system.output) for t in row),
            )
            for name in coefficient.symbols
        }
    )
    random = Random(11)
    t, T = symbol("t"), symbol("T")
    function = sympy.lambdify([*(symbol(name) for name in names), t], formula.subs(T, 1), "mpmath")
    return all(
        _agrees_at(
            function,
            system,
            {name: Fraction(random.randint(5, 40), random.randint(5, 40)) for name in names},
        )
        for _ in range(2)
    )


def _agrees_at(
    function: Callable[..., mpmath.mpf], system: PolynomialSystem, values: dict[str, Fraction]
) -> bool:
    exact = taylor_at(system, _ORDER + 1, values)
    with mpmath.workdps(_DIGITS):
        numbers = [mpmath.mpf(value.numerator) / value.denominator for value in values.values()]
        try:
            found = mpmath.taylor(lambda x: function(*numbers, x), 0, _ORDER)
        except (ValueError, ZeroDivisionError):
            return False
        wanted = [
            mpmath.mpf(c.numerator) / c.denominator / factorial(n) for n, c in enumerate(exact)
        ]
        small = mpmath.mpf(10) ** (-_DIGITS // 4)
        return all(
            abs(one - want) <= small * (1 + abs(want))
            for one, want in zip(found, wanted, strict=True)
        )
