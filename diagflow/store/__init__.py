"""The cache of coefficients and of steps of long computations, in one SQLite file.

`location` finds the file, `sqlite_store` reads and writes it; every record is checksummed. Import
the names below; the commands and any `LossSeries` may use a store.
"""

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
