"""How Alembic finds the database and the models: through the running Flask app."""

from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

import sportsapp.db.models  # noqa: F401 - puts every table into the metadata
from sportsapp.db.engine import db
from sportsapp.db.types import UtcDateTime


def render_type(kind: str, item: Any, _context: Any) -> str | bool:
    """Write plain types into migrations, so that old ones never depend on our code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        return "JSON"
    return False


def run() -> None:
    """Migrate over a connection that holds SQLite's write lock from the beginning."""
    engine = db.engine.execution_options(writes=True)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_type,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
