"""The oracle against hand computation, against sympy, and against the reference records.

The oracle is what the engine is measured by, so it is checked here by itself: nothing of the
packages `diagrams`, `expansion` and `pde` takes part.
"""

import ast
import json
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any, Literal

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from diagflow import oracle
from diagflow.oracle import (
    UNIT_VARIANCE,
    Moments,
    OracleLoss,
    Term,
    cp_loss_derivatives,
    format_moments,
    loss_derivatives,
)

REFERENCE = Path(__file__).parent / "reference"
SIGMA2 = "sigma2"


def sigma2_power(power: int) -> tuple[tuple[str, int], ...]:
    return ((SIGMA2, power),) if power else ()


# --- hand-computed moments ------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "rank"), [(1, 1), (2, 1), (1, 2), (2, 3), (3, 2)])
@pytest.mark.parametrize("order", [2, 3, 4])
def test_symmetric_loss_at_initialisation(order: int, p: int, rank: int) -> None:
    """E[D] = sum over k, k' of E[(u_k . u_k')^order].

    Equal rows give E|u|^(2 order), different rows (order - 1)!! E|u|^order, or 0 for odd order.
    """

    def norm_moment(half: int) -> int:
        return prod(p + 2 * j for j in range(half))

    different_rows = 0 if order % 2 else prod(range(1, order, 2)) * norm_moment(order // 2)
    squared = rank * norm_moment(order) + rank * (rank - 1) * different_rows
    (moments,) = cp_loss_derivatives(order, symmetric=True, target="zero", p=p, H=rank, terms=0)
    assert moments == {sigma2_power(order): Fraction(squared, 2)}
    if order == 2:
        assert squared == p**2 * rank + p * rank**2 + p * rank
    if order == 3:
        assert squared == (p**3 + 6 * p**2 + 8 * p) * rank


@pytest.mark.parametrize(("p", "rank"), [(1, 1), (2, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("order", [2, 3, 4])
def test_asymmetric_loss_at_initialisation(order: int, p: int, rank: int) -> None:
    (free,) = cp_loss_derivatives(order, symmetric=False, target="zero", p=p, H=rank, terms=0)
    (fitted,) = cp_loss_derivatives(order, symmetric=False, target="identity", p=p, H=rank, terms=0)
    assert free == {sigma2_power(order): Fraction(p**order * rank, 2)}
    # The target enters Y_0 through its norm only: one weight of each colour averages to zero.
    assert fitted == {(): Fraction(p, 2)} | free


def test_linear_model_relaxes_exponentially() -> None:
    """f = u, F = 1 at each of n outputs: E[L] = (n/2) (1 + sigma2) exp(-2 t / T)."""
    n = 3
    series = loss_derivatives([Term(1, (("u", "i"),), "i")], [Term(1, (), "i")], {"i": n}, 5)
    assert series == [
        {(): Fraction(n * (-2) ** s, 2), sigma2_power(1): Fraction(n * (-2) ** s, 2)}
        for s in range(6)
    ]


def test_repeated_output_letter_is_a_kronecker_delta() -> None:
    """A diagonal target meets only the diagonal of the model."""
    series = loss_derivatives(
        [Term(1, (("A", "ij"),), "ij")], [Term(3, (), "ii")], {"i": 2, "j": 2}, 0
    )
    assert series == [{(): Fraction(2 * 9, 2), sigma2_power(1): Fraction(4, 2)}]


# --- one-parameter models, against sympy ----------------------------------------------------------


def scalar_derivatives(
    loss: sympy.Expr,
    learnable: Sequence[sympy.Symbol],
    variances: Mapping[sympy.Symbol, str],
    terms: int,
) -> list[Moments]:
    """The same expansion written with sympy's own derivatives and moments of the normal law."""
    series = []
    current = loss
    for _ in range(terms + 1):
        average = sympy.expand(current)
        for symbol, variance in variances.items():
            collected = sympy.Poly(average, symbol)
            average = sum(
                coefficient * normal_moment(power) * sympy.Symbol(variance) ** (power // 2)
                for (power,), coefficient in collected.terms()
            )
        series.append(as_moments(average, sorted(set(variances.values()))))
        current = sympy.expand(
            -sum(sympy.diff(current, weight) * sympy.diff(loss, weight) for weight in learnable)
        )
    return series


def normal_moment(power: int) -> sympy.Integer:
    return sympy.Integer(0) if power % 2 else sympy.factorial2(power - 1)


def as_moments(expression: sympy.Expr, symbols: Sequence[str]) -> Moments:
    polynomial = sympy.Poly(expression, *map(sympy.Symbol, symbols))
    return {
        tuple(
            (symbol, power) for symbol, power in zip(symbols, powers, strict=True) if power
        ): Fraction(int(coefficient.p), int(coefficient.q))
        for powers, coefficient in polynomial.terms()
        if coefficient
    }


def test_symmetric_order_two_with_one_weight() -> None:
    """L = (u^2 - 1)^2 / 2."""
    u = sympy.Symbol("u")
    expected = scalar_derivatives((u**2 - 1) ** 2 / 2, [u], {u: SIGMA2}, 6)
    assert expected == cp_loss_derivatives(2, symmetric=True, target="identity", p=1, H=1, terms=6)


@pytest.mark.parametrize("order", [3, 4])
def test_higher_symmetric_orders_with_one_weight(order: int) -> None:
    u = sympy.Symbol("u")
    expected = scalar_derivatives((u**order - 1) ** 2 / 2, [u], {u: SIGMA2}, 4)
    series = cp_loss_derivatives(order, symmetric=True, target="identity", p=1, H=1, terms=4)
    assert expected == series


def test_asymmetric_order_three_with_one_weight_of_each_colour() -> None:
    u, v, w = weights = sympy.symbols("u v w")
    loss = (u * v * w - 1) ** 2 / 2
    expected = scalar_derivatives(loss, weights, dict.fromkeys(weights, SIGMA2), 3)
    assert expected == cp_loss_derivatives(3, symmetric=False, target="identity", p=1, H=1, terms=3)


def test_frozen_tensors_are_averaged_but_do_not_move() -> None:
    """f = u^2 x fitted to the random teacher v x, three variances, rational coefficients."""
    u, v, x = sympy.symbols("u v x")
    third = sympy.Rational(1, 3)
    loss = third * (third * u**2 * x - v * x / 2) ** 2
    expected = scalar_derivatives(loss, [u], {u: SIGMA2, v: "tau2", x: "chi2"}, 3)
    series = loss_derivatives(
        [Term(Fraction(1, 3), (("u", ""), ("u", ""), ("x", "")), "")],
        [Term(Fraction(1, 2), (("v", ""), ("x", "")), "")],
        {},
        3,
        {"v": "tau2", "x": "chi2"},
        frozen={"v", "x"},
        prefactor=Fraction(1, 3),
    )
    assert expected == series


def test_unit_variance_and_another_observable() -> None:
    """The flow follows (u x - 1)^2 / 2, the expansion is of (u - 1)^2 / 4."""
    u, x = sympy.symbols("u x")
    model, target = (Term(1, (("u", ""), ("x", "")), ""),), (Term(1, (), ""),)
    observed = OracleLoss((Term(1, (("u", ""),), ""),), target, Fraction(1, 4))
    series = loss_derivatives(
        model, target, {}, 3, {"x": UNIT_VARIANCE}, frozen=["x"], observable=observed
    )
    current, expected = (u - 1) ** 2 / 4, []
    for _ in range(4):
        # Only the average is taken from the helper; here the flow and the observable differ.
        expected += scalar_derivatives(current, [], {u: SIGMA2, x: "one"}, 0)
        current = sympy.expand(-sympy.diff(current, u) * sympy.diff((u * x - 1) ** 2 / 2, u))
    assert series == [set_to_one(moments, "one") for moments in expected]


def set_to_one(moments: Moments, symbol: str) -> Moments:
    """Set a variance symbol to one and collect."""
    collected: Moments = {}
    for monomial, coefficient in moments.items():
        rest = tuple(pair for pair in monomial if pair[0] != symbol)
        collected[rest] = collected.get(rest, Fraction(0)) + coefficient
    return {monomial: coefficient for monomial, coefficient in collected.items() if coefficient}


# --- laws -----------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    scale=st.fractions(min_value=-3, max_value=3, max_denominator=12).filter(bool),
    order=st.integers(2, 3),
    symmetric=st.booleans(),
)
def test_scaling_model_and_target(scale: Fraction, order: int, symmetric: bool) -> None:
    """Model and target times c: the loss and the speed of the flow are times c^2."""
    modes = "abc"[:order]
    factors = tuple(("U" if symmetric else f"U{mode}", f"k{mode}") for mode in modes)
    sizes = {"k": 2} | dict.fromkeys(modes, 2)

    def series(c: Fraction | int) -> list[Moments]:
        return loss_derivatives([Term(c, factors, modes)], [Term(c, (), "a" * order)], sizes, 2)

    for s, (plain, scaled) in enumerate(zip(series(1), series(scale), strict=True)):
        assert scaled == {key: value * scale ** (2 * s + 2) for key, value in plain.items()}


@pytest.mark.parametrize("rank", [1, 2])
def test_modular_addition_mod_two_is_the_scaled_identity(rank: int) -> None:
    """For p = 2 the discrete Fourier transform is a rotation: the target is sqrt(2) the identity.

    The power 2l of the weights fixes how often the target enters: s_R = s + 1 - s_D with
    2l = 3 (s_D + 1) + s.
    """
    factors = tuple((f"U{mode}", f"k{mode}") for mode in "abc")
    series = loss_derivatives(
        [Term(1, factors, "abc")],
        [Term(1, (("sum", "abc"),), "abc")],
        {"k": rank} | dict.fromkeys("abc", 2),
        3,
        structural={"sum": lambda a, b, c: int((a + b - c) % 2 == 0)},
    )
    identity = cp_loss_derivatives(3, symmetric=False, target="identity", p=2, H=rank, terms=3)
    for s, (modular, plain) in enumerate(zip(series, identity, strict=True)):
        expected = {}
        for monomial, coefficient in plain.items():
            power = dict(monomial).get(SIGMA2, 0)
            target_factors, odd = divmod(s + 2 - (2 * power - s) // 3, 2)
            assert not odd
            expected[monomial] = coefficient * 2**target_factors
        assert modular == expected


def test_modular_addition_first_derivative_by_hand() -> None:
    """Y_1 at sigma2^2 is -E|dR/du|^2: 3 p H weights, each meets p entries of the target."""
    p, rank = 3, 1
    factors = tuple((f"U{mode}", f"k{mode}") for mode in "abc")
    series = loss_derivatives(
        [Term(1, factors, "abc")],
        [Term(1, (("sum", "abc"),), "abc")],
        {"k": rank} | dict.fromkeys("abc", p),
        1,
        structural={"sum": lambda a, b, c: int((a + b - c) % p == 0)},
    )
    assert series[0][()] == Fraction(p**2, 2)
    assert series[1][sigma2_power(2)] == -3 * p**2 * rank


# --- reference records ----------------------------------------------------------------------------


def read_record(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((REFERENCE / name).read_text(encoding="utf-8"))
    return record


def at_sizes(terms: Sequence[Mapping[str, Any]], sizes: Mapping[str, int]) -> Moments:
    """Put integer sizes into the terms of a record."""
    moments: Moments = {}
    for term in terms:
        exponents = dict(term["exponents"])
        monomial = sigma2_power(exponents.pop(SIGMA2, 0))
        value = Fraction(term["coefficient"])
        for symbol, power in exponents.items():
            value *= Fraction(sizes[symbol]) ** power
        moments[monomial] = moments.get(monomial, Fraction(0)) + value
    return {monomial: value for monomial, value in moments.items() if value}


SIZES = [(p, rank) for p in range(1, 7) for rank in range(1, 7) if p * rank <= 6]


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("family", ["sym", "asym"])
def test_reference_record_of_the_cp_model(family: Literal["sym", "asym"], order: int) -> None:
    """All coefficients of the record, for every p H <= 6 (SYM) and p H <= 4 (ASYM)."""
    symmetric = family == "sym"
    coefficients = read_record(f"cp_order{order}_{family}.json")["coefficients"]
    assert [entry["s"] for entry in coefficients] == list(range(len(coefficients)))
    for p, rank in SIZES if symmetric else [(p, rank) for p, rank in SIZES if p * rank <= 4]:
        terms = len(coefficients) - 1
        if not symmetric and order * p > 12:
            # Sixteen weights of four colours: the last coefficient alone would take ten seconds.
            terms -= 1
        series = cp_loss_derivatives(
            order, symmetric=symmetric, target="identity", p=p, H=rank, terms=terms
        )
        for s, moments in enumerate(series):
            expected = at_sizes(coefficients[s]["terms"], {"p": p, "H": rank})
            assert moments == expected, f"p={p}, H={rank}, s={s}"


@pytest.mark.parametrize("loss", ["train", "population"])
@pytest.mark.parametrize(
    ("p", "rank", "points"),
    [(1, 1, 1), (1, 2, 1), (1, 1, 2), (2, 1, 1), (2, 1, 2), (1, 2, 3), (2, 2, 2), (3, 1, 2)],
)
def test_reference_record_of_the_tied_autoencoder(
    loss: Literal["train", "population"],
    p: int,
    rank: int,
    points: int,
) -> None:
    """f(x) = W^T W x fitted to x on Gaussian points; both losses follow the train loss."""
    weights = (("W", "ki"), ("W", "kj"))
    population = OracleLoss((Term(1, weights, "ij"),), (Term(1, (), "ii"),))
    coefficients = read_record("tied_autoencoder_data.json")[loss]
    series = loss_derivatives(
        [Term(1, (*weights, ("x", "jn")), "in")],
        [Term(1, (("x", "in"),), "in")],
        {"i": p, "j": p, "k": rank, "n": points},
        len(coefficients) - 1,
        {"x": UNIT_VARIANCE},
        frozen={"x"},
        prefactor=Fraction(1, 2 * points),
        observable=population if loss == "population" else None,
    )
    assert series == [
        at_sizes(entry["terms"], {"p": p, "H": rank, "N": points}) for entry in coefficients
    ]


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.json")), ids=lambda path: path.name)
def test_reference_records_state_their_provenance(path: Path) -> None:
    provenance = json.loads(path.read_text(encoding="utf-8"))["provenance"]
    assert {"statement", "convention", "how made"} <= provenance.keys()


# --- values, text and errors ----------------------------------------------------------------------


def test_text_of_moments() -> None:
    moments: Moments = {
        (("a2", 1), ("b2", 2)): Fraction(-3, 2),
        (("a2", 1),): Fraction(-1),
        (): Fraction(2),
    }
    assert format_moments(moments) == "2 - a2 - 3/2*a2*b2^2"


def test_inexact_coefficient_is_refused() -> None:
    with pytest.raises(TypeError, match=r"coefficient 0\.5 is not exact: write it as an int or a"):
        Term(0.5, (), "i")  # type: ignore[arg-type]


def test_index_that_is_no_letter_is_refused() -> None:
    with pytest.raises(ValueError, match=r"index '1' of .* is not a letter: use one letter each"):
        Term(1, (("W", "k1"),), "i")


LINEAR = Term(1, (("u", "i"),), "i")


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (r"terms = -1 is negative", {"terms": -1}),
        (r"index 'i' has no positive size: add it to sizes", {"sizes": {}}),
        (r"index 'i' has no positive size", {"sizes": {"i": 0}}),
        (
            r"the output has the shapes \(2,\), \(2, 2\): model and target need the same number",
            {"target": [Term(1, (), "ii")]},
        ),
        (
            r"tensor 'u' has the two shapes \(2,\) and \(3,\): give it the same index sizes",
            {"target": [Term(1, (("u", "j"),), "i")], "sizes": {"i": 2, "j": 3}},
        ),
        (
            r"frozen names 'v', which is no random tensor of the loss: choose among u",
            {"frozen": {"v"}},
        ),
        (r"variances names 'v', which is no random tensor", {"variances": {"v": "tau2"}}),
    ],
)
def test_errors_name_the_object_the_rule_and_the_remedy(
    message: str, arguments: dict[str, Any]
) -> None:
    valid: dict[str, Any] = {"model": [LINEAR], "target": [], "sizes": {"i": 2}, "terms": 1}
    with pytest.raises(ValueError, match=message):
        loss_derivatives(**(valid | arguments))


def test_cp_preset_refuses_orders_and_targets_it_does_not_have() -> None:
    with pytest.raises(ValueError, match="order = 1 of the CP model is below 2: choose an order"):
        cp_loss_derivatives(1, symmetric=True, target="zero", p=1, H=1, terms=0)
    unknown: Any = "ones"
    with pytest.raises(ValueError, match="target 'ones' is unknown: choose one of identity, zero"):
        cp_loss_derivatives(2, symmetric=True, target=unknown, p=1, H=1, terms=0)


# --- independence ---------------------------------------------------------------------------------


def test_oracle_shares_no_code_with_the_engine() -> None:
    """The oracle imports the standard library and flint, at any depth, and nothing else."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(Path(oracle.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the oracle imports nothing from its own package"
            imported.add(node.module or "")
    packages = {name.partition(".")[0] for name in imported}
    assert not packages & {"diagrams", "expansion", "pde", "diagflow"}
    assert packages - sys.stdlib_module_names == {"flint"}
