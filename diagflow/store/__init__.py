"""Coefficients kept between runs, in one SQLite file."""

from diagflow.store.place import STORE_VARIABLE, expanded, store_path
from diagflow.store.sqlite_store import Contents, SQLiteStore

__all__ = ["STORE_VARIABLE", "Contents", "SQLiteStore", "expanded", "store_path"]
