"""Exact polynomials in named symbols, the coefficients of the loss expansion.

A `Polynomial` is a frozen map from monomials (names with integer powers, negative ones allowed) to
rational numbers. It is a value to look at, compare, evaluate and hand on, not a computer algebra
system: `to_sympy` leads there.

Laws:

- equality is equality of all coefficients;
- ``Polynomial.parse(str(x)) == x``;
- ``evaluate`` is exact for exact arguments.

>>> x = Polynomial.parse("1/2*p - p*H*sigma2 + 3*p**2*H*sigma2**2")
>>> x.coefficient(p=1, H=1, sigma2=1)
Fraction(-1, 1)
>>> x.evaluate(p=2, H=1, sigma2=Fraction(1, 2))
Fraction(3, 1)
>>> Polynomial.parse(str(x)) == x
True

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import FrozenInstanceError, dataclass
from fractions import Fraction
from functools import lru_cache
from numbers import Complex, Rational
from typing import TYPE_CHECKING

import flint

from diagrams.arguments import powers_of, several, shown, word
from diagrams.errors import InvalidInputError
from diagrams.named_polynomial import NamedPolynomial, generic_context
from diagrams.rationals import as_fraction
from diagrams.variances import Variance
from diagrams.wick import Monomial, monomial

if TYPE_CHECKING:
    import sympy

__all__ = [
    "MAXIMAL_BITS",
    "Polynomial",
    "monomial_latex",
    "monomial_text",
    "quotient_latex",
    "quotient_text",
    "read_rational",
    "square_root",
    "symbol_latex",
    "symbol_order",
]

Terms = tuple[tuple[Monomial, Fraction], ...]
"""Monomials with their coefficients, in the order in which they are written."""

_Places = dict[int | str, int | str]
"""Where the symbols of one polynomial stand among those of another."""

_ZERO = Fraction(0)

_FEW = 4
"""So many terms are added up or evaluated as they are."""

MAXIMAL_LENGTH = 300_000
"""Longest text that `Polynomial.parse` reads, in characters."""

_GREEK = frozenset(
    ("alpha", "beta", "eta", "gamma", "lambda", "mu", "rho", "sigma", "tau", "theta")
)
"""Stems of symbols that are Greek letters in LaTeX."""

_ORDER = ("p", "H", "N", "H_teacher", "alpha", "sigma2", "sigma2_teacher")
_TERM = re.compile(r"([+-]?)(\d+(?:/\d+)?)?((?:\*?[A-Za-z_]\w*(?:\*\*-?\d{1,6})?)*)", re.ASCII)
_DIGITS = 4000
"""Python reads at most 4300 digits of a decimal number."""

MAXIMAL_BITS = 13_000
"""Larger integers have more than these digits: they are not read from records, nor computed."""

_TOO_LONG = 10**_DIGITS

_RATIONAL = re.compile(rf"[+-]?\d{{1,{_DIGITS}}}(/\d{{1,{_DIGITS}}})?", re.ASCII)
_INDEXED = re.compile(r"(_*[A-Za-z0-9]+)_(\w*[A-Za-z0-9]_*)", re.ASCII)
"""A stem and an index, either with letters or digits of its own."""

_POWER = re.compile(r"([A-Za-z_]\w*)(?:\*\*(-?\d{1,6}))?", re.ASCII)


def read_rational(text: str) -> Fraction:
    """A rational number from digits such as ``-27/2``.

    Raises
    ------
    InvalidInputError
        If the text is anything else, has more than some thousand digits or divides by zero.

    Examples
    --------
    >>> read_rational("-27/2")
    Fraction(-27, 2)
    """
    if not _RATIONAL.fullmatch(text):
        raise InvalidInputError(
            f"number {text[:20]!r}: is not a rational number of at most {_DIGITS} digits; write "
            "for example -27/2"
        )
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise InvalidInputError(
            f"number {text[:20]!r}: divides by zero; give a rational number"
        ) from None


def symbol_order(name: str) -> tuple[int, str]:
    """Order in which symbols are written: sizes, then amplitudes, then variances, then the rest.

    Examples
    --------
    >>> sorted(["sigma2", "H", "p"], key=symbol_order)
    ['p', 'H', 'sigma2']
    """
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def symbol_latex(name: str, power: int = 1) -> str:
    r"""A power of a symbol in LaTeX.

    A name is a stem, and after an underscore between letters an index. A stem that ends in 2, such
    as the one of the variance ``sigma2``, is the square of what stands before. A stem of several
    letters is one word, and underscores that separate nothing are printed: so different names are
    different symbols, and every one may carry a power.

    Examples
    --------
    >>> symbol_latex("sigma2", 3), symbol_latex("H"), symbol_latex("H_teacher", 2)
    ('\\sigma^{6}', 'H', 'H_{*}^{2}')
    >>> symbol_latex("sv2"), symbol_latex("x_", 2), symbol_latex("_x"), symbol_latex("x_a_b")
    ('\\mathit{sv}^{2}', '\\mathit{x\\_}^{2}', '\\mathit{\\_x}', 'x_{\\mathrm{a\\_b}}')

    A variance that is a product stands for itself, see `diagrams.variances`:

    >>> symbol_latex("2*sigma2/H"), symbol_latex("1/H", 2)
    ('\\frac{2 \\sigma^{2}}{H}', '\\left(\\frac{1}{H}\\right)^{2}')
    """
    if not name.isidentifier():
        return _variance_latex(Variance.parse(name), power)
    root = square_root(name)
    if root is not None:
        name, power = root, 2 * power
    stem, index = _parts(name)
    letter = "\\" + stem if stem in _GREEK else stem
    if len(stem) > 1 and not letter.startswith("\\"):
        letter = f"\\mathit{{{_escaped(stem)}}}"
    if index:
        letter += "_{*}" if index == "teacher" else f"_{{\\mathrm{{{_escaped(index)}}}}}"
    return letter if power == 1 else f"{letter}^{{{power}}}"


def _variance_latex(variance: Variance, power: int) -> str:
    """A power of a product of numbers and symbols."""
    above, below = variance.coefficient.numerator, variance.coefficient.denominator
    numerator = [str(above)] * (above != 1)
    numerator += [symbol_latex(n, k) for n, k in _ordered(variance.powers) if k > 0]
    denominator = [str(below)] * (below != 1)
    denominator += [symbol_latex(n, -k) for n, k in _ordered(variance.powers) if k < 0]
    text = " ".join(numerator) or "1"
    if denominator:
        text = f"\\frac{{{text}}}{{{' '.join(denominator)}}}"
    return text if power == 1 else f"\\left({text}\\right)^{{{power}}}"


def square_root(name: str) -> str | None:
    """The name of the symbol of which a symbol is the square, None if its stem does not end in 2.

    Examples
    --------
    >>> square_root("sigma2"), square_root("sigma2_data"), square_root("H"), square_root("x2_")
    ('sigma', 'sigma_data', None, None)
    """
    stem, index = _parts(name)
    if not stem.endswith("2") or stem.strip("_") == "2":
        return None
    return stem[:-1] + (f"_{index}" if index else "")


def _parts(name: str) -> tuple[str, str]:
    """Stem and index."""
    split = _INDEXED.fullmatch(name)
    return (split[1], split[2]) if split else (name, "")


def _escaped(word: str) -> str:
    return word.replace("_", "\\_")


def monomial_text(powers: Monomial) -> str:
    """A monomial as a product of powers, 1 if it is empty.

    Examples
    --------
    >>> monomial_text((("H", -1), ("p", 2)))
    'p**2*H**-1'
    """
    return "*".join(f"{n}**{k}" if k != 1 else n for n, k in _ordered(powers)) or "1"


def monomial_latex(powers: Monomial) -> str:
    r"""A monomial in LaTeX, 1 if it is empty.

    Examples
    --------
    >>> monomial_latex((("p", 1), ("sigma2", 2)))
    'p \\sigma^{4}'
    """
    return " ".join(symbol_latex(n, k) for n, k in _ordered(powers)) or "1"


def quotient_text(powers: Monomial) -> str:
    """A monomial as a quotient of products of powers.

    Examples
    --------
    >>> quotient_text((("H", 2), ("p", -4))), quotient_text((("H", -1), ("N", -1)))
    ('H**2/p**4', '1/(H*N)')
    """
    above = tuple((name, power) for name, power in powers if power > 0)
    below = tuple((name, -power) for name, power in powers if power < 0)
    if not below:
        return monomial_text(above)
    bottom = monomial_text(below)
    return f"{monomial_text(above)}/{bottom if len(below) == 1 else f'({bottom})'}"


def quotient_latex(powers: Monomial) -> str:
    r"""A monomial as a quotient in LaTeX, on one line.

    Examples
    --------
    >>> quotient_latex((("H", 2), ("p", -4)))
    'H^{2} / p^{4}'
    """
    above = tuple((name, power) for name, power in powers if power > 0)
    below = tuple((name, -power) for name, power in powers if power < 0)
    if not below:
        return monomial_latex(above)
    bottom = monomial_latex(below)
    return f"{monomial_latex(above)} / {bottom if len(below) == 1 else f'({bottom})'}"


class Polynomial:
    """An exact polynomial, or Laurent polynomial, in named symbols.

    The value is immutable. It is held as its terms, as a polynomial of FLINT with a common power
    taken out, or as both: products and sums are FLINT's, and terms are made when they are asked
    for.

    Parameters
    ----------
    terms : mapping from Monomial to rational
        Coefficients of monomials; zeros are dropped.
    """

    __slots__ = ("_dense", "_terms")

    # At least one of them is there.
    _terms: Terms | None
    _dense: _Dense | None

    def __init__(self, terms: Mapping[Monomial, Fraction | int] | None = None) -> None:
        kept: dict[Monomial, Fraction] = {}
        try:
            for powers, coefficient in () if terms is None else terms.items():
                key = monomial(dict(powers))
                before = kept.get(key, _ZERO)
                kept[key] = before + coefficient
        except (AttributeError, TypeError, ValueError):
            raise _no_terms(terms) from None
        if any(type(coefficient) is not Fraction for coefficient in kept.values()):
            raise _no_terms(terms)  # a float has made a float of the sum
        self._hold(_ordered_terms([item for item in kept.items() if item[1]]), None)

    def _hold(self, terms: Terms | None, dense: _Dense | None) -> None:
        object.__setattr__(self, "_terms", terms)
        object.__setattr__(self, "_dense", dense)

    @classmethod
    def _of_terms(cls, terms: Terms) -> Polynomial:
        """The polynomial of terms in their order."""
        result = cls.__new__(cls)
        result._hold(terms, None)
        return result

    @classmethod
    def _of_dense(cls, dense: _Dense) -> Polynomial:
        result = cls.__new__(cls)
        result._hold(None, dense)
        return result

    @classmethod
    def of_named(cls, value: NamedPolynomial) -> Polynomial:
        """The polynomial that the engine found as one of FLINT; no term is made for it.

        Examples
        --------
        >>> H, p = generic_context(2).gens()
        >>> Polynomial.of_named(NamedPolynomial(("H", "p"), H * p + 2 * p))
        Polynomial.parse('2*p + p*H')
        """
        return cls._of_dense(_Dense(value.names, (0,) * len(value.names), value.poly))

    @property
    def terms(self) -> Terms:
        """The monomials and their coefficients, in the order in which they are written."""
        if self._terms is None:
            assert self._dense is not None
            object.__setattr__(self, "_terms", self._dense.terms())
        assert self._terms is not None
        return self._terms

    def _as_dense(self) -> _Dense:
        if self._dense is None:
            object.__setattr__(self, "_dense", _Dense.of(self.terms))
        assert self._dense is not None
        return self._dense

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Polynomial):
            return NotImplemented
        if self._terms is None and other._terms is None:
            same = self._as_dense().equals(other._as_dense())
            if same is not None:
                return same
        return self.terms == other.terms

    def __hash__(self) -> int:
        return hash((self.terms,))

    def __reduce__(self) -> tuple[Callable[[Terms], Polynomial], tuple[Terms]]:
        # Polynomials of FLINT do not pickle.
        return Polynomial._of_terms, (self.terms,)

    @classmethod
    def parse(cls, text: str) -> Polynomial:
        """Read what ``str`` writes: a sum of products of a rational and powers; nothing is run.

        Raises
        ------
        InvalidInputError
            If the text is too long or is not such a sum, the message shows where, or if like terms
            add up to a number that is too long.
        """
        if len(word(text, "polynomial")) > MAXIMAL_LENGTH:
            raise InvalidInputError(
                f"polynomial: {len(text)} characters are more than {MAXIMAL_LENGTH}; split it"
            )
        source = text.replace(" ", "")
        terms: dict[Monomial, Fraction] = {}
        position = 0
        while position < len(source):
            match = _TERM.match(source, position)
            if match is None or not (match[2] or match[3]) or (position and not match[1]):
                raise InvalidInputError(
                    f"polynomial: {source[position : position + 20]!r} is not understood; expected "
                    "a term such as -3/2*p**2*H*sigma2"
                )
            coefficient = read_rational(match[1] + (match[2] or "1"))
            powers: dict[str, int] = {}
            for name, power in _POWER.findall(match[3]):
                powers[name] = powers.get(name, 0) + int(power or 1)
            key = monomial(powers)
            total = terms.get(key, Fraction(0)) + coefficient
            if max(abs(total.numerator), total.denominator) >= _TOO_LONG:
                raise InvalidInputError(
                    f"polynomial: the coefficients of {monomial_text(key)[:60]} add up to a number "
                    f"of more than {_DIGITS} digits; write their sum"
                )
            terms[key] = total
            position = match.end()
        return cls(terms)

    # -- structure -----------------------------------------------------------------------------

    def __iter__(self) -> Iterator[tuple[Monomial, Fraction]]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self._as_dense().poly) if self._terms is None else len(self._terms)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that occur, in the order in which they are written."""
        return tuple(sorted({name for powers, _ in self for name, _ in powers}, key=symbol_order))

    def coefficient(self, **powers: int) -> Fraction:
        """The coefficient of one monomial, zero if it does not occur."""
        return dict(self.terms).get(powers_of(powers, "coefficient"), Fraction(0))

    @property
    def height(self) -> int:
        """The largest numerator or denominator of a coefficient."""
        if self._terms is None:
            found = self._as_dense().poly.coeffs()
            numerators = [c.p for c in found] or [flint.fmpz(0)]
            denominators = [c.q for c in found] or [flint.fmpz(0)]
            return int(max(max(numerators), -min(numerators), max(denominators)))
        return max((max(abs(c.numerator), c.denominator) for _, c in self), default=0)

    def exponents(self, symbols: Iterable[str]) -> tuple[tuple[int, ...], ...]:
        """The exponent vectors of all terms with respect to the given symbols."""
        names = several(symbols, str, "symbols")
        return tuple(tuple(dict(powers).get(name, 0) for name in names) for powers, _ in self)

    # -- algebra -------------------------------------------------------------------------------

    def __add__(self, other: Polynomial) -> Polynomial:
        if not isinstance(other, Polynomial):
            return NotImplemented
        if not len(other):
            return self
        if not len(self):
            return other
        if self._terms and other._terms and len(self) + len(other) <= _FEW:
            # Not worth the way to FLINT and back.
            total = dict(self._terms)
            for powers, coefficient in other._terms:
                total[powers] = total.get(powers, _ZERO) + coefficient
            return Polynomial._of_terms(_ordered_terms([t for t in total.items() if t[1]]))
        return Polynomial._of_dense(self._as_dense().plus(other._as_dense()))

    def __mul__(self, other: Polynomial | Fraction | int) -> Polynomial:
        if isinstance(other, Rational) and not isinstance(other, bool):
            if not other:
                return Polynomial()
            return Polynomial._of_dense(self._as_dense().scaled(other)) if len(self) else self
        if not isinstance(other, Polynomial):
            return NotImplemented  # a float is not exact
        if not len(self) or not len(other):
            return Polynomial()
        return Polynomial._of_dense(self._as_dense().times(other._as_dense()))

    __rmul__ = __mul__

    def __neg__(self) -> Polynomial:
        return self * -1

    def __sub__(self, other: Polynomial) -> Polynomial:
        if not isinstance(other, Polynomial):
            return NotImplemented
        return self + -other

    def evaluate(self, **values: Fraction | float) -> Fraction | float:
        """The value at given values of all symbols, exact if they are.

        Raises
        ------
        InvalidInputError
            If a symbol has no value, a value is no number, or the result is out of range.
        """
        missing = [name for name in self.symbols if name not in values]
        if missing:
            raise InvalidInputError(
                f"polynomial: no value for {', '.join(missing)}; give one for each of "
                f"{', '.join(self.symbols)}"
            )
        for name, value in values.items():
            if not isinstance(value, Complex):
                raise InvalidInputError(f"polynomial: {name} is {shown(value)}; give a number")
        exact = {name: Fraction(v) if isinstance(v, int) else v for name, v in values.items()}
        fractions = {name: value for name, value in exact.items() if type(value) is Fraction}
        if len(self) > _FEW and not exact.keys() - fractions.keys():
            found = self._as_dense().at(fractions)
            if found is not None:
                return found
        total: Fraction | float = Fraction(0)
        try:
            for powers, coefficient in self:
                product: Fraction | float = coefficient
                for name, power in powers:
                    product *= exact[name] ** power
                total += product
        except (OverflowError, ZeroDivisionError):
            raise InvalidInputError(
                "polynomial: at these values a term divides by zero or is larger than every "
                "floating point number; give others, or exact ones"
            ) from None
        return total

    # -- forms ---------------------------------------------------------------------------------

    def __str__(self) -> str:
        return _joined(
            [
                (coefficient, monomial_text(powers) if powers else "")
                for powers, coefficient in self
            ],
            str,
            "*",
        )

    def __repr__(self) -> str:
        return f"Polynomial.parse({str(self)!r})"

    def latex(self) -> str:
        """The polynomial in LaTeX, without dollar signs."""
        return _joined(
            [
                (coefficient, monomial_latex(powers) if powers else "")
                for powers, coefficient in self
            ],
            _fraction_latex,
            " ",
        )

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def to_sympy(self) -> sympy.Expr:
        """The same as a sympy expression in positive symbols of the same names."""
        import sympy

        return sympy.Add(
            *(
                sympy.Rational(c.numerator, c.denominator)
                * sympy.Mul(*(sympy.Symbol(n, positive=True) ** k for n, k in powers))
                for powers, c in self
            )
        )


def _no_terms(terms: object) -> InvalidInputError:
    return InvalidInputError(
        f"polynomial: is {shown(terms)}; give exact coefficients of monomials, such as "
        "{(('p', 2),): 1}"
    )


def _ordered(powers: Monomial) -> list[tuple[str, int]]:
    return sorted(powers, key=lambda item: symbol_order(item[0]))


def _ordered_terms(terms: list[tuple[Monomial, Fraction]]) -> Terms:
    """Ascending powers of variances, then descending powers of sizes in the order of symbols."""
    if len(terms) < 2:
        return tuple(terms)
    names = sorted({name for powers, _ in terms for name, _ in powers}, key=symbol_order)
    place = {name: number for number, name in enumerate(names)}
    variances = {name for name in names if name.startswith("sigma2")}

    def key(item: tuple[Monomial, Fraction]) -> tuple[int, list[tuple[int, int]]]:
        degree = sum([power for name, power in item[0] if name in variances])
        return degree, sorted([(place[name], -power) for name, power in item[0]])

    return tuple(sorted(terms, key=key))


def _context(names: tuple[str, ...]) -> flint.fmpq_mpoly_ctx:
    return generic_context(len(names))


@lru_cache(maxsize=1024)
def _union(
    first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[tuple[str, ...], _Places, _Places]:
    """All names, and the places of either's among them."""
    names = tuple(sorted({*first, *second}))
    place = {name: number for number, name in enumerate(names)}
    return (
        names,
        {number: place[name] for number, name in enumerate(first)},
        {number: place[name] for number, name in enumerate(second)},
    )


def _rational(value: Rational) -> flint.fmpq:
    return flint.fmpq(int(value.numerator), int(value.denominator))


@dataclass(frozen=True, slots=True)
class _Dense:
    """A polynomial of FLINT times a product of powers.

    Parameters
    ----------
    names : tuple of str
        Sorted; not all of them need occur.
    shift : tuple of int
        The power of each that is taken out, not positive.
    poly : flint.fmpq_mpoly
    """

    names: tuple[str, ...]
    shift: tuple[int, ...]
    poly: flint.fmpq_mpoly

    @classmethod
    def of(cls, terms: Terms) -> _Dense:
        lowest: dict[str, int] = {}
        for powers, _ in terms:
            for name, power in powers:
                if power < lowest.setdefault(name, 0):
                    lowest[name] = power
        names = tuple(sorted(lowest))
        shift = tuple([lowest[name] for name in names])
        origin = dict(zip(names, [-power for power in shift], strict=True))
        table = {}
        for powers, coefficient in terms:
            exponents = origin.copy()
            for name, power in powers:
                exponents[name] += power
            # A polynomial without symbols has one all the same.
            table[tuple(exponents.values()) or (0,)] = _rational(coefficient)
        return cls(names, shift, _context(names).from_dict(table))

    def terms(self) -> Terms:
        names, shift = self.names, self.shift
        shifted = any(shift)
        found = []
        for exponents, coefficient in zip(self.poly.monoms(), self.poly.coeffs(), strict=True):
            powers = [int(power) for power in exponents]
            if shifted:
                powers = [a + b for a, b in zip(powers, shift, strict=True)]
            # Names are sorted, as they are in a monomial.
            key = tuple([pair for pair in zip(names, powers, strict=False) if pair[1]])
            found.append((key, as_fraction(coefficient)))
        return _ordered_terms(found)

    def equals(self, other: _Dense) -> bool | None:
        """Whether they are equal, None if they are not written alike."""
        if self.names != other.names or self.shift != other.shift:
            return None
        return bool(self.poly == other.poly)

    def _beside(self, other: _Dense) -> tuple[_Dense, _Dense]:
        """Both with the same names."""
        if self.names == other.names:
            return self, other
        names, first, second = _union(self.names, other.names)
        return self._with(names, first), other._with(names, second)

    def _with(self, names: tuple[str, ...], places: _Places) -> _Dense:
        if self.names == names:
            return self
        shift = [0] * len(names)
        for name, power in zip(self.names, self.shift, strict=True):
            shift[names.index(name)] = power
        context = _context(names)
        if self.names:
            poly = self.poly.project_to_context(context, places)
        else:
            poly = context.constant(self.poly.leading_coefficient())
        return _Dense(names, tuple(shift), poly)

    def plus(self, other: _Dense) -> _Dense:
        one, two = self._beside(other)
        if one.shift == two.shift:
            return _Dense(one.names, one.shift, one.poly + two.poly)
        shift = tuple(map(min, one.shift, two.shift))
        return _Dense(one.names, shift, one._lifted(shift) + two._lifted(shift))

    def _lifted(self, shift: tuple[int, ...]) -> flint.fmpq_mpoly:
        """The polynomial for another power taken out."""
        raised = tuple([a - b for a, b in zip(self.shift, shift, strict=True)])
        if not any(raised):
            return self.poly
        return self.poly * _context(self.names).from_dict({raised: 1})

    def times(self, other: _Dense) -> _Dense:
        one, two = self._beside(other)
        shift = tuple([a + b for a, b in zip(one.shift, two.shift, strict=True)])
        return _Dense(one.names, shift, one.poly * two.poly)

    def scaled(self, factor: Rational) -> _Dense:
        return _Dense(self.names, self.shift, self.poly * _rational(factor))

    def at(self, values: Mapping[str, Fraction]) -> Fraction | None:
        """The value; None if a symbol of which a power is taken out is zero or has no value."""
        numbers = [values.get(name, _ZERO) for name in self.names]
        exact = [_rational(value) for value in numbers] or [flint.fmpq(0)]
        result = self.poly(*exact)
        for number, power in zip(numbers, self.shift, strict=True):
            if power and not number:
                return None
        factor = flint.fmpq(1)
        for value, power in zip(exact, self.shift, strict=False):
            if power:
                factor *= value**power
        return as_fraction(result * factor)


def _fraction_latex(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"


def _joined(
    terms: list[tuple[Fraction, str]], number: Callable[[Fraction], str], times: str
) -> str:
    """A sum with its signs between the terms."""
    if not terms:
        return "0"
    parts = []
    for index, (coefficient, product) in enumerate(terms):
        size = abs(coefficient)
        if not product:
            body = number(size)
        elif size == 1:
            body = product
        else:
            body = f"{number(size)}{times}{product}"
        sign = "-" if coefficient < 0 else "+"
        if index:
            parts.append(f" {sign} {body}")
        else:
            parts.append(f"-{body}" if coefficient < 0 else body)
    return "".join(parts)
