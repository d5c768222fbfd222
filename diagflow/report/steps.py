r"""Steps of derivations that several regimes of a problem share, which are printed once.

Two steps are the same if they have the same title, but for the vertex that it names, and the same
result. They get a number, by which
the regimes refer to them, with what they say about it themselves.

>>> step = DerivationStep("Equation", "f' = f", "Found in 3 terms.")
>>> other = DerivationStep("Equation", "f' = f", "Found in 4 terms.")
>>> shared = SharedSteps.of([[step], [other], [DerivationStep("Equation", "f' = g", "")]])
>>> len(shared), shared.number(other)
(1, 1)

Source: ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from diagflow.latex.prose import prose
from diagflow.latex.solutions import Display
from pde.evolution import DerivationStep

__all__ = ["SharedSteps"]

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SharedSteps:
    """Steps that occur in several derivations.

    Parameters
    ----------
    steps : tuple of DerivationStep
        With a text only if it is the same everywhere.
    """

    steps: tuple[DerivationStep, ...] = ()

    @classmethod
    def of(cls, derivations: Sequence[Sequence[DerivationStep]]) -> SharedSteps:
        """Those of some derivations.

        Parameters
        ----------
        derivations : sequence of sequence of DerivationStep
        """
        texts: dict[_Key, list[str]] = {}
        for derivation in derivations:
            for key, step in {_key(step): step for step in derivation}.items():
                texts.setdefault(key, []).append(step.text)
        return cls(
            tuple(
                DerivationStep(title, latex, said[0] if len(Counter(said)) == 1 else "")
                for (title, latex), said in texts.items()
                if len(said) > 1
            )
        )

    def __len__(self) -> int:
        return len(self.steps)

    def number(self, step: DerivationStep) -> int | None:
        """The number of a step, from 1; None if it is not shared."""
        keys = [_key(shared) for shared in self.steps]
        return keys.index(_key(step)) + 1 if _key(step) in keys else None

    def latex(self, display: Display) -> str:
        """All of them with their numbers.

        Parameters
        ----------
        display : callable
            Sets a formula on a line of its own.
        """
        parts = []
        for number, step in enumerate(self.steps, start=1):
            heading = f"\\hypertarget{{shared{number}}}{{}}\\paragraph{{S{number}. "
            heading += f"{prose(step.title)}.}}"
            parts.append(f"{heading}{_said(step.text)}\n{display(step.latex)}\n")
        return "".join(parts)

    def reference(self, step: DerivationStep) -> str:
        """How a regime refers to a shared step: its number and title, and what it says itself."""
        number = self.number(step)
        assert number is not None  # the step is shared
        own = "" if step.text == self.steps[number - 1].text else _said(step.text)
        said = f": {own.strip().rstrip('.')}" if own else ""
        return f"\\hyperlink{{shared{number}}}{{S{number}}} ({prose(step.title)}{said})"

    def __iter__(self) -> Iterator[DerivationStep]:
        return iter(self.steps)


_VERTEX = re.compile(r"^[A-Z]\d*: ")
"""What a step about one vertex of a sum begins with."""


def _key(step: DerivationStep) -> _Key:
    return _VERTEX.sub("", step.title), step.latex


def _said(text: str) -> str:
    return f" {prose(text)}" if text else ""
