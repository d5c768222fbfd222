"""The experiments of the gallery, as data: published sizes, or small ones for a quick look.

>>> all(experiment.title for experiment in experiments(quick=False))
True

Source: sizes of Yarotsky, Golikov, Gusev 2026, appendix L, where two processors allow; the kernel
limit, the asymmetric order 2, order 6 and the thresholds at finite size are ours.
"""

from __future__ import annotations

from fractions import Fraction

from diagflow.gallery.ascent import AscentThreshold, Setting
from diagflow.gallery.convergence import Convergence
from diagflow.gallery.curve_experiment import CurveExperiment, GalleryCase, Scale
from diagflow.gallery.derived import derived_experiments
from diagflow.gallery.outcome import Experiment
from expansion.models import cp

__all__ = ["experiments"]


def experiments(*, quick: bool) -> tuple[Experiment, ...]:
    """All experiments, in the order in which they are run."""
    return (
        _symmetric_order_2(p=48 if quick else 512, tolerance=0.05 if quick else 0.01),
        _symmetric_order_2_scaled(p=32 if quick else 256, tolerance=0.08 if quick else 0.02),
        _kernel(p=4 if quick else 8, H=4000 if quick else 100_000, runs=8 if quick else 4),
        _asymmetric_order_2(quick=quick),
        _free_symmetric_order_4(p=24 if quick else 64),
        Convergence(
            sizes=((8, 100), (16, 40), (32, 10))
            if quick
            else ((16, 200), (32, 60), (64, 16), (128, 4))
        ),
        _free_asymmetric_order_3(quick=quick),
        _free_symmetric_order_6(quick=quick),
        _signs_order_4(p=32 if quick else 64),
        _ascent_order_4(p=24 if quick else 256),
        _threshold_order_4(quick=quick),
        _threshold_order_6(quick=quick),
        *derived_experiments(quick=quick),
    )


def _symmetric_order_2(*, p: int, tolerance: float) -> Experiment:
    return CurveExperiment(
        name="symmetric-order-2",
        title=f"SYM of order 2, $p = {p}$, $\\sigma^2 = 1/p$",
        tolerance=tolerance,
        cases=tuple(
            GalleryCase(
                label=f"$H = {H}$",
                problem=cp(order=2, symmetric=True),
                regime="A-B-E",
                at={"p": Fraction(p), "H": Fraction(H), "sigma2": Fraction(1, p)},
                times=(0.0, 2.0, 41),
                runs=4 if p > 100 else 6,
            )
            for H in (2 * p, p, p // 2)
        ),
    )


def _symmetric_order_2_scaled(*, p: int, tolerance: float) -> Experiment:
    numbers = (("1/4", "16"), ("8", "10"), ("1/8", "1/100"), ("1", "1"))
    return CurveExperiment(
        name="symmetric-order-2-scaled",
        title=f"SYM of order 2, $p = {p}$",
        tolerance=tolerance,
        scale=Scale.LARGEST,
        logarithmic=True,
        cases=tuple(
            GalleryCase(
                label=f"$H/p = {y}$, $p\\sigma^2 = {z}$",
                problem=cp(order=2, symmetric=True),
                regime="A-B-E",
                at={"p": Fraction(p), "H": p * Fraction(y), "sigma2": Fraction(z) / p},
                times=(0.0, 2.0, 41),
                runs=4 if p > 100 else 6,
            )
            for y, z in numbers
        ),
    )


def _kernel(*, p: int, H: int, runs: int) -> Experiment:
    """p^2 H sigma^6 = 1, so that the model at the start is as large as the target."""
    sigma2 = Fraction(float(Fraction(1, p * p * H)) ** (1 / 3))
    T = H * sigma2**2
    return CurveExperiment(
        name="kernel-limit-order-3",
        title=f"Kernel limit, ASYM of order 3, $p = {p}$, $H = {H}$",
        tolerance=0.05 if H < 10_000 else 0.03,
        cases=(
            GalleryCase(
                label="edge B–C",
                problem=cp(order=3),
                regime="B-C",
                at={"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2, "T": T},
                times=(0.0, 1.0, 41),
                runs=runs,
            ),
        ),
    )


def _asymmetric_order_2(*, quick: bool) -> Experiment:
    wide, narrow = ((24, 1500), (300, 3)) if quick else ((32, 8192), (2048, 4))
    cases = []
    for label, regime, (p, H), sigma2 in (
        ("edge C–D", "C-D", wide, Fraction(1, wide[1])),
        ("edge E–A", "E-A", narrow, Fraction(1, narrow[0])),
    ):
        cases.append(
            GalleryCase(
                label=f"{label}, $p = {p}$, $H = {H}$",
                problem=cp(order=2),
                regime=regime,
                at={"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2},
                times=(0.0, 2.0, 41),
                runs=20 if regime == "E-A" else 4,
            )
        )
    return CurveExperiment(
        name="asymmetric-order-2",
        title="ASYM of order 2: wide and narrow",
        tolerance=0.05 if quick else 0.03,
        scale=Scale.MOVED,
        cases=tuple(cases),
    )


def _free_symmetric_order_4(*, p: int) -> Experiment:
    """E[L(0)] = 1 to leading order, T = 96 p^3 sigma^6."""
    cases = []
    for divisor in (64, 16, 4, 2) if p > 32 else (16, 4):
        H = p * p // divisor
        theta = 1 + Fraction(3 * H, p * p)
        sigma2 = Fraction(float(2 / (p**4 * H * theta)) ** 0.25)
        T = 96 * p**3 * sigma2**3
        cases.append(
            GalleryCase(
                label=f"$H = p^2/{divisor}$",
                problem=cp(order=4, symmetric=True, target="zero"),
                regime="A-B",
                at={"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2, "T": T},
                times=(0.0, 20.0, 81),
                runs=20 if p < 64 else 6,
            )
        )
    return CurveExperiment(
        name="free-symmetric-order-4",
        title=f"Free evolution, SYM of order 4, $p = {p}$",
        scale=Scale.LARGEST,
        normalised=True,
        logarithmic=True,
        cases=tuple(cases),
    )


def _free_asymmetric_order_3(*, quick: bool) -> Experiment:
    """E[L(0)] = 1; wide in units of H sigma^4, narrow in units of p^2 sigma^4."""
    wide, narrow = ((12, 1728), (32, 32)) if quick else ((32, 32768), (128, 128))
    cases = []
    for label, regime, (p, H) in (("wide", "B", wide), ("narrow", "A", narrow)):
        sigma2 = Fraction(float(Fraction(2, p**3 * H)) ** (1 / 3))
        T = (H if regime == "B" else p * p) * sigma2**2
        cases.append(
            GalleryCase(
                label=f"{label}, $p = {p}$, $H = {H}$",
                problem=cp(order=3, target="zero"),
                regime=regime,
                at={"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2, "T": T},
                times=(0.0, 1.0, 41),
                runs=20 if quick or regime == "A" else 2,
            )
        )
    return CurveExperiment(
        name="free-asymmetric-order-3",
        title="Free evolution, ASYM of order 3",
        scale=Scale.LARGEST,
        normalised=True,
        cases=tuple(cases),
    )


def _free_symmetric_order_6(*, quick: bool) -> Experiment:
    """The edge A-B, E[L(0)] = 1 to leading order: theta = 1.1 at large p, 2 at smaller p."""
    cases = []
    for p, theta in ((12, Fraction(2)),) if quick else ((64, Fraction(11, 10)), (32, Fraction(2))):
        H = int((theta - 1) * p**3 / 15)
        exact = 1 + Fraction(15 * H, p**3)
        sigma2 = Fraction(float(2 / (p**6 * H * exact)) ** (1 / 6))
        T = 60 * exact * p**5 * sigma2**5
        cases.append(
            GalleryCase(
                label=f"$p = {p}$, $H = {H}$",
                problem=cp(order=6, symmetric=True, target="zero"),
                regime="A-B",
                at={"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2, "T": T},
                times=(0.0, 3.0, 61),
                runs=20 if quick else 6,
            )
        )
    return CurveExperiment(
        name="free-symmetric-order-6",
        title="Free evolution, SYM of order 6, edge A–B",
        scale=Scale.LARGEST,
        normalised=True,
        logarithmic=True,
        cases=tuple(cases),
    )


def _signs_order_4(*, p: int) -> Experiment:
    """Gradient descent from entries ±σ, where Gaussian ones have no limit, in units T = sigma^2."""
    cases = []
    for divisor, noise in ((10, "3/10"), (10, "1/10"), (3, "1/10")):
        H = p * p // divisor
        sigma2 = Fraction(float(Fraction(noise) / p**3) ** 0.5)
        cases.append(
            GalleryCase(
                label=f"$H = p^2/{divisor}$, $p^3\\sigma^4 = {noise}$",
                problem=cp(order=4, symmetric=True).with_law("U", law="rademacher"),
                regime="A-B-E",
                at={"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2, "T": sigma2},
                times=(0.0, 0.06, 31),
                runs=10 if p < 100 else 4,
                terms=3,
            )
        )
    return CurveExperiment(
        name="signs-order-4",
        title=f"Gradient descent from $\\pm\\sigma$, SYM of order 4, $p = {p}$",
        tolerance=0.15 if p < 64 else 0.08,
        scale=Scale.MOVED,
        cases=tuple(cases),
    )


def _ascent_order_4(*, p: int) -> Experiment:
    """Below the threshold, in units T = sigma^2."""
    cases = []
    H = p * p // 30
    for noise in ("1/20", "1/5"):
        sigma2 = Fraction(float(Fraction(noise) / p**3) ** 0.5)
        cases.append(
            GalleryCase(
                label=f"$p^3\\sigma^4 = {noise}$",
                problem=cp(order=4, symmetric=True),
                regime="A-B-E",
                at={"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2, "T": sigma2},
                times=(-0.05, 0.0, 41),
                runs=30 if p < 100 else 6,
            )
        )
    return CurveExperiment(
        name="ascent-order-4",
        title=f"Gradient ascent, SYM of order 4, $p = {p}$, $H = {H}$",
        scale=Scale.MOVED,
        cases=tuple(cases),
    )


def _threshold_order_4(*, quick: bool) -> Experiment:
    settings = (
        (Setting(16, 42, 10), Setting(32, 170, 6), Setting(32, 1, 6))
        if quick
        else (
            Setting(16, 42, 10),
            Setting(32, 170, 10),
            Setting(64, 682, 10),
            Setting(64, 136, 10),
            Setting(64, 4, 10),
            Setting(64, 1, 10),
        )
    )
    return AscentThreshold(
        name="ascent-threshold-order-4",
        title="Ascent of SYM, order 4: where a run diverges",
        order=4,
        settings=settings,
    )


def _threshold_order_6(*, quick: bool) -> Experiment:
    """H = p^3/30 is theta = 1.5."""
    settings = (
        (Setting(24, 46, 5), Setting(32, 1, 5))
        if quick
        else (Setting(16, 136, 10), Setting(32, 1092, 4), Setting(64, 4, 10), Setting(64, 1, 10))
    )
    return AscentThreshold(
        name="ascent-threshold-order-6",
        title="Ascent of SYM, order 6: where a run diverges",
        order=6,
        settings=settings,
    )
