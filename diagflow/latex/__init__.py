r"""LaTeX of every kind of value: the function `diagflow.latex.dispatch.latex` goes by type.

`polynomials`, `equations` and `solutions` typeset one kind of value each, `lines` breaks long
formulas, `prose` and `numbers` write words and numbers. Import `dispatch`; the commands, reports
and notebooks use it.

>>> from diagflow.latex.dispatch import latex
>>> from expansion.polynomial import Polynomial
>>> print(latex(Polynomial.parse("1/2*p - p*H*sigma2")))
\frac{1}{2} p - p H \sigma^{2}
"""
