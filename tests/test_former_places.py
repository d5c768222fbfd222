"""What the documentation imported before modules moved is found where it was."""

from importlib import import_module

import pytest

PLACES = {
    "diagflow.regime_comparison": "diagflow.comparison.regime",
    "diagflow.show_regimes": "diagflow.show.regimes",
    "expansion.exponents": "expansion.series_exponents",
    "expansion.formulas": "expansion.formula_parser",
    "expansion.newton": "expansion.geometry.newton",
    "expansion.records": "expansion.series_records",
    "pde.algebraic": "pde.recurrences.algebraic",
    "pde.characteristics": "pde.characteristics.characteristics",
    "pde.equation": "pde.recurrences.equation",
    "pde.hadamard": "pde.recurrences.hadamard",
    "pde.numerics.rationals": "diagrams.rationals",
    "pde.recurrence": "pde.recurrences.recurrence",
    "pde.recurrence_search": "pde.recurrences.search",
    "pde.resummation": "pde.numerics.resummation",
}


NAMES = {
    "diagflow.checking": {"Report": "CheckReport"},
    "diagflow.checking.findings": {"Report": "CheckReport"},
    "diagflow.fits": {"Law": "DecayLaw"},
    "diagflow.oracle": {"QuadraticLoss": "OracleLoss"},
    "diagflow.simulation": {"Path": "LossPath"},
    "diagflow.simulation.integrate": {"Path": "LossPath"},
    "expansion.dynamics.derivation": {"Certificate": "DerivationCertificate"},
    "expansion.dynamics.particle": {"Kind": "Closure"},
    "expansion.expressions": {"Merger": "SlopeProduct"},
    "expansion.formula_parser": {"Term": "FormulaTerm"},
    "pde.face": {"Face": "RegimeFormulas"},
    "pde.numerics.approximants": {"Ratio": "RationalFunction"},
    "pde.numerics.trajectories": {"Path": "OutputPath"},
    "pde.systems.guess": {"Kind": "EquationKind"},
    "pde.systems.trajectory": {"Trajectory": "PiecewiseOutput"},
    "diagflow.checking.translation": {"Translation": "OracleProblem"},
    "diagflow.workers.startup": {"load_graphs": "import_igraph_without_matplotlib"},
    "diagrams.engine": {
        "Blocks": "FlowDiagrams",
        "HERE": "IN_PROCESS",
        "PlainRepresentation": "DefinitionRepresentation",
        "Work": "StepRunner",
    },
    "diagrams.engine.steps": {"HERE": "IN_PROCESS", "Step": "EngineStep", "Work": "StepRunner"},
    "diagrams.wick": {"Moments": "Expectation"},
    "expansion.closest_regime": {"Place": "Location", "where": "locate"},
    "expansion.vertex_laws": {"Law": "VertexLaw"},
    "pde.systems.laws": {"Law": "StartLaw"},
    "pde.solutions.asymmetric_narrow": {"narrow_taylor": "narrow_latent_taylor"},
    "pde.solutions.modular_addition": {
        "narrow_taylor": "narrow_latent_taylor",
        "wide_taylor": "mean_field_taylor",
    },
    "pde.moments.common_drift": {"Shape": "FreeParticle", "SharedDrift": "MeanFieldClock"},
    "pde.recurrent_regimes": {"RecurrentSeries": "FirstOrderRegime"},
    "pde.evolution": {"Step": "DerivationStep"},
}


@pytest.mark.parametrize(("module", "names"), NAMES.items())
def test_a_tool_is_found_under_its_former_name(module: str, names: dict[str, str]) -> None:
    found = import_module(module)
    assert all(getattr(found, old) is getattr(found, new) for old, new in names.items())


@pytest.mark.parametrize(("former", "place"), PLACES.items())
def test_a_tool_is_found_at_its_former_place(former: str, place: str) -> None:
    old, new = import_module(former), import_module(place)
    assert old.__all__ == new.__all__
    assert all(getattr(old, name) is getattr(new, name) for name in new.__all__)


def test_a_delta_is_a_kind_under_its_former_name() -> None:
    from diagrams.tensors import Kind

    assert Kind.STRUCTURAL is Kind.DELTA and Kind("structural") is Kind.DELTA


def test_representative_numbers_are_found_at_their_former_places() -> None:
    from diagflow.comparison import representative
    from diagflow.plotting.evolution import telling_times
    from diagflow.report.experiments import typical_numbers

    assert telling_times is representative.representative_times
    assert typical_numbers is representative.representative_sizes
