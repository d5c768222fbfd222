"""Finite systems that were written by hand, from the mathematics of the regimes."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.polynomial import Polynomial

Rate = Sequence[tuple[str, Mapping[str, int]]]


def build(
    equations: Mapping[str, tuple[str, Rate]],
    output: Rate,
) -> PolynomialSystem:
    """A system from {variable: (start, [(coefficient, {variable: power}), ...])}."""
    names = list(equations)

    def terms(rate: Rate) -> tuple[SystemTerm, ...]:
        return tuple(
            SystemTerm(
                Polynomial.parse(coefficient),
                tuple(sorted((names.index(name), k) for name, k in powers.items())),
            )
            for coefficient, powers in rate
        )

    return PolynomialSystem(
        variables=tuple(names),
        rates=tuple(terms(rate) for _, rate in equations.values()),
        initial=tuple(Polynomial.parse(start) for start, _ in equations.values()),
        output=terms(output),
    )


def mean_field() -> PolynomialSystem:
    """ASYM of order 2, C-D: R = Σu¹u², A = Σ(u¹)², B = Σ(u²)² under -R + R²/2p."""
    square = [("2", {"R": 1}), ("-2*p**-1", {"R": 2})]
    return build(
        {
            "R": (
                "0",
                [
                    ("1", {"A": 1}),
                    ("1", {"B": 1}),
                    ("-p**-1", {"R": 1, "A": 1}),
                    ("-p**-1", {"R": 1, "B": 1}),
                ],
            ),
            "A": ("p*H*sigma2", square),
            "B": ("p*H*sigma2", square),
        },
        [("1/2*p", {}), ("-1", {"R": 1}), ("1/2*p**-1", {"R": 2})],
    )


def narrow() -> PolynomialSystem:
    """ASYM of order 2, E-A: ½a² - c for each of H rows."""
    return build(
        {
            "a": ("p*sigma2", [("-2", {"a": 2}), ("2", {"c": 1})]),
            "c": ("0", [("-2", {"a": 1, "c": 1}), ("2", {"a": 1})]),
        },
        [("1/2*p", {}), ("1/2*H", {"a": 2}), ("-H", {"c": 1})],
    )


def two_layer() -> PolynomialSystem:
    """Two layers of degree 2 between large readouts and many inputs.

    A = Σa, W = Σw², R = Σaw², Q = Σa²w² under the leading part of the potential
    -2R - (p/H)AW + ½AWR/H + WQ/H + R²/p; the output has all of it.
    """
    return build(
        {
            "R": (
                "0",
                [
                    ("p*H**-1", {"W": 2}),
                    ("4*p*H**-1", {"A": 1, "R": 1}),
                    ("-1/2*H**-1", {"W": 2, "R": 1}),
                    ("-2*H**-1", {"A": 1, "R": 2}),
                    ("-2*H**-1", {"A": 1, "W": 1, "Q": 1}),
                    ("-1/2*H**-2", {"A": 1, "W": 3}),
                ],
            ),
            "W": (
                "p*H*sigma2",
                [("4*p*H**-1", {"A": 1, "W": 1}), ("-4*H**-1", {"A": 1, "W": 1, "R": 1})],
            ),
            "A": (
                "0",
                [
                    ("p", {"W": 1}),
                    ("-1/2", {"W": 1, "R": 1}),
                    ("-1/2*H**-1", {"A": 1, "W": 2}),
                ],
            ),
            "Q": (
                "0",
                [
                    ("2*p*H**-1", {"W": 1, "R": 1}),
                    ("4*p*H**-1", {"A": 1, "Q": 1}),
                    ("-H**-1", {"W": 1, "R": 2}),
                    ("-2*H**-1", {"A": 1, "R": 1, "Q": 1}),
                    ("-H**-2", {"A": 1, "W": 2, "R": 1}),
                ],
            ),
        },
        [
            ("1/2*p**2", {}),
            ("p", {}),
            ("-2", {"R": 1}),
            ("-p*H**-1", {"A": 1, "W": 1}),
            ("1/2*H**-1", {"A": 1, "W": 1, "R": 1}),
            ("H**-1", {"W": 1, "Q": 1}),
            ("p**-1", {"R": 2}),
        ],
    )


def logistic() -> PolynomialSystem:
    """SYM of order 2, B-E: ½p(1 - a)², a' = 4a(1 - a)."""
    return build(
        {"a": ("H*sigma2", [("4", {"a": 1}), ("-4", {"a": 2})])},
        [("1/2*p", {}), ("-p", {"a": 1}), ("1/2*p", {"a": 2})],
    )


SYSTEMS = {
    "mean-field": mean_field,
    "narrow": narrow,
    "two-layer": two_layer,
    "logistic": logistic,
    "square": lambda: build({"x": ("p", [("1", {"x": 2})])}, [("1", {"x": 1})]),
    "stiff": lambda: build(
        {
            "x": ("1", [("-1000000", {"x": 1}), ("1000000", {"y": 2})]),
            "y": ("1", [("-1/10", {"y": 3})]),
        },
        [("1", {"x": 1}), ("1", {"y": 1})],
    ),
}


@pytest.fixture(scope="session")
def system() -> Callable[[str], PolynomialSystem]:
    return lambda name: SYSTEMS[name]()


@pytest.fixture(scope="session")
def make() -> Callable[..., PolynomialSystem]:
    return build
