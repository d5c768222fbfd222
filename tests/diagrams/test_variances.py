"""Variances: products of numbers and powers of symbols, read, written and substituted."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.flow import Flow
from diagrams.laws import evaluated
from diagrams.network import Network, inner_product
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.variances import UNIT_VARIANCE, Variance
from diagrams.wick import expectation

p, H = Axis("p"), Axis("H")

fractions = st.fractions(min_value=Fraction(1, 50), max_value=50, max_denominator=50)
powers = st.dictionaries(st.sampled_from(["p", "H", "sigma2", "tau2"]), st.integers(-4, 4))


@st.composite
def variances(draw: st.DrawFn) -> Variance:
    found = {name: power for name, power in draw(powers).items() if power}
    return Variance(draw(fractions), tuple(sorted(found.items())))


@given(variances())
@settings(deadline=None)
def test_the_text_of_a_variance_is_read_back(variance: Variance) -> None:
    assert Variance.parse(str(variance)) == variance
    assert str(Variance.parse(f" ( {variance} ) ")) == str(variance)


@given(variances(), variances())
@settings(deadline=None)
def test_a_quotient_is_read_factor_by_factor(first: Variance, second: Variance) -> None:
    values = {"p": Fraction(3), "H": Fraction(5), "sigma2": Fraction(7), "tau2": Fraction(11)}

    def at(variance: Variance) -> Fraction:
        result = variance.coefficient
        for name, power in variance.powers:
            result *= values[name] ** power
        return result

    assert at(Variance.parse(f"({first})/({second})**2")) == at(first) / at(second) ** 2


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (1, UNIT_VARIANCE),
        ("1", UNIT_VARIANCE),
        ("p/p", UNIT_VARIANCE),
        (2, "2"),
        (Fraction(1, 2), "1/2"),
        ("1/H", "1/H"),
        ("2/(3*p)", "2/(3*p)"),
        ("sigma2 / 3", "sigma2/3"),
        ("sigma2*2", "2*sigma2"),
        ("sigma2/H", "sigma2/H"),
        ("H**-2", "1/H**2"),
    ],
)
def test_a_tensor_keeps_the_canonical_form(given: object, text: str) -> None:
    assert Tensor("W", (p,), variance=given).variance == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        *("0", "-1", "1/0", "0.5", "a+b", "2 a", "(a", "a**", "a**b", "a**101", "9" * 101),
        *("a" * 201, "(9**99)**2", "a;b", "²", "~"),
        *(0, -2, 0.5, True, None, [], Fraction(0), float("nan"), b"a"),
    ],
)
def test_what_is_no_variance_is_an_error_of_the_family(given: object) -> None:
    with pytest.raises(InvalidInputError, match=r"^tensor W: .*; (give|write) "):
        Tensor("W", (p,), variance=given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Axis(3),
        lambda: Axis(None),
        lambda: Axis("p", 2.5),
        lambda: Axis("p", "2"),
        lambda: Axis("p", True),
        lambda: Tensor(3, (p,), variance="v"),
        lambda: Tensor("W", "p", variance="v"),
        lambda: Tensor("W", None, variance="v"),
        lambda: Tensor("W", (p, "H"), variance="v"),
        lambda: Tensor("W", (p,), kind="waight", variance="v"),
        lambda: Tensor("W", (p,), kind=[], variance="v"),
        lambda: Tensor("W", (p, p), variance="v", symmetric="yes"),
        lambda: Tensor("e", (p,), Kind.PIN, 0),
    ],
)
def test_constructors_raise_no_type_errors(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInputError):
        make()


def test_constructors_understand_lists_and_words() -> None:
    assert Tensor("W", [p, H], "gaussian", 1) == Tensor("W", (p, H), Kind.GAUSSIAN, "1")  # type: ignore[arg-type]
    assert Tensor("W", p, variance="v") == Tensor("W", (p,), variance="v")  # type: ignore[arg-type]


@given(variances(), variances())
@settings(max_examples=30, deadline=None)
def test_an_expectation_is_that_of_symbols_with_the_monomials_put_in(
    first: Variance, second: Variance
) -> None:
    """E of Tr (U V^T V U^T), by hand: substitution commutes with contraction."""
    plain = [Tensor("U", (H, p), variance="u"), Tensor("V", (H, p), variance="v")]
    given = [Tensor("U", (H, p), variance=str(first)), Tensor("V", (H, p), variance=str(second))]

    def total(U: Tensor, V: Tensor) -> Diagram:
        return Diagram((H, H, p, p), ((U, (0, 2)), (V, (1, 2)), (V, (1, 3)), (U, (0, 3))))

    # One pair of each: u v p H^2, and the p^2 of the other way round does not occur.
    assert expectation(total(*plain)) == {(("H", 2), ("p", 1), ("u", 1), ("v", 1)): 1}
    expected = {"H": 2, "p": 1}
    for variance in (first, second):
        for name, power in variance.powers:
            expected[name] = expected.get(name, 0) + power
    key = tuple(sorted((name, power) for name, power in expected.items() if power))
    assert expectation(total(*given)) == {key: first.coefficient * second.coefficient}


def test_terms_that_become_alike_are_collected() -> None:
    moments = {(("1/p", 1), ("p", 2)): Fraction(2), (("2", 1), ("p", 1)): Fraction(-1)}
    assert evaluated(moments) == {}


@pytest.mark.parametrize("axes", ["matrices", "tensors"])
def test_every_representation_substitutes(axes: str) -> None:
    """Y_s with variance 2/(3 p) is Y_s with a symbol at 2/(3 p): traces, and arrays."""
    slots = (H, p) if axes == "matrices" else (H, p, p)
    formula = "ki,kj->ij" if axes == "matrices" else "kia,kja->ij"

    def flow(variance: str) -> Flow:
        W = Tensor("W", slots, variance=variance)
        networks = (Network.einsum(formula, W, W), Network.einsum("->ii", coefficient=-1))
        loss = inner_product(networks, networks, (p, p)) * Fraction(1, 2)
        return Flow(loss, loss)

    symbol, product = flow("v"), flow("2/(3*p)")
    assert type(symbol.representation) is type(product.representation)
    for s in range(3):
        marked = {
            tuple(("2/(3*p)" if n == "v" else n, k) for n, k in monomial): count
            for monomial, count in symbol.expectation(s).items()
        }
        assert product.expectation(s) == evaluated(marked)
        assert not any(name == "v" for m in product.expectation(s) for name, _ in m)


def test_the_text_form_of_a_diagram_keeps_its_variances() -> None:
    W = Tensor("W", (H, p), variance="2*sigma2/(3*p**2)")
    S = Tensor("S", (p, p), variance="1/p", symmetric=True)
    J = Tensor.isometry(p, Axis("r"))
    diagram = Diagram((H, p, p, Axis("r")), ((W, (0, 1)), (S, (2, 1)), (J, (1, 3))))
    assert Diagram.parse(str(diagram)) == diagram
