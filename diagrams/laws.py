r"""Laws: what the entries of a random tensor are drawn from, by their cumulants.

The entries are independent and of one law. Its *cumulants* κ_1, κ_2, ... are the coefficients of
log E exp(xu) = Σ κ_k x^k / k!, and the mean of a product of entries is

    E[Π u_e]  =  sum over the set partitions of the factors  of  Π κ_|block| ,

where the indices of all factors of a block agree. κ_1 is the mean and κ_2 the variance; a Gaussian
law has no others. With variance v:

- ``gaussian``: κ_2 = v;
- ``rademacher``: ±√v with probability 1/2 each; κ_4 = -2 v², κ_6 = 16 v³, ...;
- ``uniform``: between -√(3v) and √(3v); κ_4 = -(6/5) v², κ_6 = (48/7) v³, ...;
- ``bernoulli``: one with probability q, else zero; κ_1 = q, κ_(k+1) = q (1 - q) dκ_k/dq;
- ``cumulants``: those that are given, all others zero.

The first three may have a *mean* added. A law is *even* if all cumulants of odd order vanish.

Contraction does not look into a law: the text of a `Law.symbol` stands for each cumulant, and
`evaluated` puts the polynomials in afterwards, once for a whole expectation.

>>> law = Law.of("rademacher", variance="sigma2")
>>> str(law), law.cumulant(4), law.is_even
('rademacher(sigma2)', {(('sigma2', 2),): Fraction(-2, 1)}, True)
>>> evaluated({((law.symbol(4), 1), ("p", 1)): Fraction(1)})
{(('p', 1), ('sigma2', 2)): Fraction(-2, 1)}

Source: the formula of moments by cumulants is classical, see T. N. Thiele 1889 and P. McCullagh,
"Tensor Methods in Statistics", 1987; its use for diagrams is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import comb

from diagrams import index_powers
from diagrams.arguments import shown
from diagrams.errors import InvalidInputError
from diagrams.variances import Powers, Variance

__all__ = [
    "CUMULANTS",
    "LAWS",
    "MAXIMAL_ORDER",
    "Law",
    "Values",
    "bernoulli_powers",
    "evaluated",
    "standard_cumulant",
]

LAWS = ("gaussian", "rademacher", "uniform", "bernoulli")
"""The laws that have a name."""

CUMULANTS = "cumulants"
"""The name of a law that is given by its cumulants."""

MAXIMAL_ORDER = 24
"""Highest order of a cumulant that may be given."""

Values = dict[Powers, Fraction]
"""A polynomial in the symbols of a law."""

_LAW = re.compile(r"(\w+)\(([^()]*(?:\([^()]*\)[^()]*)*)\)", re.ASCII)


@dataclass(frozen=True)
class Law:
    """The law of independent entries; `of` checks and brings to the canonical form.

    Parameters
    ----------
    name : str
        One of `LAWS`, or `CUMULANTS`.
    variance : str, default ""
        κ_2 of the first three laws, as `diagrams.variances.Variance` writes it.
    mean : str, default ""
        What is added to their entries, likewise, or with a minus in front; empty for nothing.
    probability : str, default ""
        q of a Bernoulli law.
    cumulants : tuple of (int, str)
        Order and value of those that are given.
    """

    name: str = "gaussian"
    variance: str = ""
    mean: str = ""
    probability: str = ""
    cumulants: tuple[tuple[int, str], ...] = ()

    @classmethod
    def of(
        cls,
        name: object = "gaussian",
        *,
        variance: object = "",
        mean: object = "",
        probability: object = "",
        cumulants: object = (),
    ) -> Law:
        """A law from what stands in a problem file or in a program.

        Raises
        ------
        InvalidInputError
            If there is no such law, or it lacks what it needs or has what it does not know.

        Examples
        --------
        >>> str(Law.of("bernoulli", probability="1/2")), str(Law.of(variance="2*sigma2"))
        ('bernoulli(1/2)', '2*sigma2')
        >>> str(Law.of(cumulants={2: "sigma2", 4: "k4"}, mean="mu"))
        'cumulants(1=mu,2=sigma2,4=k4)'
        """
        given = _given(cumulants)
        if given and name in ("gaussian", CUMULANTS):
            return _by_cumulants(given, variance, mean, probability)
        if name not in LAWS:
            raise InvalidInputError(
                f"law {shown(name)}: is not known; give one of {', '.join(LAWS)}, or cumulants"
            )
        if given:
            raise InvalidInputError(
                f"law {name}: has its own cumulants; leave out the cumulants or the law"
            )
        if name == "bernoulli":
            return _bernoulli(variance, mean, probability)
        if probability != "":
            raise InvalidInputError(
                f"law {name}: has no probability; leave it out or use the law bernoulli"
            )
        if variance == "":
            raise InvalidInputError(
                f"law {name}: needs a variance; give a symbol such as 'sigma2', or a product"
            )
        return cls(str(name), str(Variance.of(variance)), _signed_text(mean, "mean"))

    @classmethod
    def parse(cls, text: str) -> Law:
        """The law that ``str`` wrote.

        Raises
        ------
        InvalidInputError
            If it did not write it.

        Examples
        --------
        >>> Law.parse("uniform(sigma2,mean=-mu)").mean
        '-mu'
        """
        return _parsed(text)

    def __str__(self) -> str:
        if self.name == CUMULANTS:
            return f"{self.name}({','.join(f'{k}={value}' for k, value in self.cumulants)})"
        if self.name == "bernoulli":
            return f"{self.name}({self.probability})"
        if self.is_wick:
            return self.variance
        return f"{self.name}({self.variance}{f',mean={self.mean}' if self.mean else ''})"

    @property
    def is_wick(self) -> bool:
        """Whether it is Gaussian of mean zero: all blocks are pairs."""
        return self.name == "gaussian" and not self.mean

    @property
    def is_sign(self) -> bool:
        """Whether the square of an entry is a number."""
        return self.name == "rademacher" and not self.mean

    @property
    def is_even(self) -> bool:
        """Whether all cumulants of odd order vanish."""
        if self.name == CUMULANTS:
            return all(k % 2 == 0 for k, _ in self.cumulants)
        return self.name != "bernoulli" and not self.mean

    def sizes(self, most: int) -> tuple[int, ...]:
        """The orders, at most so large, of the cumulants that do not vanish.

        Examples
        --------
        >>> Law.of("uniform", variance=1).sizes(7), Law.of("bernoulli", probability="q").sizes(3)
        ((2, 4, 6), (1, 2, 3))
        """
        return _sizes(self, most)

    def may_occur(self, k: int) -> bool:
        """Whether κ_k is not zero."""
        if self.name == CUMULANTS:
            return any(k == order for order, _ in self.cumulants)
        if self.name == "bernoulli":
            return bool(self.cumulant(k))
        if k < 3:
            return k == 2 or bool(self.mean)
        return self.name != "gaussian" and k % 2 == 0

    def symbol(self, k: int) -> str:
        """The text that stands for κ_k in an expectation; no name can be it."""
        return self.variance if self.is_wick and k == 2 else f"{k}@{self}"

    def cumulant(self, k: int) -> Values:
        """κ_k, a polynomial in the symbols of the law.

        Examples
        --------
        >>> Law.of("uniform", variance="sigma2").cumulant(4)
        {(('sigma2', 2),): Fraction(-6, 5)}
        >>> Law.of("bernoulli", probability="q").cumulant(2)
        {(('q', 1),): Fraction(1, 1), (('q', 2),): Fraction(-1, 1)}
        """
        if self.name == CUMULANTS:
            return _values(dict(self.cumulants).get(k, ""))
        if self.name == "bernoulli":
            return _added(
                _power(_values(self.probability), power, c) for power, c in bernoulli_powers(k)
            )
        if k == 1:
            return _values(self.mean)
        number = standard_cumulant(self.name, k)
        return _power(_values(self.variance), k // 2, number) if number else {}

    def moment(self, k: int) -> Values:
        """E u^k, a polynomial in the symbols of the law.

        Examples
        --------
        >>> Law.of(variance="sigma2", mean="mu").moment(2)
        {(('mu', 2),): Fraction(1, 1), (('sigma2', 1),): Fraction(1, 1)}
        """
        known: list[Values] = [{(): Fraction(1)}]
        for n in range(1, k + 1):
            known.append(
                _added(
                    _product(self.cumulant(j), known[n - j], Fraction(comb(n - 1, j - 1)))
                    for j in range(1, n + 1)
                )
            )
        return known[k]

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in it, sorted."""
        texts = (self.variance, self.mean, self.probability, *(v for _, v in self.cumulants))
        found = {name for text in texts for powers in _values(text) for name, _ in powers}
        return tuple(sorted(found))

    def with_numbers(self, numbers: Mapping[str, int]) -> Law:
        """The same with positive integers for some symbols."""
        return Law(
            self.name,
            _numbered(self.variance, numbers),
            _numbered(self.mean, numbers),
            _numbered(self.probability, numbers),
            tuple((k, _numbered(value, numbers)) for k, value in self.cumulants),
        )


def evaluated(moments: Mapping[Powers, Fraction]) -> Values:
    """An expectation with texts of variances, cumulants and sums replaced by what they stand for.

    Parameters
    ----------
    moments : mapping from monomials to coefficients
        In names of sizes, texts of variances, and symbols of cumulants.

    Returns
    -------
    dict
        In names alone, sorted; the same where all variances are symbols.

    Examples
    --------
    >>> evaluated({(("2/(3*p)", 2), ("p", 3)): Fraction(9)})
    {(('p', 1),): Fraction(4, 1)}
    """
    names = {name for powers in moments for name, _ in powers}
    compound = {name for name in names if not name.isidentifier()}
    if not compound:
        return dict(moments)
    total: Values = {}
    powered: dict[tuple[str, int], Values] = {}
    for monomial, coefficient in moments.items():
        plain = tuple((name, power) for name, power in monomial if name not in compound)
        result: Values = {plain: coefficient}
        for name, power in monomial:
            if name in compound:
                if (name, power) not in powered:
                    powered[name, power] = _power(_meant(name), power)
                result = _product(result, powered[name, power])
        for powers, value in result.items():
            total[powers] = total.get(powers, Fraction(0)) + value
    return {powers: total[powers] for powers in sorted(total) if total[powers]}


def _meant(symbol: str) -> Values:
    indices = index_powers.read(symbol)
    if indices is not None:
        return dict(index_powers.power_sum(*indices))
    order, at, text = symbol.partition("@")
    return Law.parse(text).cumulant(int(order)) if at else _values(symbol)


# -- reading ---------------------------------------------------------------------------------------


def _by_cumulants(
    given: dict[int, str], variance: object, mean: object, probability: object
) -> Law:
    if variance != "" or probability != "":
        raise InvalidInputError(
            "law of given cumulants: has no variance or probability besides; write the variance "
            'as cumulant 2, as cumulants = { 2 = "sigma2" }'
        )
    shift = _signed_text(mean, "mean")
    if shift and 1 in given:
        raise InvalidInputError(
            "law of given cumulants: cumulant 1 is the mean; give one of the two"
        )
    if shift:
        given = {1: shift, **given}
    found = tuple((k, given[k]) for k in sorted(given) if given[k])
    if not found:
        raise InvalidInputError(
            "law of given cumulants: all vanish; give at least one, such as 2 for the variance"
        )
    if given.get(2, "").startswith("-"):
        raise InvalidInputError(
            f"cumulant 2 is {given[2]}: a variance is not negative; give a positive one"
        )
    if {k for k, _ in found} == {2}:
        return Law(variance=found[0][1])
    return Law(CUMULANTS, cumulants=found)


def _bernoulli(variance: object, mean: object, probability: object) -> Law:
    if variance != "" or mean != "":
        raise InvalidInputError(
            "law bernoulli: has a probability and neither variance nor mean; leave them out"
        )
    if probability == "":
        raise InvalidInputError(
            "law bernoulli: needs a probability; give a symbol such as 'q', or a number up to 1"
        )
    found = Variance.of(probability)
    if not found.powers and found.coefficient > 1:
        raise InvalidInputError(
            f"law bernoulli: the probability {found} is larger than one; give at most 1"
        )
    return Law("bernoulli", probability=str(found))


def _given(cumulants: object) -> dict[int, str]:
    """Cumulants by order, in their canonical form; zeros are empty."""
    if isinstance(cumulants, Mapping):
        pairs = [*cumulants.items()]
    else:
        try:
            pairs = [(order, value) for order, value in cumulants]  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            raise InvalidInputError(
                f"cumulants: is {shown(cumulants)}; give values by order, as "
                "{ 2 = 'sigma2', 4 = 'k4' }"
            ) from None
    result: dict[int, str] = {}
    for order, value in pairs:
        number = int(order) if isinstance(order, str) and order.isdecimal() else order
        whole = isinstance(number, int) and not isinstance(number, bool)
        if not whole or not 1 <= number <= MAXIMAL_ORDER:
            raise InvalidInputError(
                f"cumulant {shown(order)}: is no order between 1 and {MAXIMAL_ORDER}; number the "
                "cumulants, the variance is 2"
            )
        if number in result:
            raise InvalidInputError(f"cumulant {number}: is given twice; leave out one of the two")
        result[number] = _signed_text(value, f"cumulant {number}")
    return result


def _signed_text(value: object, title: str) -> str:
    """A monomial of any sign in its canonical form, empty if it is zero or nothing is given."""
    if value == "" or (value == 0 and not isinstance(value, bool)):
        return ""
    sign = ""
    rest: object = value
    if isinstance(value, str) and value.strip().startswith("-"):
        sign, rest = "-", value.strip()[1:]
    elif isinstance(value, int | Fraction) and not isinstance(value, bool) and value < 0:
        sign, rest = "-", -value
    if isinstance(rest, str) and rest.strip() == "0":
        return ""
    try:
        return sign + str(Variance.of(rest))
    except InvalidInputError as error:
        raise InvalidInputError(f"{title}, {error}") from None


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Law:
    match = _LAW.fullmatch(text)
    if match is None or match[1] not in (*LAWS, CUMULANTS):
        return Law.of(variance=text)
    name, inner = match[1], match[2].split(",")
    if name == CUMULANTS:
        pairs = [part.partition("=") for part in inner]
        return Law.of(cumulants=[(order, value) for order, _, value in pairs])
    if name == "bernoulli":
        return Law.of(name, probability=match[2])
    mean = "".join(part.removeprefix("mean=") for part in inner[1:])
    return Law.of(name, variance=inner[0], mean=mean)


def _numbered(text: str, numbers: Mapping[str, int]) -> str:
    sign = "-" if text.startswith("-") else ""
    rest = text.removeprefix("-")
    return sign + str(Variance.parse(rest).with_numbers(numbers)) if rest else ""


# -- polynomials -----------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _monomial(text: str) -> tuple[Powers, Fraction]:
    variance = Variance.parse(text.removeprefix("-"))
    return variance.powers, -variance.coefficient if text.startswith("-") else variance.coefficient


def _values(text: str) -> Values:
    """The polynomial of a signed monomial; none if the text is empty."""
    return dict([_monomial(text)]) if text else {}


def _product(first: Values, second: Values, factor: Fraction = Fraction(1)) -> Values:
    result: Values = {}
    for one, a in first.items():
        for other, b in second.items():
            powers = dict(one)
            for name, power in other:
                powers[name] = powers.get(name, 0) + power
            key = tuple(sorted((name, power) for name, power in powers.items() if power))
            result[key] = result.get(key, Fraction(0)) + a * b * factor
    return result


def _power(values: Values, power: int, factor: Fraction | int = 1) -> Values:
    result: Values = {(): Fraction(factor)}
    for _ in range(power):
        result = _product(result, values)
    return result


def _added(parts: Iterable[Values]) -> Values:
    total: Values = {}
    for part in parts:
        for powers, value in part.items():
            total[powers] = total.get(powers, Fraction(0)) + value
    return {powers: total[powers] for powers in sorted(total) if total[powers]}


@lru_cache(maxsize=4096)
def _sizes(law: Law, most: int) -> tuple[int, ...]:
    return tuple(k for k in range(1, most + 1) if law.may_occur(k))


# -- cumulants -------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def standard_cumulant(name: str, k: int) -> Fraction:
    """κ_k of the law of variance one and mean zero."""
    if k % 2 or (name == "gaussian" and k != 2):
        return Fraction(0)
    # κ_n = m_n - sum over j < n of C(n-1, j-1) κ_j m_(n-j)
    smaller = sum(
        comb(k - 1, j - 1) * standard_cumulant(name, j) * _standard_moment(name, k - j)
        for j in range(2, k, 2)
    )
    return _standard_moment(name, k) - smaller


def _standard_moment(name: str, k: int) -> Fraction:
    """E u^k, k even, of the law of variance one and mean zero."""
    if name == "uniform":
        return Fraction(3 ** (k // 2), k + 1)
    # The others: ±1, and of a Gaussian nothing but the variance is asked for.
    return Fraction(1)


@lru_cache(maxsize=256)
def bernoulli_powers(k: int) -> tuple[tuple[int, int], ...]:
    """κ_k by powers of q, without zeros."""
    if k == 1:
        return ((1, 1),)
    result: dict[int, int] = {}
    for power, c in bernoulli_powers(k - 1):
        result[power] = result.get(power, 0) + power * c
        result[power + 1] = result.get(power + 1, 0) - power * c
    return tuple((power, c) for power, c in sorted(result.items()) if c)
