"""Faces contradict themselves where a formula is wrong, and only there."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy

from pde.face import FaceError, RegimeFormulas
from pde.solutions import asymmetric_order2, finite_data_mean_field, finite_data_narrow
from pde.solutions import symmetric_order2 as symmetric
from pde.solutions.finite_data import Symbols
from pde.taylor import symbol

p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))


def faces() -> Iterator[tuple[str, Callable[[], RegimeFormulas]]]:
    """All faces of the files."""
    for name, face in symmetric._FACES.items():
        yield f"SYM 2 {name}", face
    for name, face in asymmetric_order2._FACES.items():
        yield f"ASYM 2 {name}", face
    for loss in ("train", "population"):
        for name, few in finite_data_mean_field._FEW.items():
            yield f"{name}, {loss}", lambda few=few, loss=loss: few(Symbols.all(), loss)
        for with_target in (True, False):
            yield (
                f"few data, {loss}, target {with_target}",
                lambda loss=loss, with_target=with_target: finite_data_narrow.few_data_face(
                    Symbols.all(), loss, with_target=with_target
                ),
            )


FACES = dict(faces())


@pytest.mark.parametrize("name", FACES)
def test_a_face_without_flaws_has_some_when_it_is_changed(name: str) -> None:
    face = FACES[name]()
    if face.blow_up:
        for share in (Fraction(99, 100), Fraction(101, 100)):
            wrong = tuple(each * sympy.Rational(str(share)) for each in face.blow_up)
            with pytest.raises(FaceError, match="does not grow towards its blow-up"):
                replace(face, blow_up=wrong)
    for side in ("late", "early"):
        limit = getattr(face, side)
        if limit is not None:
            with pytest.raises(FaceError, match=r"tends to .* and not to its limit"):
                replace(face, **{side: limit + p / 10})


@pytest.mark.parametrize("name", FACES)
def test_the_value_at_the_start_is_the_first_coefficient(name: str) -> None:
    from pde.taylor import ExpansionError, taylor

    face = FACES[name]()
    numbers = {
        "p": Fraction(9),
        "H": Fraction(4),
        "N": Fraction(5),
        "sigma2": Fraction(1, 30),
        "T": Fraction(2),
    }
    try:
        (first,) = taylor(face.loss, 1)
    except ExpansionError:
        pytest.skip("its coefficients come from a recurrence")
    wanted = first.evaluate(**{each: numbers[each] for each in first.symbols})
    assert face.curve(numbers).evaluate(np.zeros(1))[0] == pytest.approx(float(wanted), rel=1e-13)


def test_a_face_without_a_start() -> None:
    with pytest.raises(FaceError, match="has no value at t = 0; correct its formulas"):
        RegimeFormulas(loss=p * T / t)


def test_blow_ups_in_both_directions() -> None:
    face = RegimeFormulas(loss=p / (1 - (t / T) ** 2) ** 2, blow_up=(T, -T), reason="because")
    domain = face.domain({"p": Fraction(1), "T": Fraction(3)})
    assert (domain.start, domain.stop, domain.reason) == (-3.0, 3.0, "because")


def test_limits_are_told_where_the_domain_reaches_them() -> None:
    face = symmetric._FACES["B-E"]()
    at = {"p": Fraction(4), "H": Fraction(2), "sigma2": Fraction(1, 3), "T": Fraction(1)}
    assert face.curve(at).limits == (2.0, 0.0)
    assert face.curve(at | {"sigma2": Fraction(1)}).limits == (None, 0.0)
