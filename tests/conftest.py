"""Fixtures: settings in a folder of the test's own, the app on a migrated database, a feed."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.db.migrate import migrate_database
from sportsapp.factory import create_app
from sportsapp.feed.client import FeedClient, RetryPolicy
from sportsapp.queue.huey import QUEUES
from tests.databases import PostgresServer, postgres_server
from tests.loopback import LoopbackFeed, serving
from tests.once import compile_once, hash_cheaply
from tests.panel import PanelVisitor, signed_in

os.environ["FLASK_SKIP_DOTENV"] = "1"  # a developer's own .env changes no test
compile_once()
hash_cheaply()
RECORDED = PROJECT_ROOT.parent / "shared" / "espn"
MakeDatabase = Callable[..., AbstractContextManager[str]]
NO_BROKER = "redis://127.0.0.1:1/0"
QUICK = RetryPolicy(connect=2, read=2, deadline=3, retries=1, first_wait=0.01, longest_wait=0.05)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--database postgresql`` runs every test that has a database on a real PostgreSQL."""
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--database postgresql``: select the tests with a database, skip those about SQLite.

    Tests with the fixture ``postgres`` are left out: they run on PostgreSQL in every run.
    """
    if config.getoption("--database") == "postgresql":
        again = {
            item
            for item in items
            if "make_database" in item.fixturenames and "postgres" not in item.fixturenames
        }
        config.hook.pytest_deselected(items=[item for item in items if item not in again])
        items[:] = [item for item in items if item in again]
        for item in items:
            if mark := item.get_closest_marker("only_sqlite"):
                item.add_marker(pytest.mark.skip(reason=f"only about SQLite: {mark.args[0]}"))


def pytest_collection_finish() -> None:
    """The garbage collector leaves alone what is there to stay, and looks at the rest less often.

    It took a third of the time, for apps of which each leaves thousands of objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture
def recorded() -> Path:
    """The folder of recorded real answers; tests that need it skip without it."""
    if not RECORDED.is_dir():
        pytest.skip(f"no recorded answers at {RECORDED.name}/ beside the project")
    return RECORDED


@pytest.fixture
def cases() -> Path:
    """The folder of made-up answers of the feed; tests that need it skip without it."""
    folder = RECORDED.parent / "cases"
    if not folder.is_dir():
        pytest.skip("no made-up answers beside the project")
    return folder


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database with all migrations, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    app = create_app(Settings(instance_path=folder, redis_url=NO_BROKER))
    with app.app_context():
        migrate_database()
        db.engine.dispose()
    return folder / "tracker.db"


@pytest.fixture
def feed() -> Iterator[LoopbackFeed]:
    """A feed on loopback that answers with what the test sets."""
    feed = LoopbackFeed()
    with serving(feed) as url:
        feed.url = url
        yield feed


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A real PostgreSQL server."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def make_database(request: pytest.FixtureRequest) -> MakeDatabase:
    """Makes an empty database for an instance folder, with all tables or none; its DATABASE_URL.

    It is a file in the folder, or a database on PostgreSQL.
    """

    @contextmanager
    def on_sqlite(folder: Path, tables: bool = True) -> Iterator[str]:
        if tables:
            shutil.copy(request.getfixturevalue("migrated_file"), folder / "tracker.db")
        yield ""

    @contextmanager
    def on_postgresql(_folder: Path, tables: bool = True) -> Iterator[str]:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.reused_database() if tables else server.empty_database() as url:
            yield url

    is_sqlite = request.config.getoption("--database") == "sqlite"
    return on_sqlite if is_sqlite else on_postgresql


@pytest.fixture
def database_url(instance: Path, make_database: MakeDatabase) -> Iterator[str]:
    """The DATABASE_URL of the instance folder."""
    with make_database(instance) as url:
        yield url


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """The instance folder."""
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def settings(instance: Path, feed: LoopbackFeed, database_url: str) -> Settings:
    """Settings with a database in place, the loopback feed and no broker; a tick reads once."""
    return Settings(
        live_read_seconds=60,
        instance_path=instance,
        database_url=database_url,
        espn_base_url=feed.url,
        redis_url=NO_BROKER,
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The app, inside its context, with a feed client that has short time-outs."""
    client = FeedClient(settings.espn_base_url, settings.user_agent, retry_policy=QUICK)
    app = create_app(settings, client)
    app.testing = True
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    client.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Flask's test client."""
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Flask's test runner for commands."""
    return app.test_cli_runner()


@pytest.fixture
def immediate(app: Flask) -> Iterator[None]:
    """Tasks run at once in this process, as Huey's immediate mode does."""
    for queue in QUEUES:
        queue.immediate = True
    yield
    for queue in QUEUES:
        queue.immediate = False


@pytest.fixture
def offline(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queues keep messages in memory and run nothing; the test takes the worker's place."""
    for queue in QUEUES:
        storage = queue.get_immediate_storage()
        storage.conn = SimpleNamespace(info=dict)  # a broker that says nothing of itself
        monkeypatch.setattr(queue, "storage", storage)
        monkeypatch.setattr(queue, "reader", storage)


@pytest.fixture
def panel(app: Flask, offline: None) -> PanelVisitor:
    """The panel with an admin signed in, and queues in memory."""
    return signed_in(app)
