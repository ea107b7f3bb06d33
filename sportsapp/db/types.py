"""What the models are made of: their base class, and column types that both databases share."""

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import JSON, DateTime, MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

CONSTRAINT_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all models. Every constraint gets a name, so that a migration can refer to it.

    ``Model.__table__`` is the table for statements of SQLAlchemy Core.
    """

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    __table__: ClassVar[Table]  # SQLAlchemy declares any FromClause; each of our models has a table


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, on SQLite too, which stores no time zones.

    Raises ValueError (as a StatementError) for a datetime without a time zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True), "postgresql"
)  # JSONB can be compared and indexed; SQLite stores text
OrderedJson = JSON(none_as_null=True)  # keeps the order of keys, which JSONB does not
