"""Targets: limits that make them others, the sizes for which they hold, formulas and errors."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from diagflow.oracle import Term, loss_derivatives
from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.models import autoencoder, cp, deep_linear, tied_autoencoder, two_layer
from expansion.polynomial import Polynomial
from expansion.problem_files.problem_file import read_problem
from expansion.problem_files.toml_document import TomlDocument
from expansion.regimes import Regimes, regimes
from expansion.scaling_conditions import Relation
from expansion.series import LossSeries, loss_series
from expansion.targets import TARGETS, target_networks


def without(polynomial: Polynomial, symbol: str) -> Polynomial:
    """The polynomial at symbol = 0."""
    return Polynomial({m: c for m, c in polynomial if symbol not in dict(m)})


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize(
    ("target", "symbol", "limit"),
    [("spiked", "alpha", "identity"), ("teacher", "sigma2_teacher", "zero")],
)
def test_where_a_symbol_vanishes_a_target_is_another(
    order: int, symmetric: bool, target: str, symbol: str, limit: str
) -> None:
    series = loss_series(cp(order, symmetric=symmetric, target=target))
    expected = loss_series(cp(order, symmetric=symmetric, target=limit))
    changed = False
    for s in range(4 if order == 2 else 3):
        assert without(series[s], symbol) == expected[s]
        changed = changed or series[s] != expected[s]
    assert changed


def test_modular_addition_of_two_modes_is_the_identity() -> None:
    """F = [i2 = i1 mod p]: the same matrix, found another way."""
    for symmetric in (True, False):
        one = loss_series(cp(2, symmetric=symmetric, target="modular-addition"))
        other = loss_series(cp(2, symmetric=symmetric))
        assert [one[s] for s in range(5)] == [other[s] for s in range(5)]
        assert one.divisors == {}


def test_modular_addition_of_three_modes_asymmetric() -> None:
    """By hand: |F|^2 = p^2, <f, F> has no average at s = 0, and the kernel at order two.

    Y_1 = -E|grad L|^2; the target's part of it is -3 H sigma2^2 p^2, one for each mode.
    """
    series = loss_series(cp(3, target="modular-addition"))
    assert series[0] == Polynomial.parse("1/2*p**2 + 1/2*p**3*H*sigma2**3")
    assert series[1].coefficient(p=2, H=1, sigma2=2) == -3


def oracle(p: int, order: int, last: int) -> list[Polynomial]:
    """SYM, H = 1, modular addition at a size that need not be allowed."""
    modes = "abcd"[:order]
    model = Term(1, tuple(("U", f"k{mode}") for mode in modes), modes)
    target = Term(1, (("plus", modes),), modes)
    expected = loss_derivatives(
        [model],
        [target],
        dict.fromkeys(modes, p) | {"k": 1},
        last,
        structural={"plus": lambda *at: int(sum(at[:-1]) % p == at[-1])},
    )
    return [Polynomial(moments) for moments in expected]


def at(polynomial: Polynomial, p: int) -> Polynomial:
    total: dict[tuple[tuple[str, int], ...], Fraction] = {}
    for powers, coefficient in polynomial:
        sigma = tuple(item for item in powers if item[0] == "sigma2")
        value = coefficient * Fraction(p) ** dict(powers).get("p", 0)
        total[sigma] = total.get(sigma, Fraction(0)) + value
    return Polynomial(total)


def test_the_sizes_for_which_modular_addition_holds() -> None:
    """SYM order 3: i + j = j + i is counted, 2 i = 0 has two solutions for even p.

    From s = 1 on such sums occur, the series says so, and at p = 2 and 4 it differs from the
    oracle; at p = 1, 3 and 5 it does not.
    """
    series = loss_series(cp(3, symmetric=True, target="modular-addition"))
    differ = {
        p
        for p in (1, 2, 3, 4, 5)
        for s, expected in enumerate(oracle(p, 3, 2 if p < 5 else 1))
        if at(series[s], p) != expected
    }
    assert series.divisors == {"p": (2,)}
    assert differ == {2, 4}


def test_no_size_is_left_out_before_it_has_to_be() -> None:
    series = loss_series(cp(3, symmetric=True, target="modular-addition"))
    assert series[0] is not None
    assert series.divisors == {}
    assert at(series[0], 2) == oracle(2, 3, 0)[0]


def test_other_targets_leave_out_no_size() -> None:
    for target in ("identity", "spiked", "teacher"):
        series = loss_series(cp(3, symmetric=True, target=target))
        assert len(series[2]) > 3
        assert series.divisors == {}


# --- formulas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "same"),
    [
        ("identity - identity", "zero"),
        ("1/2*identity + 1/2*identity", "identity"),
        ("identity + alpha*spike", "spiked"),
        ("  2*1/2*identity  ", "identity"),
        ("-identity+2 identity", "identity"),
        ("zero + teacher - 0*identity", "teacher"),
    ],
)
@pytest.mark.parametrize("make", [cp, lambda **kw: cp(symmetric=True, **kw)])
def test_formulas_that_say_the_same(formula: str, same: str, make: Callable[..., object]) -> None:
    one: LossSeries = loss_series(make(order=2, target=formula))  # type: ignore[arg-type]
    other: LossSeries = loss_series(make(order=2, target=same))  # type: ignore[arg-type]
    assert [one[s] for s in range(3)] == [other[s] for s in range(3)]


def test_a_coefficient_may_be_a_size() -> None:
    """A target of p times the identity, so p^2 times p in its square."""
    series = loss_series(cp(2, target="p*identity"))
    assert series[0].coefficient(p=3) == Fraction(1, 2)
    assert series.problem.amplitude_symbols == ()


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (
            "modular",
            r"^target 'modular': is not known; choose one of identity, modular-addition, spike, ",
        ),
        ("1/2", r"^target '1/2': is not known; choose one of identity, "),
        ("W[i,j]", r"^target 'W': is not known; choose one of identity, "),
        ("", r"^formula '': has the end in column 1; expected a name, a number, a symbol or a ten"),
        ("identity + ", r"^formula 'identity \+ ': has the end in column 12; expected a name, a n"),
        ("1.5*identity", r"^formula '1\.5\*identity': has '\.5\*identity' in column 2; expected "),
        ("1/0*identity", r"^number '1/0': divides by zero; give a rational number$"),
        ("a2*identity", r"^axis name 'a2': must be letters, digits and underscores, begin with a"),
        (
            "identity teacher",
            r"^formula 'identity teacher': has 'teacher' in column 10; expected one name",
        ),
    ],
)
def test_formulas_that_are_not_understood(formula: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        target_networks(formula, order=2)


def test_every_target_has_the_open_indices_of_its_order() -> None:
    for name in TARGETS:
        for order in (1, 2, 3, 5):
            for network in target_networks(name, order=order):
                assert len(network.output) == order


@pytest.mark.parametrize("outputs", ['["i", "j"]', '["i", "k"]', '["a"]', "[]"])
def test_zero_and_the_number_are_one_target_on_any_axes(outputs: str) -> None:
    """Two of one axis, two different ones, a pinned one, none."""
    model = {
        '["i", "j"]': "W[k,i] W[k,j]",
        '["i", "k"]': "W[k,i]",
        '["a"]': "e[a] W[k,i] W[k,i]",
        "[]": "W[k,i] W[k,i]",
    }[outputs]
    text = f"""
axes = {{ p = "growing", H = "growing", two = 2 }}
tensors.W = {{ kind = "weight", axes = ["H", "p"], variance = "sigma2" }}
tensors.e = {{ kind = "pin", axes = ["two"] }}
losses.train = {{ outputs = {outputs}, model = "{model}", target = "TARGET" }}
"""
    found = [
        read_problem(TomlDocument.parse("x.toml", text.replace("TARGET", target)))
        for target in ("zero", "0", "0*zero", "zero - 0")
    ]
    assert found[0].target == () and len({*found}) == 1


def test_zero_and_the_number_are_one_preset() -> None:
    for preset in (cp, autoencoder, tied_autoencoder, deep_linear, two_layer):
        assert preset(target="0") == preset(target="zero")


def test_modular_addition_has_the_walls_of_order_3_and_other_rich_curves() -> None:
    """The identity times the root of p: walls, and the curves of A, B, C; not those of D and E."""
    modular = regimes(cp(order=3, target="modular-addition"), terms=5)
    identity = regimes(cp(order=3), terms=5)

    def curves(found: Regimes, name: str) -> list[Polynomial]:
        leading = LeadingSeries(found, found[name])
        return [leading[s] for s in range(6)]

    p = Polynomial.parse("p")
    for name, factor in (("A", 0), ("B", 0), ("C", 1)):
        wanted = [row * p if factor else row for row in curves(identity, name)]
        assert curves(modular, name) == wanted
    for name in "DE":
        mine, plain = curves(modular, name), curves(identity, name)
        # Every pair of targets brings a factor p; complex modes have smaller moments.
        assert mine[3] == plain[3] * p * p * Fraction(72, 108)
        assert mine[5] == plain[5] * p * p * p * Fraction(4608, 10584)
    scaled = {"A-B": {}, "D-E": {}, "E-A": {"p": -1}, "B-C": {"p": -1}, "C-D": {"p": -1}}
    for name, more in scaled.items():
        (mine,), (plain,) = (
            [dict(c.powers) for c in found[name].conditions if c.relation is Relation.CONSTANT]
            for found in (modular, identity)
        )
        expected = {symbol: plain.get(symbol, 0) + more.get(symbol, 0) for symbol in plain | more}
        expected = {symbol: power for symbol, power in expected.items() if power}
        ratio = {Fraction(mine.get(s, 0)) / power for s, power in expected.items()}
        assert mine.keys() == expected.keys() and len(ratio) == 1
