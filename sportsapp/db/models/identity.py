"""Which database this is."""

from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column

from sportsapp.db.types import Base


class DatabaseIdentity(Base):
    """The one row, whose ``name`` no other database has but its copies and backups."""

    __tablename__ = "database_identity"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_demo: Mapped[bool] = mapped_column(server_default=false())
    """Whether it holds the demo feed's games, which are made up."""
