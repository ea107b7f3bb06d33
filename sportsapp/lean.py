"""Keeps out of memory what libraries import and this program does not use. To be imported first.

What is loaded is in the memory of all that `flask up` forks. Huey imports psycopg, where it is
installed, for a storage that we do not use: 8 MB. SQLAlchemy imports it again for a database that
is on PostgreSQL. A consumer that is started by itself has imported Huey before it comes here, and
keeps it. What counts visitors imports a second client of Redis: see limits.py.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_out(module: str) -> Iterator[None]:
    """To an import in here, this module is not installed, unless it is loaded already."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


if "huey" not in sys.modules:
    with left_out("psycopg"):
        import huey.storage  # noqa: F401
