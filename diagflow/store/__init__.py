"""Coefficients kept between runs, in one SQLite file."""

from diagflow.store.location import SIZE_VARIABLE, STORE_VARIABLE, expanded, store_bytes, store_path
from diagflow.store.sqlite_store import MOST_BYTES, Contents, SQLiteStore

__all__ = [
    "MOST_BYTES",
    "SIZE_VARIABLE",
    "STORE_VARIABLE",
    "Contents",
    "SQLiteStore",
    "expanded",
    "store_bytes",
    "store_path",
]
