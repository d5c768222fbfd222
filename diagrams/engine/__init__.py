"""The bulk engine: millions of diagrams merged and contracted at once.

Here live the *representations* of sums of diagrams: arrays of packed factors (`arrays`), cyclic
words for products of traces (`traces`), and the definitions themselves (`by_definition`), against
which the others are tested. Work is done in steps (`steps`) that any process can carry out.

Import from this package only what is listed below; its inside is nobody else's business. It stands
on the definitions of `diagrams` and on nothing above.
"""

from __future__ import annotations

from diagrams.engine.arrays.kernel import is_compiled
from diagrams.engine.arrays.representation import ArrayRepresentation
from diagrams.engine.blocks import FlowDiagrams, Tick
from diagrams.engine.by_definition import DefinitionRepresentation
from diagrams.engine.representation import Representation
from diagrams.engine.steps import IN_PROCESS, StepRunner, StepStore
from diagrams.engine.traces.representation import TraceRepresentation

# Former names, for programs that import them.
Blocks = FlowDiagrams
PlainRepresentation = DefinitionRepresentation
Work = StepRunner
HERE = IN_PROCESS

__all__ = [
    "IN_PROCESS",
    "ArrayRepresentation",
    "DefinitionRepresentation",
    "FlowDiagrams",
    "Representation",
    "StepRunner",
    "StepStore",
    "Tick",
    "TraceRepresentation",
    "is_compiled",
]
