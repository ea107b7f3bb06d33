"""JSON of the feed to records. Pure: bytes in, records out, no clock, no network.

A payload that is not what we know raises PayloadError. Within a good payload a broken event,
player or line becomes one line in ``errors`` and the rest survives; a broken part that a game
can do without (venue, leaders, line score, record, season) is left out of its game. Who plays,
the score, the state and the date are what a game cannot do without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, UnsetType

from sportsapp.core.clock import day_of
from sportsapp.core.errors import PayloadError
from sportsapp.core.leagues import League
from sportsapp.core.records import (
    CompetitorRecord,
    GameRecord,
    LeagueRecord,
    PlayerRecord,
    RosterRecord,
    ScoreboardRecord,
    StandingRecord,
    State,
    Status,
    TeamRecord,
)
from sportsapp.feed import shapes

T = TypeVar("T")
Pair = tuple[object, object]
UNTOLD: Pair = (None, None)
# What reading a hostile or broken document can raise; UnicodeError is a ValueError.
Broken = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)

TEXT_LIMIT = 300
SCORE_LIMIT = 9_999
ATTENDANCE_LIMIT = 1_000_000
RANKS = range(1, 26)
GROUP_LIMIT = 120
# Years in which a game can be; a date at the end of time would break every sum made with it.
YEARS = range(1850, 2200)

# Half a character of two, which no database takes: group 1 holds the escapes that are sound.
LONE_SURROGATE = re.compile(
    rb"(\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\[^u])|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)

# A clock that counts up: 67', or 45'+2' in the time added on to a half.
MINUTES = re.compile(r"(\d{1,3})'(?:\s*\+\s*(\d{1,2})'?)?")

CONTROLS = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]+")

# What a game in progress can be called while nobody plays; full time, where extra time follows.
BREAKS = {
    "STATUS_END_PERIOD", "STATUS_END_OF_PERIOD", "STATUS_HALFTIME", "STATUS_INTERMISSION",
    "STATUS_HALFTIME_ET", "STATUS_END_OF_REGULATION", "STATUS_END_OF_EXTRATIME",
    "STATUS_FULL_TIME",
}  # fmt: skip
CALLED_OFF = {
    "STATUS_POSTPONED": Status.POSTPONED,
    "STATUS_CANCELED": Status.CANCELLED,
    "STATUS_CANCELLED": Status.CANCELLED,
    "STATUS_SUSPENDED": Status.SUSPENDED,
    "STATUS_FORFEIT": Status.FORFEIT,
}


# What ends an event (a player, a line) when it is broken. Any other part is left out instead.
EVENT_NEEDS = frozenset({
    "", "id", "competitions", "competitions.competitors", "competitions.competitors.team",
    "competitions.competitors.team.id", "competitions.competitors.homeAway",
    "competitions.competitors.score",
})  # fmt: skip
TEAM_NEEDS = frozenset({"", "team", "team.id"})
PLAYER_NEEDS = frozenset({"", "id"})
WORDS_OF_STATUS = ("detail", "shortDetail", "description")
BAD_PARTS_LIMIT = 40
PLACE = re.compile(r" - at `\$([^`]*)`$")
STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def _decoder(shape: type[T]) -> Callable[[bytes | Raw], T]:
    return msgspec.json.Decoder(shape, strict=False).decode


def _patient(decode: Callable[[bytes | Raw], T], needs: frozenset[str]) -> Callable[[Raw], T]:
    """The same decoder, leaving out broken parts as long as none of them is needed."""

    def read(raw: Raw) -> T:
        try:
            return decode(raw)
        except msgspec.ValidationError as error:
            return _without_bad_parts(decode, raw, needs, error)

    return read


def _without_bad_parts(
    decode: Callable[[bytes | Raw], T],
    raw: Raw,
    needs: frozenset[str],
    error: msgspec.ValidationError,
) -> T:
    document = msgspec.json.decode(raw)  # what is named twice is in it once, as it was last
    for _ in range(BAD_PARTS_LIMIT):
        try:
            return decode(msgspec.json.encode(document))
        except msgspec.ValidationError as found:
            error = found
        steps = _steps_to(error)
        if ".".join(step for step in steps if isinstance(step, str)) in needs:
            raise error
        _leave_out(document, steps)
    raise error


def _steps_to(error: msgspec.ValidationError) -> list[str | int]:
    """Keys and positions that lead to the smallest named part that is broken.

    A status whose state is broken goes as a whole: half of it would be another status.
    """
    found = PLACE.search(str(error))
    steps = [name or int(n) for name, n in STEP.findall(found[1])] if found else []
    while steps and isinstance(steps[-1], int):
        steps.pop()
    for place in range(len(steps) - 1):
        if steps[place : place + 2] == ["status", "type"] and steps[-1] not in WORDS_OF_STATUS:
            return steps[: place + 1]
    return steps


def _leave_out(document: Any, steps: Sequence[str | int]) -> None:
    for step in steps[:-1]:
        document = document[step]
    del document[steps[-1]]


_scoreboard = _decoder(shapes.Scoreboard)
_event = _patient(_decoder(shapes.Event), EVENT_NEEDS)
_event_id = _decoder(shapes.EventId)
_leagues = _decoder(list[shapes.League])
_calendar = _decoder(shapes.CalendarLeagues)
_number = _decoder(float)
_venue = _decoder(shapes.Venue)
_words = _decoder(str)
_broadcasts = _decoder(list[shapes.Broadcast])
_notes = _decoder(list[shapes.Note])
_series = _decoder(shapes.Series)
_series_sides = _decoder(list[shapes.SeriesSide])
_situation = _decoder(shapes.Situation)
_leaders = _decoder(list[shapes.LeaderCategory])
_teams = _decoder(shapes.Teams)
_team_entry = _patient(_decoder(shapes.TeamEntry), TEAM_NEEDS)
_roster = _decoder(shapes.Roster)
_roster_group = _decoder(shapes.RosterGroup)
_player = _patient(_decoder(shapes.Player), PLAYER_NEEDS)
_standings = _decoder(shapes.Standings)
_standing_entry = _patient(_decoder(shapes.StandingEntry), TEAM_NEEDS)


def parse_scoreboard(body: bytes, league: League) -> ScoreboardRecord:
    """The games of a scoreboard answer, in the feed's order; may be empty.

    Raises PayloadError when the body as a whole is not a scoreboard.
    Endpoint: ``apis/site/v2/sports/{sport}/{league}/scoreboard``.
    """
    document = _whole(_scoreboard, body, "scoreboard")
    games: list[GameRecord] = []
    errors: list[str] = []
    events = document.events or []
    for raw in events:
        try:
            games.append(_game(_event(raw), league))
        except Broken as error:
            errors.append(f"event {_id_of(raw)}: {_reason(error)}")
    league_record = _league_record(document.leagues)
    return ScoreboardRecord(league_record, tuple(games), tuple(errors), len(events))


def parse_calendar(body: bytes) -> tuple[date, ...]:
    """The days from which a league's season is known to have games, in order; may be empty.

    Those are the days with games where the feed lists them (NBA, NHL), the first days of the
    weeks (NFL), and otherwise the season's first day: MLB's list is of the days without games.
    Endpoint: ``apis/site/v2/sports/{sport}/{league}/scoreboard``.
    """
    document = _whole(_calendar, body, "scoreboard")
    calendar = document.leagues[0] if document.leagues else shapes.Calendar()
    moments = [calendar.calendar_start_date]
    if calendar.calendar_is_whitelist:
        parts = [one for one in calendar.calendar if isinstance(one, shapes.SeasonPart)]
        moments = [one for one in calendar.calendar if isinstance(one, str)]
        moments += [week.start_date for part in parts for week in part.entries]
    return tuple(sorted({day for moment in moments if (day := _calendar_day(moment))}))


def _calendar_day(text: str | None) -> date | None:
    try:
        return day_of(_moment(text))
    except (ValueError, OverflowError):
        return None


def parse_teams(body: bytes, league: League) -> tuple[list[TeamRecord], list[str]]:
    """The teams of a league in the feed's order, and a line for each that cannot be read.

    Endpoint: ``apis/site/v2/sports/{sport}/{league}/teams``.
    """
    document = _whole(_teams, body, "list of teams")
    rows = [raw for sport in document.sports for league in sport.leagues for raw in league.teams]
    if not rows:
        raise PayloadError("the list of teams is empty", path="$.sports[0].leagues[0].teams")
    return _each(rows, lambda raw: _known_team(_team_entry(raw).team, league), "team")


def parse_roster(body: bytes) -> RosterRecord:
    """The players of a team; flat lists (NBA) and grouped ones read the same.

    Endpoint: ``apis/site/v2/sports/{sport}/{league}/teams/{id}/roster``.
    """
    document = _whole(_roster, body, "roster")
    players: list[PlayerRecord] = []
    errors: list[str] = []
    for group, rows in _roster_groups(document.athletes):
        good, bad = _each(rows, _player_reader(group), "player")
        players += good
        errors += bad
    unique = {player.espn_id: player for player in players}
    return RosterRecord(tuple(unique.values()), tuple(errors))


def parse_standings(body: bytes, league: League) -> tuple[list[StandingRecord], list[str]]:
    """Every team's line, group by group in the feed's order; may be empty before a season.

    A table that is not divided is one group without a name.

    Endpoint: ``apis/v2/sports/{sport}/{league}/standings``.
    """
    document = _whole(_standings, body, "standings")
    lines: list[StandingRecord] = []
    errors: list[str] = []
    for name, rows in _standing_groups(document):
        good, bad = _each(rows, _standing_reader(name, league), "line")
        ordered = sorted(good, key=_seed)
        lines += [msgspec.structs.replace(line, position=n) for n, line in enumerate(ordered, 1)]
        errors += bad
    return lines, errors


# ---------------------------------------------------------------- a document and its rows


def _whole(decode: Callable[[bytes], T], body: bytes, what: str) -> T:
    try:
        return decode(body)
    except Broken as error:
        mended = LONE_SURROGATE.sub(lambda found: found[1] or rb"\ufffd", body)
        if mended != body:
            return _whole(decode, mended, what)
        text = str(error)
        path = next((part for part in reversed(text.split("`")) if part.startswith("$")), "$")
        raise PayloadError(
            f"this is not a {what}: {_beginning(body)} ({text})", path=path
        ) from error


def _beginning(body: bytes) -> str:
    if not body.strip():
        return "an empty body"
    return f"a body that begins with {body.lstrip()[:40].decode('utf-8', 'replace')!r}"


def _each(rows: Sequence[Raw], read: Callable[[Raw], T], what: str) -> tuple[list[T], list[str]]:
    good: list[T] = []
    bad: list[str] = []
    for raw in rows:
        try:
            good.append(read(raw))
        except Broken as error:
            bad.append(f"{what} {_id_of(raw)}: {_reason(error)}")
    return good, bad


def _id_of(raw: Raw) -> str:
    try:
        return _text(_event_id(raw).id) or "without id"
    except Broken:
        return "without id"


def _reason(error: BaseException) -> str:
    return _text(str(error)) or type(error).__name__


def _optional(raw: Raw | UnsetType, decode: Callable[[Raw], T]) -> T | None:
    """A part that a game can do without: None when it is absent or not what we know."""
    if isinstance(raw, UnsetType):
        return None
    try:
        return decode(raw)
    except Broken:
        return None


def _text(value: object, limit: int = TEXT_LIMIT) -> str:
    """Text of the feed, fit for any database and any line: no NUL, no line ends, bounded.

    The decoder sees to the rest.
    """
    return (
        "" if value is None else CONTROLS.sub(" ", str(value)).replace("\x00", "").strip()[:limit]
    )


# ---------------------------------------------------------------- a game


def _game(event: shapes.Event, league: League) -> GameRecord:
    if not event.competitions:
        raise ValueError("it has no competition")
    competition = event.competitions[0]
    status = competition.status or event.status
    if status is None:
        raise ValueError("it has no status")
    state = State(status.type.state)
    home, away = _sides(competition.competitors)
    start_at = _moment(competition.date or event.date)
    played = state is not State.PRE
    kind = _status(state, status.type)
    has_score = played and kind not in (Status.POSTPONED, Status.CANCELLED)
    venue = _optional(competition.venue, _venue)
    season = event.season or shapes.Season()
    note, series = _note_and_series(competition, home, away, has_score)
    return GameRecord(
        espn_id=_identifier(event.id),
        start_at=start_at,
        day=day_of(start_at),
        time_set=competition.time_valid,
        season_year=season.year,
        season_type=season.type,
        week=event.week.number if event.week else None,
        state=state,
        status=kind,
        completed=status.type.completed,
        detail=_detail(status.type),
        period=status.period if has_score else 0,
        clock=_text(status.display_clock, 20) if has_score and league.clock_runs else "",
        clock_left=_clock_left(status, league) if has_score and league.clock_runs else None,
        home=_competitor(home, has_score, league),
        away=_competitor(away, has_score, league),
        venue=_text(venue.full_name) if venue else "",
        city=_city(venue),
        neutral_site=competition.neutral_site,
        attendance=_attendance(competition.attendance),
        broadcast=_broadcast(competition),
        note=note,
        series=series,
        situation=_situation_of(competition) if state is State.IN else {},
        leaders=_leaders_of(competition, home, away),
    )


def _sides(
    competitors: list[shapes.Competitor],
) -> tuple[shapes.Competitor, shapes.Competitor]:
    """Home and away, by what they say; by order where they say nothing."""
    if len(competitors) != 2:
        raise ValueError(f"it has {len(competitors)} competitors, not two")
    first, second = competitors
    if first.home_away == "away" or second.home_away == "home":
        return second, first
    return first, second


def _identifier(value: object) -> str:
    text = _text(value, 40)
    if not text.isascii() or not text.replace("-", "").isalnum():
        raise ValueError(f"{text!r} is not an id")
    return text


def _moment(text: str | None) -> datetime:
    if not text:
        raise ValueError("it has no date")
    moment = datetime.fromisoformat(text)
    if moment.year not in YEARS:
        raise ValueError(f"{text!r} is no time for a game")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _status(state: State, kind: shapes.StatusType) -> Status:
    """Our status. The phase decides; the name only tells apart the kinds within it."""
    name = kind.name.upper()
    if state is State.POST and kind.completed:
        return Status.FORFEIT if name == "STATUS_FORFEIT" else Status.FINAL
    if state is not State.IN and name in CALLED_OFF:
        return CALLED_OFF[name]
    if state is State.POST:
        return Status.OTHER
    if "DELAY" in name:
        return Status.DELAYED
    if state is State.PRE:
        return Status.SCHEDULED
    return Status.BREAK if name in BREAKS else Status.LIVE


def _detail(kind: shapes.StatusType) -> str:
    return _text(kind.detail) or _text(kind.short_detail) or _text(kind.description)


def _clock_left(status: shapes.Status, league: League) -> float | None:
    """Seconds left in the period. A clock of 0 means stopped or unknown, so it is no figure."""
    clock = status.clock
    seconds = float(clock) if clock and 0 < clock < 10_000 else None
    return _left_until_stop(status, seconds, league) if league.clock_stops else seconds


def _left_until_stop(status: shapes.Status, seconds: float | None, league: League) -> float | None:
    """The same of a clock that counts up: seconds of the period's regular time that are left.

    In the time added on the clock itself stands still, and only the minutes shown go on.
    """
    shown = MINUTES.match(_text(status.display_clock, 20))
    minutes = sum(int(part) for part in shown.groups() if part) if shown else 0
    played = max(seconds or 0, minutes * 60)
    if not played or not status.period:
        return None
    stops = league.clock_stops
    return stops[min(status.period, len(stops)) - 1] * 60 - played


def _competitor(side: shapes.Competitor, has_score: bool, league: League) -> CompetitorRecord:
    is_known = not _text(side.team.id).startswith("-") and not _text(side.id).startswith("-")
    return CompetitorRecord(
        team=_known_team(side.team, league) if is_known else None,
        score=_score(side.score) if has_score else None,
        record=_record(side.records or []),
        linescores=_linescores(side.linescores or []) if has_score else (),
        winner=side.winner if has_score else None,
        hits=side.hits if has_score else None,
        errors=side.errors if has_score else None,
        rank=_rank(side.curated_rank),
    )


def _rank(said: shapes.Rank | None) -> int | None:
    """The feed says 99 of a team that is not ranked."""
    return said.current if said and said.current in RANKS else None


def _score(value: object) -> int | None:
    if value is None or value == "":
        return None
    try:
        number = float(str(value))
    except ValueError:
        number = -1
    if not 0 <= number <= SCORE_LIMIT or number != int(number):
        raise ValueError(f"{value!r} is not a score")
    return int(number)


def _record(records: Sequence[shapes.TeamRecord | None]) -> str:
    """The record over all games: typed total, or ytd in the NHL."""
    by_type = {_text(r.type).lower(): _text(r.summary, 20) for r in reversed(records) if r}
    return by_type.get("total") or by_type.get("ytd") or ""


def _linescores(lines: Sequence[shapes.Linescore]) -> tuple[int | None, ...]:
    """Points by period, paired by the period's number, by position where it is missing."""
    by_period = {line.period or n: line.value for n, line in enumerate(lines, 1)}
    last = max(by_period, default=0)
    return tuple(_points(by_period.get(period)) for period in range(1, last + 1))


def _points(value: int | float | None) -> int | None:
    if value is None or not -SCORE_LIMIT <= value <= SCORE_LIMIT:
        return None
    return int(value)


def _known_team(team: shapes.Team, league: League) -> TeamRecord:
    name = _text(team.name, 80)
    location = _text(team.location, 80)
    shown = _text(team.display_name, 120) or f"{location} {name}".strip()
    abbreviation = _abbreviation(team.abbreviation) or _abbreviation(shown)[:3].upper()
    short = location if league.named_by_place else _text(team.short_display_name, 80)
    return TeamRecord(
        espn_id=_identifier(team.id),
        abbreviation=abbreviation,
        location=location,
        name=name or location or shown,
        display_name=shown or abbreviation,
        short_name=short or name or shown,
        color=_color(team.color),
        alternate_color=_color(team.alternate_color),
    )


def _abbreviation(value: object) -> str:
    """Letters and digits only: it is a part of addresses."""
    return "".join(sign for sign in _text(value, 12) if sign.isalnum() or sign in "&-")


def _color(value: object) -> str:
    text = _text(value, 7).lstrip("#").lower()
    return text if len(text) == 6 and all(sign in "0123456789abcdef" for sign in text) else ""


def _city(venue: shapes.Venue | None) -> str:
    if venue is None or venue.address is None:
        return ""
    parts = (_text(venue.address.city, 80), _text(venue.address.state, 40))
    return ", ".join(part for part in parts if part)


def _attendance(raw: Raw | UnsetType) -> int | None:
    """People in the stands; the feed says 0 where it does not know."""
    number = _optional(raw, _number)
    return int(number) if number and 0 < number < ATTENDANCE_LIMIT else None


def _broadcast(competition: shapes.Competition) -> str:
    """Channels: the national ones, else the feed's short text, else the local ones."""
    stations = _optional(competition.broadcasts, _broadcasts) or []
    national = [name for one in stations if one.market == "national" for name in one.names]
    short = _text(_optional(competition.broadcast, _words), 120)
    local = [name for one in stations for name in one.names]
    return _text(", ".join(dict.fromkeys(national)), 120) or short or _text(", ".join(local), 120)


def _first_note(competition: shapes.Competition) -> str:
    notes = _optional(competition.notes, _notes) or []
    return next((text for note in notes if (text := _text(note.headline))), "")


def _note_and_series(
    competition: shapes.Competition, home: shapes.Competitor, away: shapes.Competitor, played: bool
) -> tuple[str, str]:
    """The headline, and how a series or a tie of two games stands.

    With goals over two games, or a shootout, the headline may tell who goes through: it then
    belongs to the series, and what it says already is not said twice.
    """
    headline = _first_note(competition)
    series = _optional(competition.series, _series)
    summary = _text(series.summary) if series else ""
    sums = _sums_of(series, away, home)
    kicks = (away.shootout_score, home.shootout_score) if played else UNTOLD
    if sums == kicks == UNTOLD:
        return headline, summary
    parts = [summary, headline]
    parts += [
        _pair_words(word, away, home, goals)
        for word, goals in (("Aggregate", sums), ("Penalties", kicks))
        if word[:7].lower() not in headline.lower()
    ]
    return "", _text("; ".join(part for part in parts if part))


def _sums_of(
    series: shapes.Series | None, away: shapes.Competitor, home: shapes.Competitor
) -> Pair:
    """Goals over both games; the feed has them with the sides or with the series."""
    sums = away.aggregate_score, home.aggregate_score
    if series is None or sums != UNTOLD:
        return sums
    sides = _optional(series.competitors, _series_sides) or []
    of_series = {_text(side.id): side.aggregate_score for side in sides}
    return of_series.get(_text(away.team.id)), of_series.get(_text(home.team.id))


def _pair_words(word: str, away: shapes.Competitor, home: shapes.Competitor, goals: Pair) -> str:
    """ "Aggregate LA 3, NSH 2"; nothing unless both figures are sound."""
    try:
        scores = [_score(one) for one in goals]
    except ValueError:
        return ""
    if None in scores:
        return ""
    names = [_abbreviation(side.team.abbreviation) or "TBD" for side in (away, home)]
    return f"{word} {names[0]} {scores[0]}, {names[1]} {scores[1]}"


def _situation_of(competition: shapes.Competition) -> dict[str, Any]:
    """What is going on: down and distance, or balls, strikes, outs and bases; the last play."""
    now = _optional(competition.situation, _situation)
    if now is None:
        return {}
    facts: dict[str, Any] = {
        "down_distance": _text(now.down_distance_text, 80),
        "possession": _text(now.possession, 40),
        "red_zone": now.is_red_zone,
        "home_timeouts": now.home_timeouts,
        "away_timeouts": now.away_timeouts,
        "balls": now.balls,
        "strikes": now.strikes,
        "outs": now.outs,
        "bases": _bases(now),
        "last_play": _text(now.last_play.text) if now.last_play else "",
    }
    return {name: fact for name, fact in facts.items() if fact not in (None, "")}


def _bases(now: shapes.Situation) -> list[int] | None:
    if now.on_first is None and now.on_second is None and now.on_third is None:
        return None
    return [n for n, taken in enumerate((now.on_first, now.on_second, now.on_third), 1) if taken]


def _leaders_of(
    competition: shapes.Competition, home: shapes.Competitor, away: shapes.Competitor
) -> tuple[dict[str, str], ...]:
    """Leading players. The NFL names them for the game, the others for each side."""
    sides = {_text(home.team.id): "home", _text(away.team.id): "away"}
    leaders = _leader_rows(competition.leaders, "", sides)
    leaders += _leader_rows(away.leaders, "away", sides)
    leaders += _leader_rows(home.leaders, "home", sides)
    return tuple(leaders)


def _leader_rows(raw: Raw | UnsetType, side: str, sides: dict[str, str]) -> list[dict[str, str]]:
    rows = []
    for category in (_optional(raw, _leaders) or [])[:3]:
        best = category.leaders[0] if category.leaders else None
        if best is None or best.athlete is None:
            continue
        team = _text(best.team.id) if best.team else ""
        rows.append({
            "side": side or sides.get(team, ""),
            "category": _text(category.short_display_name, 20) or _text(category.abbreviation, 20),
            "name": _text(best.athlete.display_name, 80) or _text(best.athlete.full_name, 80),
            "value": _text(best.display_value, 80),
        })  # fmt: skip
    return rows


def _league_record(raw: Raw | UnsetType) -> LeagueRecord | None:
    leagues = _optional(raw, _leagues)
    if not leagues:
        return None
    league = leagues[0]
    season = league.season or shapes.LeagueSeason()
    kind = season.type or shapes.SeasonType()
    return LeagueRecord(
        name=_text(league.name, 120),
        season_year=season.year,
        season_type=kind.type if kind.type is None or 0 <= kind.type < 100 else None,
        season_name=_season_name(_text(season.display_name, 60), _text(kind.name, 60)),
    )


def _season_name(season: str, part: str) -> str:
    """ "2026-27 Regular Season"; soccer calls a season and its only part by the same name."""
    return season if part in season else f"{season} {part}".strip()


# ---------------------------------------------------------------- rosters and standings


def _roster_groups(athletes: Sequence[Raw]) -> list[tuple[str, list[Raw]]]:
    """Groups with their rows; a flat list is one group without a name."""
    flat: list[Raw] = []
    groups: list[tuple[str, list[Raw]]] = []
    for raw in athletes:
        try:
            group = _roster_group(raw)
        except Broken:
            flat.append(raw)  # not a group: an athlete, or what _player will name as broken
        else:
            groups.append((_text(group.position, 40), group.items))
    if flat:
        groups.append(("", flat))
    return groups


def _player_reader(group: str) -> Callable[[Raw], PlayerRecord]:
    return lambda raw: _player_record(_player(raw), group)


def _player_record(player: shapes.Player, group: str) -> PlayerRecord:
    name = _text(player.display_name, 120) or _text(player.full_name, 120)
    if not name:
        raise ValueError("it has no name")
    position = player.position or shapes.Position()
    return PlayerRecord(
        espn_id=_identifier(player.id),
        name=name,
        jersey=_text(player.jersey, 8),
        position=_text(position.abbreviation, 12),
        position_name=_text(position.name, 60),
        group=group,
        status=_text(player.status.type, 40) if player.status else "",
        height=_text(player.display_height, 20),
        weight=_text(player.display_weight, 20),
        born_on=_birthday(player.date_of_birth),
    )


def _birthday(text: str | None) -> date | None:
    """The date as written: the feed puts it at a morning hour UTC of the same day."""
    try:
        return datetime.fromisoformat(text).date() if text else None
    except ValueError:
        return None


def _standing_groups(document: shapes.Standings) -> list[tuple[str, list[Raw]]]:
    """The lowest groups that hold lines: conferences, or divisions where the feed has them."""
    if isinstance(document.children, UnsetType):
        if isinstance(document.standings, UnsetType):
            raise PayloadError("these standings have no groups and no lines", path="$.children")
        return [("", document.standings.entries)]
    groups: list[tuple[str, list[Raw]]] = []
    waiting = [("", group) for group in reversed(document.children)]
    while waiting:
        above, group = waiting.pop()
        name = _group_name(above, _text(group.name, 80))
        if group.children:
            waiting += [(name, one) for one in reversed(group.children)]
        else:
            groups.append((name, group.standings.entries if group.standings else []))
    return groups


def _group_name(above: str, name: str) -> str:
    """A division that goes by one word ("East") is told with what it is a division of."""
    return name if " " in name else f"{above} {name}".strip()[:GROUP_LIMIT]


def _standing_reader(group: str, league: League) -> Callable[[Raw], StandingRecord]:
    return lambda raw: _standing(_standing_entry(raw), group, league)


def _standing(entry: shapes.StandingEntry, group: str, league: League) -> StandingRecord:
    """A line. Types with an underscore ("vsconf_wins") are of some games only and not kept."""
    whole = [stat for stat in entry.stats if "_" not in _text(stat.type)]
    stats: dict[str, str] = {}
    for stat in whole:
        name = _text(stat.name, 40)
        if name:
            stats[name] = _text(stat.display_value, 40) or _text(stat.summary, 40)
    totals = (s for s in whole if _text(s.name) == "overall" or _text(s.type) == "total")
    summary = next((_text(stat.summary, 20) for stat in totals), "")
    return StandingRecord(
        team=_known_team(entry.team, league),
        group=group,
        position=0,
        summary=summary,
        stats=stats,
    )


def _seed(line: StandingRecord) -> tuple[int, float]:
    """Order within a group: the feed's seed or rank where it is a number; else its own order."""
    text = line.stats.get("playoffSeed") or line.stats.get("rank", "")
    return (0, float(text)) if text.isdecimal() else (1, 0.0)
