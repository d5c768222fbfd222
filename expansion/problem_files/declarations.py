r"""The declarations of a problem file: axes, tensors and symbols, and references to them.

>>> from expansion.problem_files.toml_document import TomlDocument
>>> text = 'axes = { p = "growing", two = 2 }\ntensors.e = { kind = "pin", axes = ["two"] }'
>>> declared = Declarations(TomlDocument.parse("file.toml", text))
>>> declared.axes["two"], declared.tensors["e"].kind, declared.symbols
(Axis(name='two', pinned=2), Kind.PIN, ('p',))

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from diagrams.arguments import shown
from diagrams.laws import Law
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.variances import Variance
from diagrams.wick import Monomial
from expansion.drive import factor_of
from expansion.problem import RESERVED_SYMBOLS
from expansion.problem_files.toml_document import Path, TomlDocument, listed

__all__ = ["MAXIMAL_POWER", "MAXIMAL_SIZE", "Declarations"]

_TENSOR = (
    "kind",
    "axes",
    "variance",
    "symmetric",
    "rate",
    "multiplier",
    "law",
    "mean",
    "probability",
    "cumulants",
    "exponent",
)
"""The fields of a tensor."""

MAXIMAL_SIZE = 999_999_999
"""Largest size of a pinned axis."""

MAXIMAL_POWER = 100
"""Highest power of a symbol in a normalisation."""


@dataclass(frozen=True)
class Declarations:
    """The declarations of a document; each part is read once, when it is asked for.

    Raises
    ------
    InvalidInputError
        When a part is asked for that is not understood.
    """

    document: TomlDocument

    @cached_property
    def amplitudes(self) -> tuple[str, ...]:
        """The declared symbols."""
        names = self.document.strings((), "amplitudes", ())
        for name in names:
            self.document.checked(("amplitudes",), Axis, name)
            if name in self.axes:
                raise self.document.error(
                    ("amplitudes",), f"{name!r} is an axis already; it needs no declaration here"
                )
        return names

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols allowed in front of a network: amplitudes and sizes that grow."""
        sizes = (axis.name for axis in self.axes.values() if axis.pinned is None)
        return (*self.amplitudes, *sizes)

    @cached_property
    def axes(self) -> dict[str, Axis]:
        """The declared axes by name."""
        result = {}
        for name, size in self.document.table(("axes",)).items():
            if name in RESERVED_SYMBOLS:
                raise self.document.error(
                    ("axes", name),
                    f"stands for {RESERVED_SYMBOLS[name]} in every loss curve; rename the axis",
                )
            if size != "growing" and (isinstance(size, bool) or not isinstance(size, int)):
                raise self.document.error(
                    ("axes", name), f'is {shown(size)}; expected "growing" or a positive integer'
                )
            if size != "growing" and size > MAXIMAL_SIZE:
                raise self.document.error(
                    ("axes", name), f"is larger than {MAXIMAL_SIZE}; give a smaller size"
                )
            pinned = None if size == "growing" else size
            result[name] = self.document.checked(("axes", name), Axis, name, pinned)
        return result

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The declared tensors by name."""
        result = {}
        kinds = [kind.value for kind in Kind]
        for name in self.document.table(("tensors",)):
            path = "tensors", name
            self.document.table(path, _TENSOR)
            kind = self.document.get(path, "kind", str)
            if kind not in (*kinds, "gaussian"):
                raise self.document.error(
                    (*path, "kind"), f"is {kind!r:.40}; expected {listed(kinds)}"
                )
            axes = self.document.strings(path, "axes")
            for axis in axes:
                if axis not in self.axes:
                    raise self.document.error(
                        (*path, "axes"),
                        f"there is no axis {axis!r}; declare it under [axes] or name one of "
                        f"{listed(self.axes)}",
                    )
            slots = tuple(self.axes[axis] for axis in axes)
            result[name] = self.document.checked(
                path,
                Tensor,
                name,
                slots,
                Kind(kind),
                symmetric=self.document.get(path, "symmetric", bool, False),
                exponent=self.document.get(path, "exponent", int, 1),
                **self._law(path),
            )
        return result

    @cached_property
    def rates(self) -> dict[str, str]:
        """The rates of the tensors that have one."""
        return {name: self.factor(path, value) for name, path, value in self._given("rate")}

    @cached_property
    def multipliers(self) -> dict[str, Variance]:
        """The multipliers of the tensors that have one: numbers times symbols."""
        result = {}
        for name, path, value in self._given("multiplier"):
            multiplier = Variance.parse(self.factor(path, value))
            for symbol, power in multiplier.powers:
                if power < 0:
                    raise self.document.error(
                        path,
                        f"divides by {symbol}; put its square into the variance and the rate of "
                        f"{name} instead, which is the same flow",
                    )
                self.document.checked(path, Axis, symbol)
            result[name] = multiplier
        return result

    def _given(self, key: str) -> Iterator[tuple[str, Path, object]]:
        for name in self._tensor_names:
            table = self.document.table(("tensors", name))
            if key in table:
                yield name, ("tensors", name, key), table[key]

    def factor(self, path: Path, value: object) -> str:
        """A positive number times powers of symbols, with numbers for the sizes that are pinned."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.document.error(
                path,
                f'is {shown(value)}; expected a symbol as "eta", a product as "2*eta/H", a '
                'fraction as "1/2", or an integer',
            )
        factor = self.document.checked(path, factor_of, value, path[-1])
        pinned = {name: a.pinned for name, a in self.axes.items() if a.pinned is not None}
        return str(factor.with_numbers(pinned))

    def _law(self, path: Path) -> dict[str, Any]:
        """The law of a tensor in a table, with numbers for pinned sizes."""
        table = self.document.table(path)
        result: dict[str, Any] = {}
        if "law" in table:
            result["law"] = self.document.get(path, "law", str)
        for key in ("variance", "mean", "probability"):
            if key in table:
                result[key] = self._value((*path, key), table[key])
        if "cumulants" in table:
            values = self.document.get(path, "cumulants", dict)
            here = (*path, "cumulants")
            result["cumulants"] = {k: self._value((*here, k), v) for k, v in values.items()}
        # Read once on its own: an error in it names the place of the law, not that of the tensor.
        if result:
            names = {"law": "name"}
            given = {names.get(key, key): value for key, value in result.items()}
            place = next(key for key in ("law", *result) if key in result)
            if Kind(self.document.get(path, "kind", str)) in (Kind.WEIGHT, Kind.FIXED):
                self.document.checked((*path, place), partial(Law.of, **given))
        return result

    def _value(self, here: Path, value: object) -> str:
        """A variance, or another number of a law, with numbers for the sizes that are pinned."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.document.error(
                here,
                f'is {shown(value)}; expected a symbol as "sigma2", a product as '
                '"2*sigma2/(3*p)", a fraction as "1/2", or an integer',
            )
        if here[-1] == "variance" or "probability" in here:
            sign, text = "", str(value)
        else:
            sign = "-" if str(value).strip().startswith("-") else ""
            text = str(value).strip().removeprefix("-")
            if text == "0":
                return ""
        variance = self.document.checked(here, Variance.of, text)
        for symbol in variance.symbols:
            axis = self.axes.get(symbol)
            slots = [self.document.get(("tensors", t), "axes", list) for t in self._tensor_names]
            if axis is not None and axis.pinned is None and not any(symbol in s for s in slots):
                raise self.document.error(
                    here,
                    f"the axis {symbol!r} is in no slot of a tensor; use a symbol that is not "
                    "declared under [axes]",
                )
        pinned = {name: a.pinned for name, a in self.axes.items() if a.pinned is not None}
        return sign + str(variance.with_numbers(pinned))

    @property
    def _tensor_names(self) -> tuple[str, ...]:
        return tuple(self.document.table(("tensors",)))

    def averaged_over(self, path: Path) -> tuple[Tensor, ...]:
        """The tensors that a loss or an observable is an average over."""
        result = []
        for name in self.document.strings(path, "averaged_over", ()):
            tensor = self.tensors.get(name)
            if tensor is None or tensor.kind is not Kind.FIXED or tensor.entries.symbols:
                raise self.document.error(
                    (*path, "averaged_over"),
                    f"{name!r} is not a tensor of kind fixed whose law has no symbols; declare it "
                    "so, as with variance 1",
                )
            result.append(tensor)
        return tuple(result)

    def normalisation(self, path: Path) -> Monomial:
        """The powers of symbols in front of a loss or an observable."""
        table = self.document.get(path, "normalisation", dict, {})
        for name, power in table.items():
            here = (*path, "normalisation", name)
            if name not in self.symbols:
                raise self.document.error(
                    here, f"is not a symbol; use one of {listed(self.symbols)}"
                )
            if isinstance(power, bool) or not isinstance(power, int) or abs(power) > MAXIMAL_POWER:
                raise self.document.error(
                    here, f"is {shown(power)}; expected an integer power, such as -1 for a mean"
                )
        return tuple(sorted((name, power) for name, power in table.items() if power))
