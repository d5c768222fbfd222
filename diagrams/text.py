"""The text form of a diagram: declarations of its tensors, then the product of its factors.

    weight W[H,p]~sigma2; gaussian X[p,N]~one; W(H0,p0)^2 X(p0,N0) p1
    fixed M[p,p]~bernoulli(q); M(p0,p1)^2

A node is written as its axis and its number on that axis; a node without any factor stands alone;
``^m`` marks ``m`` parallel factors; tensors that are not random have no law, as in ``pin e[p]``; a
fixed tensor is ``gaussian`` if its law is, with mean zero; a symmetric tensor is declared as
``symmetric weight S[p,p]~sigma2``; a pinned axis is declared as ``axis first=1``. The empty diagram
is ``1``.

>>> from diagrams.tensors import Axis
>>> show((Axis("p"), Axis("p")), ())
'p0 p1'
>>> parse("p0 p1")
((Axis(name='p'), Axis(name='p')), ())

Source: ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from diagrams.canonical import Factor
from diagrams.errors import InvalidInputError
from diagrams.laws import Law
from diagrams.tensors import Axis, Kind, Tensor

__all__ = ["parse", "show"]

MAXIMAL_LENGTH = 100_000
"""Longest text that is read, in characters: larger ones do not come from diagrams."""

MAXIMAL_NODES = 1_000
"""Most nodes of a diagram that is read: more take seconds to bring into canonical form."""

MAXIMAL_FACTORS = 10_000
"""Most factors of a diagram that is read, parallel ones counted."""

_AXIS = re.compile(r"axis (\w+)=(\d{1,9})", re.ASCII)
_TENSOR = re.compile(
    r"(symmetric )?(weight|fixed|gaussian|pin|modular|isometry|power) (\w+)\[([\w,]+)\]"
    r"(?:~([\w*/(),=-]+))?",
    re.ASCII,
)
_FACTOR = re.compile(r"(\w+)\(([\w,]+)\)(?:\^(\d{1,6}))?", re.ASCII)
_NODE = re.compile(r"([A-Za-z_](?:\w*[A-Za-z_])?)(\d{1,6})", re.ASCII)


def show(nodes: Sequence[Axis], factors: Sequence[Factor]) -> str:
    """The text form of a labelled diagram, in the order given."""
    count: Counter[str] = Counter()
    name = []
    for axis in nodes:
        name.append(f"{axis.name}{count[axis.name]}")
        count[axis.name] += 1
    pinned = {f"axis {axis.name}={axis.pinned}" for axis in nodes if axis.pinned is not None}
    tensors = {
        "symmetric " * tensor.symmetric
        + f"{_kind(tensor)} {tensor.name}[{','.join(a.name for a in tensor.axes)}]"
        + (f"~{tensor.entries}" if tensor.is_random else "")
        for tensor, _ in factors
    }
    words = []
    for (tensor, at), multiplicity in Counter(factors).items():
        power = f"^{multiplicity}" if multiplicity > 1 else ""
        words.append(f"{tensor.name}({','.join(name[j] for j in at)}){power}")
    used = {node for _, at in factors for node in at}
    words += [name[j] for j in range(len(nodes)) if j not in used]
    return "; ".join([*sorted(pinned), *sorted(tensors), " ".join(words) or "1"])


def parse(source: str) -> tuple[tuple[Axis, ...], tuple[Factor, ...]]:
    """Nodes and factors of a text form, as written.

    Raises
    ------
    InvalidInputError
        If a part is not understood, a tensor is not declared, a tensor or an axis is declared
        twice, or the diagram is too large.
    """
    if len(source) > MAXIMAL_LENGTH:
        raise InvalidInputError(
            f"diagram text: {len(source)} characters are more than {MAXIMAL_LENGTH}; split it"
        )
    *declarations, product = (part.strip() for part in source.split(";"))
    axes, tensors = _declarations(declarations)
    nodes: dict[str, int] = {}
    on: list[Axis] = []

    def number(word: str) -> int:
        match = _NODE.fullmatch(word)
        if match is None:
            raise _unknown(word, "a node such as H0")
        if word not in nodes:
            if len(nodes) == MAXIMAL_NODES:
                raise _too_large(MAXIMAL_NODES, "nodes")
            nodes[word] = len(nodes)
            on.append(axes.get(match[1], Axis(match[1])))
        return nodes[word]

    factors: list[Factor] = []
    for word in product.split():
        if word == "1" and product == "1":
            continue
        match = _FACTOR.fullmatch(word)
        if match is None:
            number(word)
        elif match[1] not in tensors:
            raise InvalidInputError(
                f"diagram text: tensor {match[1][:40]!r} is not declared; declare it as "
                f"'weight {match[1][:40]}[H,p]~sigma2;' before the product"
            )
        else:
            at = tuple(number(node) for node in match[2].split(","))
            multiplicity = int(match[3] or 1)
            if len(factors) + multiplicity > MAXIMAL_FACTORS:
                raise _too_large(MAXIMAL_FACTORS, "factors")
            factors += [(tensors[match[1]], at)] * multiplicity
    return tuple(on), tuple(factors)


def _declarations(parts: Sequence[str]) -> tuple[dict[str, Axis], dict[str, Tensor]]:
    axes: dict[str, Axis] = {}
    tensors: dict[str, Tensor] = {}
    for part in parts:
        if match := _AXIS.fullmatch(part):
            if match[1] in axes:
                raise InvalidInputError(
                    f"diagram text: axis {match[1][:40]!r} is declared twice; keep one declaration"
                )
            axes[match[1]] = Axis(match[1], pinned=int(match[2]))
        elif match := _TENSOR.fullmatch(part):
            symmetric, kind, name, slots, law = match.groups()
            if name in tensors:
                raise InvalidInputError(
                    f"diagram text: tensor {name[:40]!r} is declared twice; keep one declaration"
                )
            on = tuple(axes.get(axis, Axis(axis)) for axis in slots.split(","))
            tensors[name] = _tensor(name, on, Kind(kind), law or "", symmetric=bool(symmetric))
        else:
            raise _unknown(part, "a declaration such as 'weight W[H,p]~sigma2' or 'axis first=1'")
    return axes, tensors


def _kind(tensor: Tensor) -> str:
    """The kind in words: a fixed tensor is called after its law if that is Gaussian."""
    return "gaussian" if tensor.kind is Kind.FIXED and tensor.entries.is_wick else tensor.kind.value


def _tensor(name: str, axes: tuple[Axis, ...], kind: Kind, text: str, *, symmetric: bool) -> Tensor:
    if kind not in (Kind.WEIGHT, Kind.FIXED) or not text:
        return Tensor(name, axes, kind, text, symmetric)
    law = Law.parse(text)
    return Tensor(
        name,
        axes,
        kind,
        law.variance,
        symmetric,
        law.name,
        law.mean,
        law.probability,
        law.cumulants,
    )


def _too_large(limit: int, things: str) -> InvalidInputError:
    return InvalidInputError(f"diagram text: has more than {limit} {things}; split it")


def _unknown(part: str, expected: str) -> InvalidInputError:
    return InvalidInputError(f"diagram text: {part[:40]!r} is not understood; expected {expected}")
