"""The version of this program, in a module that imports nothing.

>>> VERSION.count(".")
2
"""

__all__ = ["VERSION"]

VERSION = "0.1.0"
