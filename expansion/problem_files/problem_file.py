"""Problems as TOML files, in the words of `expansion.problem`.

>>> text = '''
... family = "tied"
... [axes]
... p = "growing"
... H = "growing"
... N = "growing"
... [tensors]
... W = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }
... X = { kind = "gaussian", axes = ["p", "N"], variance = 1 }
... [losses.train]
... outputs = ["i", "n"]
... model = "W[k,i] W[k,j] X[j,n]"
... target = "X[i,n]"
... normalisation = { N = -1 }
... '''
>>> problem = read_problem(TomlDocument.parse("tied.toml", text))
>>> problem.losses, problem.growing, problem.normalisation
(('train',), ('H', 'N', 'p'), (('N', -1),))

Top level:

- ``family``: the name of the problem, by default that of the file;
- ``flow``: what drives the weights, needed if there are several losses: the name of a loss, or a
  combination of losses and observables with numbers and symbols, ``"train + lambda*weight-norm"``;
- ``temperature``, ``implicit``, ``momentum``, ``step``, and ``resample``, a list of fixed tensors:
  see `expansion.drive`;
- ``amplitudes``: list of further symbols that formulas use;
- ``axes``: ``"growing"`` for a size that is a symbol, a positive integer for a pinned one;
- ``tensors``: ``kind`` (``weight``: learnable; ``fixed``, or ``gaussian`` by its old name: random
  and never moved; ``structural``: a Kronecker delta; ``pin``: one at the first index; ``modular``:
  one where the last index is the sum of the others modulo the size; ``isometry``: one where both
  indices agree, the second axis at most as large as the first; ``power``: a Kronecker delta times
  i^``exponent``, i = 1, 2, ..., by default i), ``axes`` of its slots, and for the
  first two a ``variance``: a symbol, a number, or a product of powers of them and of sizes, such as
  ``"2*sigma2/(3*p)"``; they may be ``symmetric = true``. Their entries are Gaussian, or of another
  ``law`` (`diagrams.laws`): ``"rademacher"`` or ``"uniform"`` of that variance, ``"bernoulli"``
  with a ``probability``; the first three may have a ``mean``. Any other law is given by its
  ``cumulants``, as
  ``{ 2 = "sigma2", 4 = "k4" }``. A tensor that occurs twice is shared. A weight may have a
  ``rate``, by which its velocity is multiplied, and any tensor a ``multiplier``, by which it is
  multiplied wherever it occurs: a number times symbols, ``"2*c"``;
- ``losses``: ``outputs`` (the open indices), ``model``, ``target``, ``normalisation`` (powers of
  symbols), ``averaged_over`` (inputs: fixed tensors whose laws have no symbols, averaged over
  before the flow);
- ``observables``: ``formula`` without open indices, ``normalisation``, ``averaged_over``.

Models, targets and observables are formulas, see `expansion.formula_parser`; observables may also
be made of losses, other observables, the model and its tangent kernel, see `expansion.expressions`.
A target may also combine the names in `expansion.targets.TARGETS` if all open indices lie on the
axis p; ``zero`` and ``0`` are the zero target on any axes.

Files are untrusted: their size is limited, see `expansion.input_limits` and
`expansion.problem_files.toml_document`, and nothing in it is evaluated.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from diagrams.arguments import shown
from diagrams.errors import InvalidInputError
from diagrams.factorials import double_factorial
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from expansion.composed import Composed
from expansion.drive import FACTORS, Drive
from expansion.expressions import entry_names, is_plain_formula, word_names
from expansion.formula_parser import FormulaTerm, read_formula
from expansion.input_limits import MAXIMAL_NAME, is_name, legible, read_file, read_stream
from expansion.losses import OBSERVABLES, Followed, Observable, QuadraticLoss
from expansion.models import PRESETS
from expansion.problem import Problem
from expansion.problem_files.declarations import Declarations
from expansion.problem_files.toml_document import MAXIMAL_CHARACTERS, TomlDocument, listed
from expansion.problem_files.toml_document import Path as Keys
from expansion.problem_files.unused import unused_declarations
from expansion.targets import TARGETS, scaled

__all__ = ["read_problem", "read_problem_file", "read_problem_stream"]

MAXIMAL_PAIRINGS = 50_000
"""Most pairings of inputs that an average may take: the square of a model has many."""


def read_problem_file(path: str | PathLike[str]) -> Problem:
    """The problem that a file describes.

    Raises
    ------
    InvalidInputError
        If the file cannot be read or does not describe a problem; the message names the line.
    """
    try:
        path = Path(path)
    except TypeError:
        raise InvalidInputError(f"problem {shown(path)}: is no path; name a file") from None
    text = read_file(
        path,
        title=f"problem {shown(str(path), 200)}",
        maximal_bytes=4 * MAXIMAL_CHARACTERS,
        remedy="describe the problem in fewer",
    )
    return read_problem(TomlDocument.parse(legible(path.name), text))


def read_problem_stream(stream: BinaryIO) -> Problem:
    """The problem that a stream describes, such as the standard input; it is read to its end.

    Raises
    ------
    InvalidInputError
        As `read_problem_file`, with the same limits.

    Examples
    --------
    >>> from io import BytesIO
    >>> read_problem_stream(BytesIO(b'family = "mine"'))
    Traceback (most recent call last):
    ...
    diagrams.errors.InvalidInputError: standard input: losses: there is no loss; ...
    """
    text = read_stream(
        stream,
        title="problem from standard input",
        maximal_bytes=4 * MAXIMAL_CHARACTERS,
        remedy="describe the problem in fewer",
    )
    return read_problem(TomlDocument.parse("standard input", text))


def read_problem(document: TomlDocument) -> Problem:
    """The problem that a TOML document describes; its remarks say what it declares in vain.

    Raises
    ------
    InvalidInputError
        If it does not describe one; the message names the line.
    """
    problem = _ProblemReader(document, Declarations(document)).problem
    return replace(problem, remarks=unused_declarations(document))


@dataclass(frozen=True)
class _ProblemReader:
    """A document on its way to a problem."""

    document: TomlDocument
    declared: Declarations

    @property
    def problem(self) -> Problem:
        known = ("family", "flow", "amplitudes", "axes", "tensors", "losses", "observables")
        self.document.table((), (*known, *FACTORS, "resample"))
        losses = {name: self._loss(name) for name in self.document.table(("losses",))}
        if not losses:
            raise self.document.error(
                ("losses",), "there is no loss; describe one as [losses.train]"
            )
        flow = self.document.get((), "flow", str, next(iter(losses)) if len(losses) == 1 else None)
        observables = tuple(
            self._observable(name) for name in self.document.table(("observables",))
        )
        main = self._main_loss(flow, losses, observables)
        driving = losses.pop(main)
        problem = self.document.checked(
            (),
            Problem,
            family=self._family,
            model=driving.model,
            target=driving.target,
            output_axes=driving.output_axes,
            loss_name=main,
            normalisation=driving.normalisation,
            averaged_over=driving.averaged_over,
            observed=tuple(losses.values()),
            observables=observables,
            drive=self._drive("" if flow == main else flow),
        )
        for observable in observables:
            if isinstance(observable, Composed):
                path = "observables", observable.name, "formula"
                self.document.checked(path, problem.quantity, observable.name)
        return problem

    def _main_loss(
        self, flow: str, losses: Mapping[str, QuadraticLoss], observables: Iterable[Followed]
    ) -> str:
        """The loss that is followed unless another is named: the first that drives, if one does."""
        if flow in losses:
            return flow
        names = (*losses, *(observable.name for observable in observables), *OBSERVABLES)
        terms = self.document.checked(("flow",), read_formula, flow, names=names)
        for term in terms:
            if term.name is None or term.entries:
                raise self.document.error(
                    ("flow",),
                    f"there is no loss {shown(flow)}, or it has a term without one; name one of "
                    f"{listed(losses)}, or combine them as 'train + lambda*weight-norm'",
                )
        named = (term.name for term in terms if term.name is not None and term.name in losses)
        return next(named, next(iter(losses)))

    def _drive(self, flow: str) -> Drive:
        """What drives the weights: the flow, and the rates of the tensors."""
        values = self.document.table(())
        factors = {}
        for name in FACTORS:
            if name in values:
                factors[name] = self.declared.factor((name,), values[name])
        rates = tuple(self.declared.rates.items())
        drive = self.document.checked(("flow",), Drive, flow=flow, rates=rates)
        drive = self.document.checked(tuple(factors)[:1], replace, drive, **factors)
        if "resample" not in values:
            return drive
        resample = self.document.strings((), "resample")
        return self.document.checked(("resample",), replace, drive, resample=resample)

    @property
    def _family(self) -> str:
        name = self.document.get((), "family", str, self.document.name.removesuffix(".toml"))
        if name in PRESETS:
            raise self.document.error(
                ("family",), f"{name!r} is the name of a preset; choose another"
            )
        self._named(name, "family")
        return name

    def _named(self, name: str, *path: str) -> None:
        """Names stand in titles of pictures and papers."""
        if not is_name(name):
            raise self.document.error(
                path,
                f"{shown(name)} is not a name of at most {MAXIMAL_NAME} printable characters "
                "without $, \\, { and }; choose another",
            )

    def _loss(self, name: str) -> QuadraticLoss:
        path = "losses", name
        self._named(name, "losses")
        known = ("outputs", "model", "target", "normalisation", "averaged_over")
        self.document.table(path, known)
        outputs = self.document.strings(path, "outputs")
        for place, index in enumerate(outputs):
            if index in outputs[:place]:
                raise self.document.error(
                    (*path, "outputs"),
                    f"the open index {index!r} is there twice; name it once, and use a structural "
                    "tensor for a diagonal",
                )
        averaged = self.declared.averaged_over(path)
        model = self._networks((*path, "model"), outputs, averaged)
        axes = self._output_axes(path, outputs, model)
        shared = len({t for n in model for t in n.tensors if t.is_learnable}) == 1
        target = (*path, "target")
        networks = self._networks(target, outputs, averaged, axes, shared=shared)
        return self.document.checked(
            path,
            QuadraticLoss,
            name=name,
            model=model,
            target=networks,
            output_axes=axes,
            normalisation=self.declared.normalisation(path),
            averaged_over=averaged,
        )

    def _observable(self, name: str) -> Followed:
        path = "observables", name
        self._named(name, "observables")
        self.document.table(path, ("formula", "normalisation", "averaged_over"))
        averaged = self.declared.averaged_over(path)
        formula = self.document.get(path, "formula", str)
        if not is_plain_formula(formula):
            return self._composed(name, formula, averaged)
        return self.document.checked(
            path,
            Observable,
            name=name,
            networks=self._networks((*path, "formula"), (), averaged),
            normalisation=self.declared.normalisation(path),
            averaged_over=averaged,
        )

    def _composed(self, name: str, formula: str, averaged: tuple[Tensor, ...]) -> Composed:
        multipliers = (
            (tensor, m.coefficient, tuple(Axis(n) for n, k in m.powers for _ in range(k)))
            for tensor, m in self.declared.multipliers.items()
            if tensor in entry_names(formula)
        )
        return Composed(
            name=name,
            formula=formula,
            tensors=tuple(t for n, t in self.declared.tensors.items() if n in entry_names(formula)),
            multipliers=tuple(multipliers),
            symbols=tuple(s for s in self.declared.amplitudes if s in word_names(formula)),
            normalisation=self.declared.normalisation(("observables", name)),
            averaged_over=averaged,
        )

    def _networks(
        self,
        path: Keys,
        outputs: tuple[str, ...],
        averaged: tuple[Tensor, ...],
        axes: tuple[Axis, ...] | None = None,
        *,
        shared: bool = False,
    ) -> tuple[Network, ...]:
        """The networks of a formula; with axes of the outputs it may name targets."""
        *table, key = path
        formula = self.document.get(tuple(table), key, str)
        names = () if axes is None else tuple(TARGETS)
        result: list[Network] = []
        for term in self.document.checked(path, read_formula, formula, names=names):
            for symbol in term.symbols:
                if symbol not in self.declared.symbols:
                    raise self.document.error(
                        path,
                        f"the symbol {symbol!r} is not declared; list it under amplitudes, or give "
                        "a tensor its indices in brackets",
                    )
            if axes is not None and (term.is_zero or (term.name == "zero" and not term.entries)):
                continue
            if term.name is None:
                result += scaled([self._network(path, term, outputs)], term)
                continue
            if term.entries or not axes or {*axes} != {axes[0]} or axes[0].pinned is not None:
                raise self.document.error(
                    path,
                    f"the target {term.name!r} needs open indices that all lie on one growing "
                    "axis, and no other tensors in its term; write it as a formula",
                )
            networks = TARGETS[term.name](len(axes), symmetric=shared, axis=axes[0])
            result += scaled(networks, term)
        inputs = [sum(tensor in averaged for tensor, _ in n.factors) for n in result]
        if len(inputs) ** 2 * double_factorial(2 * max(inputs, default=0) - 1) > MAXIMAL_PAIRINGS:
            raise self.document.error(
                path,
                f"takes more than {MAXIMAL_PAIRINGS} pairings of the inputs that it is averaged "
                "over; lower its degree or the number of its terms",
            )
        return tuple(result)

    def _network(self, path: Keys, term: FormulaTerm, outputs: tuple[str, ...]) -> Network:
        factors = []
        for name, indices in term.entries:
            if name not in self.declared.tensors:
                raise self.document.error(
                    path,
                    f"there is no tensor {name!r}; declare it under [tensors] or use one of "
                    f"{listed(self.declared.tensors)}",
                )
            factors.append((self.declared.tensors[name], indices))
        network = self.document.checked(path, Network, tuple(factors), outputs)
        return self._multiplied(network)

    def _multiplied(self, network: Network) -> Network:
        """A network with the multipliers of its tensors, one for each factor."""
        coefficient, symbols = network.coefficient, list(network.amplitudes)
        for tensor, _ in network.factors:
            multiplier = self.declared.multipliers.get(tensor.name)
            if multiplier is not None:
                coefficient *= multiplier.coefficient
                symbols += [Axis(name) for name, power in multiplier.powers for _ in range(power)]
        return replace(network, coefficient=coefficient, amplitudes=tuple(symbols))

    def _output_axes(
        self, path: Keys, outputs: tuple[str, ...], model: tuple[Network, ...]
    ) -> tuple[Axis, ...]:
        found: dict[str, Axis] = {}
        for network in model:
            found |= network.index_axes(None)
        for index in outputs:
            if index not in found:
                raise self.document.error(
                    (*path, "outputs"),
                    f"the open index {index!r} is in no slot of the model; use it there, or leave "
                    "it out",
                )
        return tuple(found[index] for index in outputs)
