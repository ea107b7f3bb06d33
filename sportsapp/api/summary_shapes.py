"""A game's stored summary as the API returns it. The docstrings are the document's descriptions."""

import msgspec

from sportsapp.api.cursors import PlaysCursor, count_before, cursor_of_play
from sportsapp.api.shapes import UtcTime
from sportsapp.core.clock import iso_utc
from sportsapp.core.summary import PlayGroupRecord, PlayRecord, TeamBoxRecord
from sportsapp.core.summary_faults import summary_faults
from sportsapp.db.queries import StoredSummary


class FigureJson(msgspec.Struct):
    """A figure of a team by the feed's name and label; `group` is empty where it has no groups."""

    group: str
    name: str
    label: str
    value: str


class PlayerLineJson(msgspec.Struct):
    """A player's figures, which go by the table's `labels` and may be fewer or none.

    `note` is why he did not play, or what was decided with him.
    """

    espn_id: str
    name: str
    jersey: str
    position: str
    starter: bool
    note: str
    stats: list[str]


class PlayerTableJson(msgspec.Struct):
    """A table of players in the feed's order. `name` is empty for a team's only table."""

    name: str
    labels: list[str]
    keys: list[str]
    players: list[PlayerLineJson]
    totals: list[str]


class TeamBoxJson(msgspec.Struct):
    """A team's part of the box score. `side` is `home` or `away`, null where the feed has none."""

    side: str | None
    espn_id: str
    stats: list[FigureJson]
    tables: list[PlayerTableJson]


class BoxScore(msgspec.Struct):
    """A game's box score, away first, as the feed had it at `read_at`; while live it is of then.

    `completed` says whether the game was over. `faults` are sentences, one for each thing that does
    not add up; without any the list is empty.
    """

    league: str
    espn_id: str
    read_at: UtcTime
    completed: bool
    faults: list[str]
    teams: list[TeamBoxJson]


class PlayJson(msgspec.Struct):
    """A play, in baseball an at-bat with its `pitches`.

    `group` is the feed's title of its drive, half inning, quarter or period. The scores are those
    after the play, null where the feed has none. `players` are the ids of those involved.
    """

    espn_id: str
    group: str
    period: int
    clock: str
    kind: str
    text: str
    side: str | None
    away_score: int | None
    home_score: int | None
    scoring: bool
    players: list[str]
    pitches: list[str]


class Plays(msgspec.Struct):
    """Plays in order. `next` is the `cursor` for those that follow, or null.

    `read_at` is when the feed was asked. While a game is live plays are added, and some taken back:
    `next` names the last play here, so that this moves nothing; if that one is taken back, the
    plays that follow begin with what stands in its place.
    """

    league: str
    espn_id: str
    read_at: UtcTime
    completed: bool
    plays: list[PlayJson]
    next: str | None


def box_json(league: str, espn_id: str, stored: StoredSummary, most: int | None = None) -> BoxScore:
    """The box score as the API returns it; ``most`` shortens its lists to so many rows."""
    summary, read_at = stored
    teams = [_team_json(box, most) for box in summary.box[:most]]
    faults = summary_faults(summary)
    return BoxScore(league, espn_id, iso_utc(read_at), summary.is_completed, faults, teams)


def plays_json(
    league: str, espn_id: str, stored: StoredSummary, cursor: PlaysCursor | None, limit: int
) -> Plays:
    """At most ``limit`` plays, those that follow the cursor; without one from the first on."""
    summary, read_at = stored
    groups = [group for group in summary.groups for _ in group.plays]
    plays = [play for group in summary.groups for play in group.plays]
    first = count_before(plays, cursor) if cursor else 0
    last = first + limit
    return Plays(
        league,
        espn_id,
        iso_utc(read_at),
        summary.is_completed,
        [_play_json(*row) for row in zip(groups[first:last], plays[first:last], strict=True)],
        cursor_of_play(plays, last) if last < len(plays) else None,
    )


def _team_json(box: TeamBoxRecord, most: int | None) -> TeamBoxJson:
    return TeamBoxJson(
        box.side or None,
        box.team_id,
        [FigureJson(stat.group, stat.name, stat.label, stat.value) for stat in box.stats[:most]],
        [
            PlayerTableJson(
                table.name,
                list(table.labels),
                list(table.keys),
                [
                    PlayerLineJson(
                        espn_id=line.espn_id,
                        name=line.name,
                        jersey=line.jersey,
                        position=line.position,
                        starter=line.is_starter,
                        note=line.note,
                        stats=list(line.stats),
                    )
                    for line in table.players[:most]
                ],
                list(table.totals),
            )
            for table in box.tables[:most]
        ],
    )


def _play_json(group: PlayGroupRecord, play: PlayRecord) -> PlayJson:
    return PlayJson(
        espn_id=play.espn_id,
        group=group.title,
        period=play.period,
        clock=play.clock,
        kind=play.kind,
        text=play.text,
        side=play.side or None,
        away_score=play.away_score,
        home_score=play.home_score,
        scoring=play.is_scoring,
        players=list(play.players),
        pitches=list(play.pitches),
    )
