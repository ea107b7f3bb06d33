"""Keeps out of memory what Huey imports and this program does not use. To be imported first.

Huey imports psycopg, where it is installed, for a storage that we do not use: 8 MB in every
process. SQLAlchemy imports it again for a database that is on PostgreSQL.
"""

import sys

if "psycopg" not in sys.modules and "huey" not in sys.modules:
    sys.modules["psycopg"] = None  # type: ignore[assignment]  # to an import, it is not installed
    import huey.storage  # noqa: F401

    del sys.modules["psycopg"]
