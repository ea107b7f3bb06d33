"""What the API returns, as structs. Answers are encoded from them and the OpenAPI document is
made from them, so that the two cannot differ. Their docstrings are the document's descriptions.

Times are ISO 8601 in UTC, days US Eastern dates.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sportsapp.core.clock import iso_utc
from sportsapp.core.leagues import League
from sportsapp.core.records import EventKind, State, Status
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.db.queries import AnyGame, ListedEvent, TeamNow

UtcTime = Annotated[str, Meta(description="UTC", extra_json_schema={"format": "date-time"})]
Day = Annotated[str, Meta(description="US Eastern date", extra_json_schema={"format": "date"})]
Color = Annotated[str, Meta(pattern="^[0-9a-f]{6}$")]


class SideJson(msgspec.Struct):
    """A team in one game. While it is not known which, `espn_id` is null and its names are "TBD".

    `score` is null before the start. `record` is the team's wins and losses as the feed gave them
    with the game, empty if the game was first read long after it. `rank` is its place among the 25
    ranked teams of a college league at the time of the game, else null. `linescores` are its points
    by period, null where it did not play. `winner` is null until the game is decided, and false for
    both sides of a draw; it decides where the score is level (penalties) or was not played for (a
    forfeit). `red_cards` counts those that the side has seen in soccer, also after the end; else it
    is 0.
    """

    espn_id: str | None
    abbreviation: str
    name: str
    score: int | None
    record: str
    rank: int | None
    linescores: list[int | None]
    winner: bool | None
    red_cards: int


class FeaturedJson(msgspec.Struct):
    """A player of note: `category` is "Probable pitcher", "Winning pitcher", "First star" or such.

    `side` is `home` or `away`, null where the feed has none. `value` is his record, or empty.
    """

    side: str | None
    category: str
    name: str
    value: str


class AboutJson(msgspec.Struct):
    """What the feed has of a game besides its score; texts are empty where it has none.

    `weather` is that of the game until its end, `headline` that of the recap after it. `players`
    are the probable starters, or once the game is over its pitchers, stars or goalies.
    """

    weather: str
    headline: str
    players: list[FeaturedJson]


class GameJson(msgspec.Struct):
    """One game. `time_set` is false while only the day is known; `start_at` is then a placeholder.

    `title` is the game in a few words: "Jets 20, Chiefs 24", or "Jets at Chiefs" before the start.
    `state` is the phase: to come (`pre`), live (`in`) or over (`post`). `status` is more precise;
    `detail` is the feed's own text for it. `period` is 0 before the start.
    `listed` is false once the feed lists the game no longer: moved to a day that is not known yet,
    or removed; `state` and `status` stay as they were. `missing_since` is since when the feed's
    answers lack a game that they should list, null while they have it.
    `note` is the feed's remark ("Wild Card Game"), `series` how a series or a tie over two games
    stands or was decided. `updated_at` moves when anything shown of the game has changed.
    `about` is in the answer about one game alone.
    """

    league: str
    espn_id: str
    title: str
    day: Day
    start_at: UtcTime
    time_set: bool
    state: State
    status: Status
    detail: str
    period: int
    clock: str
    home: SideJson
    away: SideJson
    venue: str
    broadcast: str
    listed: bool
    missing_since: UtcTime | None
    note: str
    series: str
    updated_at: UtcTime
    about: AboutJson | UnsetType = UNSET


class EventJson(msgspec.Struct):
    """One change in a game between two readings of the feed. `espn_id` is the game's id.

    `kind` is `start`, `score` (by how many `points` since the reading before), `lead` (the side is
    ahead that was not), `close` (it is close and late since now), `period_end` (of `period`),
    `overtime` (extra innings and extra time, too), `delayed`, `suspended`, `resumed`, `postponed`,
    `cancelled`, `rescheduled` (to be played after all), `final`, or `taken_back`: a correction. One
    with a side lowered its score, by `points` below zero; one without put the game back to an
    earlier point.

    `side` is `home` or `away`, and `team` the id of its team, null where no side is concerned or
    the team is not known. `detail` is the feed's text at `read_at`, when the change was read.
    `home_score` and `away_score` are the score after the event; null counts as 0. A game that was
    under way when it was first read begins with the score of then.
    """

    id: int
    league: str
    espn_id: str
    kind: EventKind
    side: str | None
    team: str | None
    points: int | None
    period: int
    detail: str
    read_at: UtcTime
    home_score: int | None
    away_score: int | None


class LeagueJson(msgspec.Struct):
    """A league, and how fresh its data is.

    `polled_at` is when today's games were last read with success, `changed_at` when the league's
    data last changed; both are null before the first time. `failing_since` is when the feed began
    to fail, null while it works.
    """

    league: str
    name: str
    sport: str
    season: str
    polled_at: UtcTime | None
    changed_at: UtcTime | None
    failing_since: UtcTime | None


class TeamJson(msgspec.Struct):
    """A team. `color` is hexadecimal RGB without `#`; `record` is empty before the first game."""

    league: str
    espn_id: str
    abbreviation: str
    name: str
    location: str
    nickname: str
    color: Color | None
    record: str


class TeamGames(msgspec.Struct):
    """A team, and its games around now, each null where there is none.

    `current` is the one to show: the live one, or else today's (of two the one to come), or else
    the next one, or else the last one. `last` is the last one that is over; `next` is the one to
    come, null while one is live.
    """

    team: TeamJson
    current: GameJson | None
    last: GameJson | None
    next: GameJson | None


class Games(msgspec.Struct):
    """Games by start, then id. `next` is the `cursor` for the games that follow, or null.

    `read_at`, where `date` was given, is when the feed was last read for that day; null while that
    was not done, or not within a week for a day to come. Asking for such a day has it read soon.
    A later `read_at` alone does not change the `ETag`.
    """

    games: list[GameJson]
    next: str | None
    read_at: UtcTime | UnsetType | None = UNSET


class Events(msgspec.Struct):
    """Score events by id. `next` is the `after` that returns those to come, each of them once."""

    events: list[EventJson]
    next: int


class Leagues(msgspec.Struct):
    """The leagues of this site."""

    leagues: list[LeagueJson]


class Teams(msgspec.Struct):
    """Teams by league, then name."""

    teams: list[TeamJson]


class Fault(msgspec.Struct):
    """What went wrong: `code` is for programs, `message` for people."""

    code: str
    message: str


class Error(msgspec.Struct):
    """The body of every error."""

    error: Fault


def game_json(game: AnyGame) -> GameJson:
    """One game as the API returns it."""
    return GameJson(
        league=game.league.slug,
        espn_id=game.espn_id,
        title=_title(game),
        day=game.day.isoformat(),
        start_at=iso_utc(game.start_at),
        time_set=game.time_set,
        state=State(game.state),
        status=Status(game.status),
        detail=game.detail,
        period=game.period,
        clock=game.clock,
        home=_side_json(game, "home"),
        away=_side_json(game, "away"),
        venue=game.venue,
        broadcast=game.broadcast,
        listed=game.listed,
        missing_since=iso_utc(game.vanished_since) if game.vanished_since else None,
        note=game.note,
        series=game.series,
        updated_at=iso_utc(game.updated_at),
    )


def _title(game: AnyGame) -> str:
    teams = (game.away_team, game.home_team)
    away, home = (team.short_name if team else "TBD" for team in teams)
    if game.away_score is None or game.home_score is None:
        return f"{away} {'vs' if game.neutral_site else 'at'} {home}"
    return f"{away} {game.away_score}, {home} {game.home_score}"


def game_in_full(game: Game) -> GameJson:
    """One game as the API returns it by itself: with what is known about it."""
    players = [
        FeaturedJson(row["side"] or None, row["category"], row["name"], row["value"])
        for row in game.about.get("players", [])
    ]
    weather, headline = (game.about.get(name, "") for name in ("weather", "headline"))
    answer = game_json(game)
    answer.about = AboutJson(weather, headline, players)
    return answer


def _side_json(game: AnyGame, side: str) -> SideJson:
    """The team of this side, "home" or "away"."""
    team = getattr(game, f"{side}_team")
    return SideJson(
        espn_id=team.espn_id if team else None,
        abbreviation=team.abbreviation if team else "TBD",
        name=team.display_name if team else "TBD",
        score=getattr(game, f"{side}_score"),
        record=getattr(game, f"{side}_record"),
        rank=getattr(game, f"{side}_rank"),
        linescores=getattr(game, f"{side}_linescores"),
        winner=getattr(game, f"{side}_winner"),
        red_cards=game.situation.get(f"{side}_red_cards", 0),
    )


def team_games(team: Team, now: TeamNow) -> TeamGames:
    """A team and its games as the API returns them; its league must be loaded."""
    current, last, coming = (
        game_json(game) if game else None for game in (now.current, now.last, now.next)
    )
    return TeamGames(team_json(team), current, last, coming)


def league_json(league: League, row: LeagueRow | None) -> LeagueJson:
    """A league as the API returns it; ``row`` is None before it was first polled."""
    return LeagueJson(
        league=league.slug,
        name=league.name,
        sport=league.sport,
        season=row.season_name if row else "",
        polled_at=iso_utc(row.polled_at) if row and row.polled_at else None,
        changed_at=iso_utc(row.changed_at) if row and row.changed_at else None,
        failing_since=iso_utc(row.failing_since) if row and row.failing_since else None,
    )


def event_json(listed: ListedEvent) -> EventJson:
    """A score event as the API returns it."""
    event = listed.event
    return EventJson(
        id=event.id,
        league=listed.league,
        espn_id=listed.espn_id,
        kind=EventKind(event.kind),
        side=event.side,
        team=listed.team,
        points=event.points,
        period=event.period,
        detail=event.detail,
        read_at=iso_utc(event.read_at),
        home_score=event.home_score,
        away_score=event.away_score,
    )


def team_json(team: Team) -> TeamJson:
    """A team as the API returns it; its league must be loaded."""
    return TeamJson(
        league=team.league.slug,
        espn_id=team.espn_id,
        abbreviation=team.abbreviation,
        name=team.display_name,
        location=team.location,
        nickname=team.name,
        color=team.color or None,
        record=team.record,
    )
