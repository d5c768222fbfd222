"""Laws of the entries: cumulants, moments, contraction by blocks, against the oracle."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagflow import oracle, oracle_laws
from diagflow.oracle import Moments
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.laws import Law, evaluated
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series import loss_series

p, H = Axis("p"), Axis("H")

SIGMA2 = Fraction(1), (("sigma2", 1),)
MU = Fraction(1), (("mu", 1),)
Q = Fraction(1), (("q", 1),)

LAWS = {
    "rademacher": (
        {"variance": "sigma2", "law": "rademacher"},
        oracle_laws.rademacher(SIGMA2),
    ),
    "uniform": (
        {"variance": "sigma2/3", "law": "uniform"},
        oracle_laws.uniform((Fraction(1, 3), SIGMA2[1])),
    ),
    "bernoulli": ({"law": "bernoulli", "probability": "q"}, oracle_laws.bernoulli(Q)),
    "shifted": (
        {"variance": "2*sigma2", "mean": "mu"},
        oracle_laws.shifted(oracle_laws.gaussian((Fraction(2), SIGMA2[1])), MU),
    ),
    "shifted-signs": (
        {"variance": "sigma2", "mean": "-mu/2", "law": "rademacher"},
        oracle_laws.shifted(oracle_laws.rademacher(SIGMA2), (Fraction(-1, 2), MU[1])),
    ),
    "given": (
        {"cumulants": {2: "sigma2", 3: "k3", 4: "-2*sigma2**2"}},
        oracle_laws.of_cumulants(
            {2: SIGMA2, 3: (Fraction(1), (("k3", 1),)), 4: (Fraction(-2), (("sigma2", 2),))}
        ),
    ),
}


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("k", range(9))
def test_the_moments_of_a_law_are_those_of_the_oracle(name: str, k: int) -> None:
    words, moments = LAWS[name]
    tensor = Tensor("W", (H, p), **words)
    assert tensor.entries.moment(k) == moments(k)
    bundle = Diagram((H, p), ((tensor, (0, 1)),) * k)
    times_sites = {
        tuple(sorted((*powers, ("H", 1), ("p", 1)))): value for powers, value in moments(k).items()
    }
    assert expectation(bundle) == times_sites


@pytest.mark.parametrize("name", LAWS)
def test_a_law_is_read_back_from_its_text(name: str) -> None:
    words, _ = LAWS[name]
    tensor = Tensor("W", (H, p), **words)
    assert Law.parse(str(tensor.entries)) == tensor.entries
    for kind in (Kind.WEIGHT, Kind.FIXED):
        diagram = Diagram((H, p), ((Tensor("W", (H, p), kind, **words), (0, 1)),) * 3)
        assert Diagram.parse(str(diagram)) == diagram


def _problem(words: dict[str, object], kind: Kind = Kind.WEIGHT) -> Problem:
    if kind is Kind.WEIGHT:
        W = Tensor("W", (H, p), **words)
        return Problem(
            "tied", (Network.einsum("ki,kj->ij", W, W),), (Network.einsum("->ii"),), (p, p)
        )
    W, M = Tensor("W", (H, p), variance="sigma2"), Tensor("M", (p, p), kind, **words)
    return Problem(
        "masked",
        (Network.einsum("ij,ki,kj->ij", M, W, W),),
        (Network.einsum("ii->ii", M),),
        (p, p),
    )


def _at(value: Polynomial, sizes: dict[str, int]) -> Moments:
    found: Moments = {}
    for powers, c in value:
        rest = tuple(pair for pair in powers if pair[0] not in sizes)
        c *= prod(sizes[name] ** power for name, power in powers if name in sizes)
        found[rest] = found.get(rest, Fraction(0)) + c
    return {rest: c for rest, c in sorted(found.items()) if c}


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("sizes", [{"p": 1, "H": 2}, {"p": 2, "H": 1}, {"p": 2, "H": 2}])
def test_weights_of_any_law_agree_with_the_oracle(name: str, sizes: dict[str, int]) -> None:
    words, moments = LAWS[name]
    series = loss_series(_problem(words))
    last = 2 if sizes != {"p": 2, "H": 2} else 1
    expected = oracle.loss_derivatives(
        [oracle.Term(1, (("W", "ki"), ("W", "kj")), "ij")],
        [oracle.Term(1, (), "ii")],
        {"k": sizes["H"], "i": sizes["p"], "j": sizes["p"]},
        last,
        laws={"W": moments},
    )
    assert [_at(series[s], sizes) for s in range(last + 1)] == expected


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("sizes", [{"p": 1, "H": 1}, {"p": 2, "H": 1}])
def test_fixed_tensors_of_any_law_agree_with_the_oracle(name: str, sizes: dict[str, int]) -> None:
    words, moments = LAWS[name]
    series = loss_series(_problem(words, Kind.FIXED))
    expected = oracle.loss_derivatives(
        [oracle.Term(1, (("M", "ij"), ("W", "ki"), ("W", "kj")), "ij")],
        [oracle.Term(1, (("M", "ii"),), "ii")],
        {"k": sizes["H"], "i": sizes["p"], "j": sizes["p"]},
        2,
        frozen={"M"},
        laws={"M": moments},
    )
    assert [_at(series[s], sizes) for s in range(3)] == expected


def test_signs_make_every_norm_deterministic() -> None:
    assert loss_series(_problem({"variance": "sigma2", "law": "rademacher"}))[0] == (
        Polynomial.parse("1/2*p - p*H*sigma2 + 1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2")
        - Polynomial.parse("1/2*p*H*sigma2**2")
    )


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=6),
    st.sampled_from([*LAWS]),
)
@settings(max_examples=40, deadline=None)
def test_an_expectation_is_the_sum_over_all_indices(
    edges: list[tuple[int, int]], name: str
) -> None:
    """The definition: at sizes 2 and 2, entry by entry, independent of cumulants."""
    words, moments = LAWS[name]
    tensor = Tensor("W", (H, p), **words)
    diagram = Diagram((H, H, p, p, p), tuple((tensor, (k, 2 + i)) for k, i in edges))
    total: Moments = {}
    for indices in product(range(2), repeat=5):
        at = [(indices[k], indices[2 + i]) for k, i in edges]
        value: Moments = {(): Fraction(1)}
        for entry in set(at):
            value = oracle.multiplied(value, moments(at.count(entry)))
        for powers, c in value.items():
            total[powers] = total.get(powers, Fraction(0)) + c
    found = _at(Polynomial(expectation(diagram)), {"p": 2, "H": 2})
    assert found == {powers: c for powers, c in sorted(total.items()) if c}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"law": "cauchy", "variance": 1}, "law 'cauchy'"),
        ({"law": "bernoulli"}, "needs a probability"),
        ({"law": "bernoulli", "probability": 2}, "larger than one"),
        ({"law": "bernoulli", "probability": "q", "variance": "sigma2"}, "neither variance"),
        ({"law": "uniform"}, "needs a variance"),
        ({"law": "uniform", "variance": 1, "probability": "q"}, "has no probability"),
        ({"law": "uniform", "variance": 1, "cumulants": {4: 1}}, "its own cumulants"),
        ({"cumulants": {0: 1}}, "no order between"),
        ({"cumulants": {2: 0}}, "all vanish"),
        ({"cumulants": {1: "mu"}, "mean": "mu"}, "cumulant 1 is the mean"),
        ({"variance": 1, "mean": 0.5}, "not exact"),
        ({"variance": 1, "law": "uniform", "symmetric": True}, "Gaussian of mean zero"),
    ],
)
def test_a_law_that_is_none_is_refused(words: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Tensor("W", (p, p), **words)


def test_a_tensor_that_is_not_random_has_no_law() -> None:
    with pytest.raises(InvalidInputError, match="is not random and has no law"):
        Tensor("e", (p,), Kind.PIN, law="bernoulli", probability="q")


def test_a_law_of_one_variance_is_the_gaussian_one() -> None:
    given_law = Tensor("W", (H, p), cumulants={2: "sigma2"})
    assert given_law == Tensor("W", (H, p), variance="sigma2", mean=0)


def test_equal_texts_of_cumulants_collect() -> None:
    law = Law.of("uniform", variance="sigma2")
    both = {((law.symbol(4), 1),): Fraction(5), (("sigma2", 2),): Fraction(6)}
    assert evaluated(both) == {}
