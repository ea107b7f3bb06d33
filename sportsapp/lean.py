"""Keeps out of memory what Huey imports and this program does not use. To be imported first.

Huey imports psycopg, where it is installed, for a storage that we do not use: 8 MB, shared by all
that `flask up` forks. SQLAlchemy imports it again for a database that is on PostgreSQL. A consumer
that is started by itself has imported Huey before it comes here, and keeps it.
"""

import sys

if "psycopg" not in sys.modules and "huey" not in sys.modules:
    sys.modules["psycopg"] = None  # type: ignore[assignment]  # to an import, it is not installed
    import huey.storage  # noqa: F401

    del sys.modules["psycopg"]
