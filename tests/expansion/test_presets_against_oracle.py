"""Every preset model and target against the independent oracle, at tiny integer sizes.

The oracle multiplies ordinary polynomials out: it knows nothing of diagrams, of normalisations by
degree, of averages before the flow or of node counts modulo p. It writes the models by hand.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product

import pytest

from diagflow.oracle import Moments, OracleLoss, Term, loss_derivatives
from expansion.models import autoencoder, cp, deep_linear, tied_autoencoder, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series import LossSeries

Factors = tuple[tuple[str, str], ...]


def at_sizes(polynomial: Polynomial, values: Mapping[str, Fraction | int]) -> Moments:
    """What is left when some symbols are numbers, as a polynomial in the others."""
    moments: Moments = {}
    for powers, coefficient in polynomial:
        for name, power in powers:
            coefficient *= Fraction(values.get(name, 1)) ** power
        rest = tuple(pair for pair in powers if pair[0] not in values)
        moments[rest] = moments.get(rest, Fraction(0)) + coefficient
    return {rest: value for rest, value in moments.items() if value}


def agree(
    problem: Problem, values: Mapping[str, Fraction | int], expected: Sequence[Moments], loss: str
) -> None:
    series = LossSeries(problem, loss=loss)
    for s, moments in enumerate(expected):
        assert at_sizes(series[s], values) == moments, f"{problem.title}, {loss}, {values}, s={s}"


# --- targets of the CP family ---------------------------------------------------------------------

MODES = "abcd"


def cp_factors(order: int, symmetric: bool, name: str, rank: str) -> Factors:
    return tuple(
        (name if symmetric else f"{name}{mode}", rank + MODES[mode - 1])
        for mode in range(1, order + 1)
    )


def cp_oracle(
    order: int,
    symmetric: bool,
    target: Sequence[Term],
    sizes: Mapping[str, int],
    terms: int,
    **options: object,
) -> list[Moments]:
    model = [Term(1, cp_factors(order, symmetric, "U", "k"), MODES[:order])]
    letters = dict.fromkeys(MODES[:order], sizes["p"]) | {
        "k": sizes["H"],
        "t": sizes.get("H_teacher", 1),
    }
    return loss_derivatives(model, target, letters, terms, **options)  # type: ignore[arg-type]


def modular_sum(p: int, order: int) -> Term:
    return Term(1, (("plus", MODES[:order]),), MODES[:order])


@pytest.mark.parametrize(
    ("order", "symmetric", "p", "H", "terms"),
    [
        (2, True, 3, 1, 4),
        (2, False, 2, 2, 3),
        (3, True, 3, 1, 3),
        (3, True, 5, 1, 1),
        (3, False, 3, 1, 2),
        (3, False, 5, 1, 1),
        (3, False, 1, 3, 3),
        (4, True, 5, 1, 1),
        (4, False, 3, 1, 1),
    ],
)
def test_modular_addition(order: int, symmetric: bool, p: int, H: int, terms: int) -> None:
    """The count p^(nodes - rank) of the solutions over Z_p."""
    expected = cp_oracle(
        order,
        symmetric,
        [modular_sum(p, order)],
        {"p": p, "H": H},
        terms,
        structural={"plus": lambda *at: int(sum(at[:-1]) % p == at[-1])},
    )
    agree(
        cp(order, symmetric=symmetric, target="modular-addition"),
        {"p": p, "H": H},
        expected,
        "train",
    )


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("order", [2, 3])
def test_a_spike_of_any_amplitude(order: int, symmetric: bool) -> None:
    """The coefficients are polynomials in alpha of degree at most s + 1, or 2: so many values."""
    for (p, H), alpha in product([(2, 1), (1, 2)], [1, -1, 2, Fraction(1, 3)]):
        spike = Term(Fraction(alpha), (("first", "a"),), "a" * order)
        expected = cp_oracle(
            order,
            symmetric,
            [Term(1, (), "a" * order), spike],
            {"p": p, "H": H},
            2,
            structural={"first": lambda at: int(at == 0)},
        )
        problem = cp(order, symmetric=symmetric, target="spiked")
        agree(problem, {"p": p, "H": H, "alpha": Fraction(alpha)}, expected, "train")


@pytest.mark.parametrize(
    ("order", "symmetric", "sizes", "terms"),
    [
        (2, True, (2, 1, 2), 3),
        (2, True, (1, 2, 1), 5),
        (2, False, (2, 1, 1), 3),
        (2, False, (1, 2, 2), 3),
        (3, True, (2, 1, 1), 3),
        (3, True, (1, 1, 2), 3),
        (3, False, (1, 2, 1), 2),
        (3, False, (2, 1, 1), 2),
    ],
)
def test_a_teacher(order: int, symmetric: bool, sizes: tuple[int, int, int], terms: int) -> None:
    values = dict(zip(("p", "H", "H_teacher"), sizes, strict=True))
    factors = cp_factors(order, symmetric, "V", "t")
    names = {name for name, _ in factors}
    expected = cp_oracle(
        order,
        symmetric,
        [Term(1, factors, MODES[:order])],
        values,
        terms,
        frozen=names,
        variances=dict.fromkeys(names, "sigma2_teacher"),
    )
    agree(cp(order, symmetric=symmetric, target="teacher"), values, expected, "train")


def test_a_linear_combination_of_all() -> None:
    """Numbers and symbols in front, targets of every kind, one of them twice."""
    formula = "1/2*identity - beta*modular-addition + 3*beta*spike - identity + teacher + zero"
    beta, p = Fraction(2, 5), 3
    target = [
        Term(Fraction(-1, 2), (), "aa"),
        Term(-beta, (("plus", "ab"),), "ab"),
        Term(3 * beta, (("first", "a"),), "aa"),
        Term(1, (("V", "ta"), ("V", "tb")), "ab"),
    ]
    expected = cp_oracle(
        2,
        True,
        target,
        {"p": p, "H": 1, "H_teacher": 1},
        2,
        frozen={"V"},
        variances={"V": "sigma2_teacher"},
        structural={
            "plus": lambda a, b: int(a == b),
            "first": lambda a: int(a == 0),
        },
    )
    values = {"p": p, "H": 1, "H_teacher": 1, "beta": beta}
    agree(cp(2, symmetric=True, target=formula), values, expected, "train")


# --- linear models, with and without data ---------------------------------------------------------

LINEAR = {
    "autoencoder": (autoencoder, (("U", "ki"), ("V", "kj"))),
    "tied": (tied_autoencoder, (("W", "ki"), ("W", "kj"))),
    "deep2": (lambda **kw: deep_linear(2, **kw), (("W1", "ki"), ("W2", "kj"))),
    "deep3": (lambda **kw: deep_linear(3, **kw), (("W1", "ki"), ("W2", "kl"), ("W3", "lj"))),
    "deep4": (
        lambda **kw: deep_linear(4, **kw),
        (("W1", "ki"), ("W2", "kl"), ("W3", "lm"), ("W4", "mj")),
    ),
}


def letters(p: int, H: int, N: int = 1) -> dict[str, int]:
    return {"i": p, "j": p, "k": H, "l": H, "m": H, "n": N}


@pytest.mark.parametrize(
    ("name", "p", "H", "terms"),
    [
        ("autoencoder", 2, 1, 4),
        ("autoencoder", 1, 2, 4),
        ("tied", 2, 1, 5),
        ("tied", 2, 2, 3),
        ("deep2", 2, 1, 4),
        ("deep3", 1, 1, 5),
        ("deep3", 2, 1, 3),
        ("deep3", 1, 2, 2),
        ("deep4", 2, 1, 2),
        ("deep4", 1, 2, 1),
    ],
)
def test_linear_models(name: str, p: int, H: int, terms: int) -> None:
    make, factors = LINEAR[name]
    expected = loss_derivatives([Term(1, factors, "ij")], [Term(1, (), "ii")], letters(p, H), terms)
    agree(make(), {"p": p, "H": H}, expected, "train")


@pytest.mark.parametrize("loss", ["train", "population"])
@pytest.mark.parametrize(
    ("name", "sizes", "terms"),
    [
        ("tied", (1, 1, 1), 3),
        ("tied", (2, 1, 1), 3),
        ("tied", (1, 2, 2), 3),
        ("tied", (2, 1, 2), 2),
        ("autoencoder", (2, 1, 1), 3),
        ("autoencoder", (1, 2, 2), 2),
        ("deep3", (1, 1, 2), 2),
        ("deep3", (2, 1, 1), 2),
    ],
)
def test_finite_data(name: str, sizes: tuple[int, int, int], terms: int, loss: str) -> None:
    """The flow follows the train loss, with 1/N; both losses are expanded along it."""
    p, H, N = sizes
    make, factors = LINEAR[name]
    observed = OracleLoss((Term(1, factors, "ij"),), (Term(1, (), "ii"),))
    expected = loss_derivatives(
        [Term(1, (*factors, ("X", "jn")), "in")],
        [Term(1, (("X", "in"),), "in")],
        letters(p, H, N),
        terms,
        {"X": "1"},
        frozen={"X"},
        prefactor=Fraction(1, 2 * N),
        observable=observed if loss == "population" else None,
    )
    agree(make(data=True), {"p": p, "H": H, "N": N}, expected, loss)


# --- two layers -----------------------------------------------------------------------------------

DESIGN = (0,) * 6 + (1, -1) * 2 + (2, -2)
"""Twelve numbers whose mean of x^k is that of a standard Gaussian for k up to 5."""

WIDER_DESIGN = (0,) * 70 + (1, -1) * 45 + (2, -2) * 9 + (3, -3)
"""180 numbers with which it is for k up to 7."""


@pytest.mark.parametrize(("design", "last"), [(DESIGN, 5), (WIDER_DESIGN, 7)])
def test_the_designs_are_right(design: Sequence[int], last: int) -> None:
    means = [Fraction(sum(x**k for x in design), len(design)) for k in range(last + 1)]
    assert means == [1, 0, 1, 0, 3, 0, 15, 0][: last + 1]


@pytest.mark.parametrize(
    ("degree", "design", "p", "H", "terms"),
    [
        (1, DESIGN, 1, 1, 4),
        (1, DESIGN, 2, 2, 2),
        (2, DESIGN, 1, 1, 4),
        (2, DESIGN, 1, 2, 3),
        (2, DESIGN, 2, 1, 2),
        (3, WIDER_DESIGN, 1, 1, 3),
        (3, WIDER_DESIGN, 1, 2, 2),
    ],
)
@pytest.mark.parametrize("target", ["identity", "teacher"])
def test_two_layers(
    degree: int, design: Sequence[int], p: int, H: int, terms: int, target: str
) -> None:
    """The Gaussian average over the inputs as an exact mean over finitely many of them."""
    inputs = list(product(design, repeat=p))
    modes = "abc"[:degree]
    x = tuple(("x", "n" + mode) for mode in modes)
    model = Term(1, (("a", "k"), *(("w", "k" + mode) for mode in modes), *x), "n")
    targets = {
        "identity": Term(1, (("x", "na"),) * degree, "n"),
        "teacher": Term(1, (*(("V", "t" + mode) for mode in modes), *x), "n"),
    }
    teacher = {"V"} if target == "teacher" else set()
    expected = loss_derivatives(
        [model],
        [targets[target]],
        dict.fromkeys(modes, p) | {"k": H, "t": 1, "n": len(inputs)},
        terms,
        dict.fromkeys(teacher, "sigma2_teacher"),
        frozen=teacher,
        structural={"x": lambda n, i: inputs[n][i]},
        prefactor=Fraction(1, 2 * len(inputs)),
    )
    values = {"p": p, "H": H, "H_teacher": 1}
    agree(two_layer(degree, target=target), values, expected, "population")
