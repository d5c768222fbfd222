"""Experiments on regimes that no paper has: their solutions come from effective dynamics.

Models as different as a two-layer network, a deep linear one, an odd tensor power, a student of a
teacher, a skip connection, neurons whose output weights are learnt too and a matrix half of which
is seen. Deviations are finite-size effects, of order 1/p or 1/H, or p^{-1/2} under a mask.

>>> [experiment.name for experiment in derived_experiments(quick=True)]
['two-layer', 'deep-linear-3', 'symmetric-order-3', 'teacher', 'skip-connection', 'neurons', 'mask']

Source: ours.
"""

from __future__ import annotations

from fractions import Fraction

from diagflow.gallery.curve_experiment import CurveExperiment, GalleryCase, Scale
from diagflow.gallery.outcome import Experiment
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.drive import Drive
from expansion.losses import QuadraticLoss
from expansion.models import cp, deep_linear, two_layer
from expansion.problem import Problem

__all__ = ["derived_experiments"]

_POINTS = 41


def derived_experiments(*, quick: bool) -> tuple[Experiment, ...]:
    """The experiments, at small sizes if they have to be quick."""
    return (
        _two_layer(p=100 if quick else 400, quick=quick),
        _deep_linear(H=200 if quick else 400, quick=quick),
        _symmetric_order_3(p=64 if quick else 128, quick=quick),
        _teacher(size=1 if quick else 4, quick=quick),
        _skip_connection(H=400 if quick else 800, quick=quick),
        _neurons(p=200 if quick else 400, quick=quick),
        _mask(p=256 if quick else 1024, quick=quick),
    )


def _experiment(name: str, title: str, quick: bool, *cases: GalleryCase) -> Experiment:
    return CurveExperiment(
        name=name,
        title=title,
        tolerance=0.15 if quick else 0.06,
        scale=Scale.MOVED,
        cases=cases,
    )


def _case(
    problem: Problem, regime: str, end: float, runs: int, **at: int | Fraction
) -> GalleryCase:
    numbers = {name: Fraction(value) for name, value in at.items()}
    return GalleryCase(
        label=f"{regime.replace('-', '–')}",
        problem=problem,
        regime=regime,
        at=numbers,
        times=(0.0, end, _POINTS),
        runs=runs,
    )


def _two_layer(*, p: int, quick: bool) -> Experiment:
    """Small and moderate initial weights, with p sigma^2 = 1; T is the natural one."""
    problem, small = two_layer(degree=2), Fraction(1, p)
    return _experiment(
        "two-layer",
        f"Two layers of degree 2, $p = {p}$",
        quick,
        _case(problem, "V1", 0.3, 10, p=p, H=p // 10, sigma2=small, T=p),
        _case(problem, "V1-V2", 0.2, 20, p=p, H=p, sigma2=small, T=p),
    )


def _deep_linear(*, H: int, quick: bool) -> Experiment:
    """Wide ones in the kernel regime, with and without a model at the start, and a narrow one."""
    problem, p, narrow = deep_linear(3), 8, H
    on_the_wall = Fraction(float(Fraction(1, p * H * H)) ** (1 / 3))
    cases: list[tuple[str, dict[str, int | Fraction], int]] = [
        ("V2-V3", {"p": p, "H": H, "sigma2": on_the_wall, "T": (H * on_the_wall) ** 2}, 20),
        ("V2", {"p": p, "H": H, "sigma2": Fraction(1, H), "T": Fraction(1)}, 10),
        ("V5", {"p": narrow, "H": 8, "sigma2": Fraction(1, 2), "T": Fraction(narrow**2, 4)}, 40),
    ]
    return _experiment(
        "deep-linear-3",
        f"Deep linear networks of depth 3, $H = {H}$ and $p = 8$, or the reverse",
        quick,
        *(_case(problem, name, 1.0, runs, **at) for name, at, runs in cases),
    )


def _symmetric_order_3(*, p: int, quick: bool) -> Experiment:
    problem = cp(order=3, symmetric=True)
    return _experiment(
        "symmetric-order-3",
        f"SYM of order 3, $p = H = {p}$",
        quick,
        _case(problem, "A-B", 0.3, 8, p=p, H=p, sigma2=1, T=p * p),
        _case(problem, "A-B-C", 0.3, 8, p=p, H=p, sigma2=Fraction(1, p), T=1),
    )


def _teacher(*, size: int, quick: bool) -> Experiment:
    """Students whose initial output is far larger than the teacher's."""
    problem = cp(order=2, symmetric=True, target="teacher")
    p, H = 16 * size, 400 * size * size
    wide: dict[str, int | Fraction] = {"p": p, "H": H, "sigma2": Fraction(1, H), "T": Fraction(1)}
    wide |= {"H_teacher": p, "sigma2_teacher": Fraction(1, 4 * H)}
    p, H = 200 * size, 10 * size
    narrow: dict[str, int | Fraction] = {"p": p, "H": H, "sigma2": Fraction(4, p), "T": Fraction(4)}
    narrow |= {"H_teacher": 40 * size, "sigma2_teacher": Fraction(1, 5 * p)}
    return _experiment(
        "teacher",
        "SYM of order 2 with a teacher, wide and narrow",
        quick,
        _case(problem, "V2", 1.0, 8, **wide),
        _case(problem, "V4", 0.5, 8, **narrow),
    )


def _skip_connection(*, H: int, quick: bool) -> Experiment:
    """F = U^T V + S fitted to twice the identity: U and V wide, S small."""
    axes = {name: Axis(name) for name in ("p", "H")}
    U, V = (Tensor(name, (axes["H"], axes["p"]), variance="sigma2") for name in "UV")
    S = Tensor("S", (axes["p"], axes["p"]), variance="tau2")
    problem = Problem(
        family="autoencoder with a skip connection",
        model=(Network.einsum("ki,kj->ij", U, V), Network.einsum("ij->ij", S)),
        target=(Network.einsum("->ii", coefficient=2),),
        output_axes=(axes["p"], axes["p"]),
    )
    p, tau2 = 16, Fraction(1, 1600)
    on_the_wall = Fraction(float(Fraction(1, p * H)) ** 0.5)
    return _experiment(
        "skip-connection",
        f"Linear autoencoder with a skip connection, $p = {p}$, $H = {H}$",
        quick,
        _case(problem, "V1-V2", 1.0, 8, p=p, H=H, sigma2=Fraction(1, H), tau2=tau2, T=1),
        _case(problem, "V2-V4", 1.0, 8, p=p, H=H, sigma2=on_the_wall, tau2=tau2, T=H * on_the_wall),
    )


def _neurons(*, p: int, quick: bool) -> Experiment:
    """Quadratic neurons with large output weights: the lengths of their vectors follow these."""
    axes = {name: Axis(name) for name in ("p", "H")}
    w = Tensor("w", (axes["H"], axes["p"]), variance="sigma2")
    a = Tensor("a", (axes["H"],), variance="tau2")
    problem = Problem(
        family="quadratic neurons",
        model=(Network.einsum("k,ki,kj->ij", a, w, w),),
        target=(Network.einsum("->ii"),),
        output_axes=(axes["p"], axes["p"]),
    )
    H = p // 20
    small, large = Fraction(1, 2 * p), Fraction(20, p)
    runs = 100 if quick else 200
    return _experiment(
        "neurons",
        f"Quadratic neurons, $p = {p}$, $H = {H}$",
        quick,
        _case(problem, "V2-V7", 0.3, runs // 5, p=p, H=H, sigma2=small, tau2=Fraction(32, 5), T=1),
        _case(problem, "V7-V11", 2.0, runs, p=p, H=H, sigma2=large, tau2=20, T=(p * large) ** 2),
    )


def _mask(*, p: int, quick: bool) -> Experiment:
    """A narrow tied autoencoder that sees every second entry; the loss of all entries is followed.

    It falls until the squared length of the rows is 1, and rises again until it is 2.
    """
    axes = {name: Axis(name) for name in ("p", "H")}
    W = Tensor("W", (axes["H"], axes["p"]), variance="sigma2")
    M = Tensor("M", (axes["p"], axes["p"]), Kind.FIXED, law="bernoulli", probability="1/2")
    delta = Tensor.delta(axes["p"])
    seen = QuadraticLoss(
        name="train",
        model=(Network.einsum("ij,ki,kj->ij", M, W, W),),
        target=(Network.einsum("ij,ij->ij", M, delta),),
        output_axes=(axes["p"], axes["p"]),
    )
    problem = Problem(
        family="half of a matrix",
        model=(Network.einsum("ki,kj->ij", W, W),),
        target=(Network.einsum("->ii"),),
        output_axes=(axes["p"], axes["p"]),
        loss_name="population",
        observed=(seen,),
        drive=Drive(flow="train"),
    )
    return _experiment(
        "mask",
        f"Half of a matrix is seen, $p = {p}$",
        quick,
        _case(problem, "V1-V3", 1.25, 8, p=p, H=4, sigma2=Fraction(1, 2 * p), T=1),
    )
