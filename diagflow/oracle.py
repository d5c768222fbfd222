r"""The independent oracle: the loss expansion at integer sizes, without diagrams.

Definition.  For integer sizes the loss ``L = prefactor * sum (f - F)^2`` is an ordinary polynomial
in commuting symbols, one for every entry of every tensor.  Along the gradient flow
``T du/dt = -dL/du`` a polynomial ``G`` of the weights obeys

    T dG/dt = X(G),   X(G) = - sum_u (dG/du) (dL/du)   (u runs over the learnable entries),

so the Taylor coefficients of the expected loss are ``Y_s = E[X^s(L)]``, and the Gaussian average is
taken monomial by monomial: ``E[u^(2a)] = (2a - 1)!! sigma2^a``, odd powers vanish.

A *symmetric* tensor has one entry, one generator, for every multiset of indices: an entry whose
indices can be arranged in n ways out of k! permutations stands in n places of the array, its
variance is sigma2 k!/n, and because the metric counts it n times, sum_u gets the weight 1/n.

Purpose.  Nothing here knows about merging, contraction or isomorphism, and nothing is imported from
the packages that do.  Agreement with them at several sizes is therefore evidence for both sides.
The cost grows steeply with the number of entries: this is for tiny sizes.

Convention.  ``Y_s`` carries its sign and, at s = 0, the pure-target term.  ``Y_s`` is a mapping
from a monomial in the variance symbols to its coefficient.

Laws.  One weight ``u`` fitted to the constant 1 has ``L = (u - 1)^2 / 2`` and ``T dL/dt = -2 L``:

>>> from fractions import Fraction
>>> model, target = [Term(1, (("u", ""),), "")], [Term(1, (), "")]
>>> for moments in loss_derivatives(model, target, {}, 2):
...     print(format_moments(moments))
1/2 + 1/2*sigma2
-1 - sigma2
2 + 2*sigma2

Source: the recursion is ours; setting, sign and flow are those of Yarotsky, Golikov, Gusev,
*Gradient Flow Through Diagram Expansions* (arXiv 2602.04548), section 3.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations, product
from math import factorial, lcm, prod
from string import ascii_lowercase
from typing import Literal, TypeAlias

from flint import Ordering, fmpz_mpoly, fmpz_mpoly_ctx

__all__ = [
    "UNIT_VARIANCE",
    "EntryRing",
    "Moments",
    "OracleLoss",
    "Term",
    "Variance",
    "cp_loss_derivatives",
    "format_moments",
    "loss_derivatives",
    "multiplied",
    "odd_double_factorial",
    "variance_monomial",
]

Monomial: TypeAlias = tuple[tuple[str, int], ...]
"""Sorted pairs (variance symbol, positive power); ``()`` is the constant monomial."""

Moments: TypeAlias = dict[Monomial, Fraction]
"""A polynomial in the variance symbols; zero coefficients are left out."""

StructuralTensor: TypeAlias = Callable[..., int]
"""Integer entries of a tensor that is neither learnt nor random, as a function of its indices."""

Variance: TypeAlias = tuple[Fraction, Monomial]
"""A number times powers of symbols, the variance of one entry."""

Entry: TypeAlias = tuple[str, tuple[int, ...]]
"""One entry of a tensor: its name and the values of its indices."""

Average: TypeAlias = Callable[[Iterable[tuple[Sequence[int], Fraction | int]]], Moments]
"""From the exponents and coefficients of a polynomial in the generators to its average."""

UNIT_VARIANCE = "1"
"""The variance symbol of a tensor with variance one; it never appears in a monomial."""

DEFAULT_VARIANCE = "sigma2"


@dataclass(frozen=True)
class Term:
    """An einsum term: a coefficient times a product of tensors, summed over the inner indices.

    Parameters
    ----------
    coefficient
        Exact coefficient of the term.
    factors
        Pairs (tensor name, index letters), for example ``("W", "ki")``.  The same name used twice
        means the same entries (shared weights).
    output
        Letters of the open indices.  A repeated letter is a Kronecker delta: the identity target of
        order 3 is ``Term(1, (), "iii")``.  A letter found in no factor makes the term constant
        along that index.

    Raises
    ------
    ValueError
        If an index is not a letter.
    TypeError
        If the coefficient is not exact.

    Examples
    --------
    The weight-tied autoencoder ``f = W^T W``:

    >>> Term(1, (("W", "ki"), ("W", "kj")), "ij").letters
    'ijk'

    Source
    ------
    Ours; the usual einsum convention with the delta of a repeated output letter.
    """

    coefficient: Fraction | int
    factors: tuple[tuple[str, str], ...]
    output: str

    def __post_init__(self) -> None:
        if not isinstance(self.coefficient, Fraction | int):
            raise TypeError(
                f"coefficient {self.coefficient!r} is not exact: write it as an int or a Fraction"
            )
        for letter in self.letters:
            if not letter.isalpha():
                raise ValueError(f"index {letter!r} of {self} is not a letter: use one letter each")

    @property
    def letters(self) -> str:
        """All index letters of the term, sorted, each once.

        Source: ours.

        >>> Term(1, (), "iii").letters
        'i'
        """
        return "".join(sorted(set(self.output).union(*(slots for _, slots in self.factors))))


@dataclass(frozen=True)
class OracleLoss:
    """The loss ``prefactor * sum (f - F)^2`` over the open indices of model ``f`` and target ``F``.

    Parameters
    ----------
    model, target
        Sums of einsum terms with equally many open indices of equal sizes.
    prefactor
        Exact factor in front of the squares: 1/2 for the usual loss, 1/(2 N) for the mean over N
        data points.

    Examples
    --------
    >>> OracleLoss((Term(1, (("u", "i"),), "i"),), ()).prefactor
    Fraction(1, 2)

    Source
    ------
    Yarotsky, Golikov, Gusev (arXiv 2602.04548), section 3; the prefactor is ours.
    """

    model: tuple[Term, ...]
    target: tuple[Term, ...]
    prefactor: Fraction = Fraction(1, 2)

    @property
    def residual(self) -> tuple[Term, ...]:
        """The terms of ``f - F``.

        Source: ours.

        >>> [term.coefficient for term in OracleLoss((), (Term(2, (), "i"),)).residual]
        [-2]
        """
        return self.model + tuple(
            replace(term, coefficient=-term.coefficient) for term in self.target
        )


def loss_derivatives(
    model: Sequence[Term],
    target: Sequence[Term],
    sizes: Mapping[str, int],
    terms: int,
    variances: Mapping[str, str | Variance] | None = None,
    *,
    frozen: Collection[str] = (),
    structural: Mapping[str, StructuralTensor] | None = None,
    prefactor: Fraction = Fraction(1, 2),
    observable: OracleLoss | None = None,
    symmetric: Collection[str] = (),
    laws: Mapping[str, Callable[[int], Moments]] | None = None,
) -> list[Moments]:
    """Return the exact ``Y_0, ..., Y_terms`` of a polynomial model at integer sizes.

    Parameters
    ----------
    model, target
        Einsum terms of the model ``f`` and of the target ``F``; an empty target is zero.
    sizes
        Integer size of every index letter.
    terms
        Order of the last coefficient, at least 0.
    variances
        Variance of each tensor, a symbol or a number with powers of symbols; a tensor left out has
        variance ``sigma2``, and the symbol ``UNIT_VARIANCE`` stands for variance one.
    frozen
        Names of tensors that are averaged over but not learnt (a teacher, data).
    structural
        Tensors that are neither learnt nor random: a function from the index values (counted from
        0) to the integer entry.
    prefactor
        Factor in front of the sum of squares that the flow follows.
    observable
        The loss to expand along that flow, if it is not the loss that drives the flow (a population
        loss along the flow of the train loss).
    symmetric
        Names of tensors that do not change when their indices are permuted.
    laws
        Tensors whose entries are not Gaussian of mean zero: a function from k to the mean of the
        k-th power of an entry, see `diagflow.oracle_laws`; their variances are not looked at.

    Returns
    -------
    list of Moments
        ``Y_s`` for s = 0, ..., terms.

    Raises
    ------
    ValueError
        If a size is missing or not positive, if a tensor or the output has two shapes, if a name in
        ``frozen`` or ``variances`` is not a random tensor of the loss, if a symmetric tensor has
        different sizes, or if ``terms`` is negative.

    Examples
    --------
    The linear model ``f = u`` with a random teacher ``v``, and its two variances:

    >>> moments = loss_derivatives(
    ...     [Term(1, (("u", "i"),), "i")],
    ...     [Term(1, (("v", "i"),), "i")],
    ...     {"i": 3},
    ...     1,
    ...     {"v": "tau2"},
    ...     frozen={"v"},
    ... )
    >>> format_moments(moments[1])
    '-3*sigma2 - 3*tau2'

    Notes
    -----
    All polynomials have integer coefficients over one tracked denominator; ``Y_s`` is a fraction
    only at the end.

    Source
    ------
    Ours; sign and pure-target term as in section 3 of arXiv 2602.04548.
    """
    if terms < 0:
        raise ValueError(f"terms = {terms} is negative: the expansion starts at order 0")
    driving = OracleLoss(tuple(model), tuple(target), prefactor)
    observed = driving if observable is None else observable
    entries = EntryRing.of((driving, observed), sizes, structural or {}, symmetric)
    average = entries.average_over(variances or {}, laws or {})
    learnable = entries.learnable(frozen)

    loss, loss_denominator = entries.loss_polynomial(driving)
    places = [entries.places(number) for number in range(len(entries.entries))]
    common = lcm(*places)
    forces = [(u, -(common // places[u]) * loss.derivative(u)) for u in learnable]
    current, denominator = entries.loss_polynomial(observed)
    series = [average(_terms(current, denominator))]
    for _ in range(terms):
        current = _lie_derivative(current, forces, entries.zero)
        denominator *= loss_denominator * common
        series.append(average(_terms(current, denominator)))
    return series


def cp_loss_derivatives(
    order: int,
    *,
    symmetric: bool,
    target: Literal["identity", "zero"],
    p: int,
    H: int,
    terms: int,
) -> list[Moments]:
    """Return ``Y_0, ..., Y_terms`` of the CP model of the given order at integer sizes p and H.

    Parameters
    ----------
    order
        Number of modes, at least 2.
    symmetric
        Whether all modes share one weight matrix.
    target
        ``"identity"`` (1 where all indices agree) or ``"zero"`` (free evolution).
    p, H
        Size of each mode and rank.
    terms
        Order of the last coefficient.

    Raises
    ------
    ValueError
        If the order is below 2 or the target is unknown.

    Examples
    --------
    >>> for moments in cp_loss_derivatives(2, symmetric=True, target="identity", p=1, H=1, terms=1):
    ...     print(format_moments(moments))
    1/2 - sigma2 + 3/2*sigma2^2
    -4*sigma2 + 24*sigma2^2 - 60*sigma2^3

    Source
    ------
    Yarotsky, Golikov, Gusev (arXiv 2602.04548), section 3.
    """
    if order < 2:
        raise ValueError(f"order = {order} of the CP model is below 2: choose an order from 2 on")
    modes = ascii_lowercase.replace("k", "")[:order]
    targets = {"identity": (Term(1, (), modes[0] * order),), "zero": ()}
    if target not in targets:
        raise ValueError(f"target {target!r} is unknown: choose one of {', '.join(targets)}")
    factors = tuple(
        ("U" if symmetric else f"U{number}", f"k{mode}") for number, mode in enumerate(modes, 1)
    )
    sizes = {"k": H} | dict.fromkeys(modes, p)
    return loss_derivatives([Term(1, factors, modes)], targets[target], sizes, terms)


def format_moments(moments: Moments) -> str:
    """Write a polynomial in the variance symbols as text, lowest powers first.

    Examples
    --------
    >>> format_moments({(): Fraction(1, 2), (("sigma2", 2),): Fraction(-3)})
    '1/2 - 3*sigma2^2'
    >>> format_moments({})
    '0'

    Source
    ------
    Ours.
    """
    text = ""
    for monomial in sorted(moments, key=lambda pairs: (sum(power for _, power in pairs), pairs)):
        coefficient = moments[monomial]
        powers = [f"{symbol}^{power}" if power > 1 else symbol for symbol, power in monomial]
        size = [str(abs(coefficient))] if abs(coefficient) != 1 or not powers else []
        text += (" - " if coefficient < 0 else " + ") + "*".join(size + powers)
    if text.startswith(" - "):
        return "-" + text.removeprefix(" - ")
    return text.removeprefix(" + ") or "0"


@dataclass(frozen=True)
class EntryRing:
    """The ring of integer polynomials in the entries of all random tensors."""

    context: fmpz_mpoly_ctx
    entries: tuple[Entry, ...]
    sizes: Mapping[str, int]
    structural: Mapping[str, StructuralTensor]
    symmetric: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        losses: Sequence[OracleLoss],
        sizes: Mapping[str, int],
        structural: Mapping[str, StructuralTensor],
        symmetric: Collection[str] = (),
    ) -> "EntryRing":
        """Collect the entries of the random tensors in the losses, after checking the shapes."""
        shapes: dict[str, tuple[int, ...]] = {}
        for loss in losses:
            _check_output(loss, sizes)
            for term in loss.residual:
                for tensor, slots in term.factors:
                    shape = _shape(slots, sizes)
                    if shapes.setdefault(tensor, shape) != shape:
                        raise ValueError(
                            f"tensor {tensor!r} has the two shapes {shapes[tensor]} and {shape}: "
                            "give it the same index sizes everywhere, or two names"
                        )
        entries = tuple(
            (tensor, position)
            for tensor in sorted(shapes.keys() - structural.keys())
            for position in product(*map(range, shapes[tensor]))
            if tensor not in symmetric or list(position) == sorted(position)
        )
        for tensor in sorted(symmetric):
            if len(set(shapes.get(tensor, ()))) != 1:
                raise ValueError(
                    f"symmetric tensor {tensor!r} has the shape {shapes.get(tensor)}: "
                    "give all its indices one size"
                )
        names = [f"x{number}" for number in range(len(entries))]
        context = fmpz_mpoly_ctx.get(names, Ordering.lex)
        return cls(context, entries, sizes, structural, frozenset(symmetric))

    @property
    def zero(self) -> fmpz_mpoly:
        """The polynomial without terms."""
        return self.context.constant(0)

    @property
    def tensors(self) -> set[str]:
        """The names of the random tensors."""
        return {tensor for tensor, _ in self.entries}

    def laws(self, variances: Mapping[str, str | Variance]) -> list[Variance]:
        """Variance of every generator of the ring."""
        self._check_names("variances", variances)
        result = []
        for number, (tensor, position) in enumerate(self.entries):
            given = variances.get(tensor, DEFAULT_VARIANCE)
            if isinstance(given, str):
                given = (Fraction(1), () if given == UNIT_VARIANCE else ((given, 1),))
            times = factorial(len(position)) // self.places(number)
            result.append((given[0] * (times if tensor in self.symmetric else 1), given[1]))
        return result

    def average_over(
        self,
        variances: Mapping[str, str | Variance],
        laws: Mapping[str, Callable[[int], Moments]],
    ) -> Average:
        """The average of a polynomial in the generators, by the variances and laws of tensors."""
        self._check_names("laws", laws)
        own = self.laws(variances)
        others = {n: laws[t] for n, (t, _) in enumerate(self.entries) if t in laws}
        if not others:
            return lambda terms: _gaussian_average(terms, own)
        return lambda terms: _average(terms, own, others)

    def places(self, number: int) -> int:
        """How many places of its array a generator stands in."""
        tensor, position = self.entries[number]
        return len(set(permutations(position))) if tensor in self.symmetric else 1

    def learnable(self, frozen: Collection[str]) -> list[int]:
        """Numbers of the generators the flow moves."""
        self._check_names("frozen", frozen)
        return [number for number, (tensor, _) in enumerate(self.entries) if tensor not in frozen]

    def _check_names(self, argument: str, names: Collection[str]) -> None:
        for name in sorted(set(names) - self.tensors):
            raise ValueError(
                f"{argument} names {name!r}, which is no random tensor of the loss: "
                f"choose among {', '.join(sorted(self.tensors))}"
            )

    def loss_polynomial(self, loss: OracleLoss) -> tuple[fmpz_mpoly, int]:
        """Return the loss as an integer polynomial over a common denominator."""
        values, common = self.values(loss.residual)
        squares = sum((value**2 for value in values.values()), self.zero)
        return squares * loss.prefactor.numerator, loss.prefactor.denominator * common**2

    def values(self, terms: Sequence[Term]) -> tuple[dict[tuple[int, ...], fmpz_mpoly], int]:
        """Return a sum of terms at every value of the open indices, over a common denominator."""
        common = lcm(*(term.coefficient.denominator for term in terms))
        values: dict[tuple[int, ...], fmpz_mpoly] = {}
        generators = dict(zip(self.entries, self.context.gens(), strict=True))
        for term in terms:
            for index in _assignments(term.letters, self.sizes):
                value = self.context.constant(int(term.coefficient * common))
                for tensor, slots in term.factors:
                    position = tuple(index[letter] for letter in slots)
                    if tensor in self.symmetric:
                        position = tuple(sorted(position))
                    if tensor in self.structural:
                        value *= self.structural[tensor](*position)
                    else:
                        value *= generators[tensor, position]
                place = tuple(index[letter] for letter in term.output)
                values[place] = values.get(place, self.zero) + value
        return values, common


def _check_output(loss: OracleLoss, sizes: Mapping[str, int]) -> None:
    """Check that the open indices of all terms have the same sizes."""
    shapes = {_shape(term.output, sizes): term for term in loss.residual}
    if len(shapes) > 1:
        raise ValueError(
            f"the output has the shapes {', '.join(map(str, shapes))}: "
            "model and target need the same number of open indices and the same sizes"
        )


def _shape(slots: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Sizes of the given index letters."""
    for letter in slots:
        if sizes.get(letter, 0) < 1:
            raise ValueError(f"index {letter!r} has no positive size: add it to sizes")
    return tuple(sizes[letter] for letter in slots)


def _assignments(letters: str, sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """All ways to give every index letter a value."""
    for values in product(*(range(sizes[letter]) for letter in letters)):
        yield dict(zip(letters, values, strict=True))


def _lie_derivative(
    polynomial: fmpz_mpoly, forces: Sequence[tuple[int, fmpz_mpoly]], zero: fmpz_mpoly
) -> fmpz_mpoly:
    """Differentiate along the flow whose velocity of generator ``number`` is ``force``."""
    return sum((polynomial.derivative(number) * force for number, force in forces), zero)


def _terms(polynomial: fmpz_mpoly, denominator: int) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    """Exponents and coefficients of a polynomial over a denominator."""
    for exponents, coefficient in polynomial.to_dict().items():
        yield exponents, Fraction(int(coefficient), denominator)


def _gaussian_average(
    terms: Iterable[tuple[Sequence[int], Fraction | int]], laws: Sequence[Variance]
) -> Moments:
    """Average a polynomial over independent centred Gaussian generators."""
    total: Moments = {}
    for exponents, coefficient in terms:
        # A monomial with an odd power of some generator averages to zero.
        if any(exponent & 1 for exponent in exponents):
            continue
        halves = [int(exponent) // 2 for exponent in exponents]
        number, monomial = variance_monomial(laws, halves)
        pairings = coefficient * prod(map(odd_double_factorial, halves))
        total[monomial] = total.get(monomial, Fraction(0)) + pairings * number
    return {monomial: total[monomial] for monomial in sorted(total) if total[monomial]}


def _average(
    terms: Iterable[tuple[Sequence[int], Fraction | int]],
    variances: Sequence[Variance],
    laws: Mapping[int, Callable[[int], Moments]],
) -> Moments:
    """The same where some generators, by their numbers, have laws of their own."""
    total: Moments = {}
    known: dict[tuple[int, int], Moments] = {}
    for exponents, coefficient in terms:
        powers = [int(exponent) for exponent in exponents]
        own = [0 if number in laws else power for number, power in enumerate(powers)]
        if any(power % 2 for power in own):
            continue
        halves = [power // 2 for power in own]
        number, monomial = variance_monomial(variances, halves)
        value: Moments = {monomial: coefficient * prod(map(odd_double_factorial, halves)) * number}
        for place, law in laws.items():
            if powers[place]:
                key = place, powers[place]
                if key not in known:
                    known[key] = law(powers[place])
                value = multiplied(value, known[key])
        for symbols, term in value.items():
            total[symbols] = total.get(symbols, Fraction(0)) + term
    return {symbols: total[symbols] for symbols in sorted(total) if total[symbols]}


def multiplied(first: Moments, second: Moments) -> Moments:
    """The product of two polynomials in the symbols of laws.

    Examples
    --------
    >>> multiplied({(("q", 1),): Fraction(2)}, {(("q", 1),): Fraction(3), (): Fraction(1)})
    {(('q', 2),): Fraction(6, 1), (('q', 1),): Fraction(2, 1)}

    Source
    ------
    Ours.
    """
    total: Moments = {}
    for one, a in first.items():
        for other, b in second.items():
            powers = dict(one)
            for name, power in other:
                powers[name] = powers.get(name, 0) + power
            key = tuple(sorted((name, power) for name, power in powers.items() if power))
            total[key] = total.get(key, Fraction(0)) + a * b
    return total


def variance_monomial(laws: Sequence[Variance], powers: Sequence[int]) -> Variance:
    """Product of the variances to the given powers, equal symbols collected."""
    number = Fraction(1)
    total: dict[str, int] = {}
    for (factor, symbols), power in zip(laws, powers, strict=True):
        if not power:
            continue
        if factor != 1:
            number *= factor**power
        for symbol, exponent in symbols:
            total[symbol] = total.get(symbol, 0) + exponent * power
    return number, tuple(sorted((name, power) for name, power in total.items() if power))


def odd_double_factorial(half: int) -> int:
    """``(2 half - 1)!!``, the number of perfect matchings of ``2 half`` points."""
    return prod(range(1, 2 * half, 2))


QuadraticLoss = OracleLoss  # its former name
