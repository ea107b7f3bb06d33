"""What each player did in each game: the box scores' lines, as a player's page reads them."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from sportsapp.db.types import Base, Json


class StatTable(Base):
    """A table of players as a league's box scores have it: its name, and its columns' labels.

    ``keys`` are the feed's names of the columns. A table whose columns change is another row.
    """

    __tablename__ = "stat_tables"

    id: Mapped[int] = mapped_column(primary_key=True)
    league_id: Mapped[int] = mapped_column(ForeignKey("leagues.id"), index=True)
    name: Mapped[str]
    labels: Mapped[list[str]] = mapped_column(Json)
    keys: Mapped[list[str]] = mapped_column(Json)


class PlayerLine(Base):
    """A player's line in a table of a game's box score; replaced whenever its summary is.

    ``espn_id`` is the player's, ``side`` "home" or "away"; ``jersey``, ``position`` and ``note``
    are those of the game, ``stats`` go by the table's labels. It repeats what ``SummaryRow`` holds:
    a season's lines would be a hundred documents to decode.
    """

    __tablename__ = "player_lines"
    __table_args__ = (Index("ix_player_lines_espn_id", "espn_id", "game_id"),)

    game_id: Mapped[int] = mapped_column(ForeignKey("games.id"), primary_key=True)
    espn_id: Mapped[str] = mapped_column(primary_key=True)
    table_id: Mapped[int] = mapped_column(ForeignKey("stat_tables.id"), primary_key=True)
    side: Mapped[str]
    name: Mapped[str]
    jersey: Mapped[str]
    position: Mapped[str]
    note: Mapped[str]
    stats: Mapped[list[str]] = mapped_column(Json)
