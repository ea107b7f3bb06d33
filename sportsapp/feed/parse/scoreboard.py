"""Scoreboards: the games of one league's day or month, and the league's calendar."""

import re
from collections.abc import Sequence
from datetime import date
from functools import partial

from msgspec import Raw, UnsetType

from sportsapp.core.clock import day_of
from sportsapp.core.errors import PayloadError
from sportsapp.core.leagues import League
from sportsapp.core.records import (
    CompetitorRecord,
    GameRecord,
    LeagueRecord,
    ScoreboardRecord,
    State,
    Status,
)
from sportsapp.feed.parse import details
from sportsapp.feed.parse.document import (
    SCORE_LIMIT,
    clean_text,
    decode_sound_parts,
    first_lines,
    identifier,
    optional,
    parse_score,
    parse_time,
    read_document,
    read_rows,
)
from sportsapp.feed.parse.teams import team_record
from sportsapp.feed.shapes import (
    CalendarLeaguesShape,
    CalendarShape,
    CompetitorShape,
    EventShape,
    LeagueSeasonShape,
    LeagueShape,
    LinescoreShape,
    RecordShape,
    ScoreboardShape,
    SeasonPartShape,
    SeasonShape,
    SeasonTypeShape,
    StatusShape,
    StatusTypeShape,
    SummaryShape,
    WeekNumberShape,
)

RANKS = range(1, 26)

# A clock that counts up: 67', or 45'+2' in the time added on to a half.
MINUTES = re.compile(r"(\d{1,3})'(?:\s*\+\s*(\d{1,2})'?)?")

# The feed's names for a break in a game; full time is one where extra time follows.
BREAKS = {
    "STATUS_END_PERIOD",
    "STATUS_END_OF_PERIOD",
    "STATUS_HALFTIME",
    "STATUS_INTERMISSION",
    "STATUS_HALFTIME_ET",
    "STATUS_END_OF_REGULATION",
    "STATUS_END_OF_EXTRATIME",
    "STATUS_FULL_TIME",
}
CALLED_OFF = {
    "STATUS_POSTPONED": Status.POSTPONED,
    "STATUS_CANCELED": Status.CANCELLED,
    "STATUS_CANCELLED": Status.CANCELLED,
    "STATUS_SUSPENDED": Status.SUSPENDED,
    "STATUS_FORFEIT": Status.FORFEIT,
}

# Without these an event is an error. Any other part that is broken is left out of its game.
EVENT_REQUIRED = frozenset(
    {
        "",
        "id",
        "competitions",
        "competitions.competitors",
        "competitions.competitors.team",
        "competitions.competitors.team.id",
        "competitions.competitors.homeAway",
        "competitions.competitors.score",
    }
)


def parse_scoreboard(body: bytes, league: League) -> ScoreboardRecord:
    """The games of a scoreboard answer, in the feed's order; may be empty.

    Raises PayloadError when the body is not a scoreboard.
    Endpoint: ``apis/site/v2/sports/{sport}/{league}/scoreboard``.
    """
    document = read_document(body, ScoreboardShape, "scoreboard")
    events = document.events or []
    games, errors = read_rows(events, partial(_game, league=league), "event")
    record = _league_record(document.leagues)
    return ScoreboardRecord(record, tuple(games), tuple(first_lines(errors)), len(events))


def _league_record(raw: Raw | UnsetType) -> LeagueRecord | None:
    leagues = optional(raw, list[LeagueShape])
    if not leagues:
        return None
    season = leagues[0].season or LeagueSeasonShape()
    part = season.type or SeasonTypeShape()
    name, part_name = clean_text(season.display_name, 60), clean_text(part.name, 60)
    # "2026-27 Regular Season"; soccer calls a season and its only part by the same name.
    season_name = name if part_name in name else f"{name} {part_name}".strip()
    return LeagueRecord(
        name=clean_text(leagues[0].name, 120),
        season_year=season.year,
        season_type=part.type if part.type is None or 0 <= part.type < 100 else None,
        season_name=season_name,
    )


def parse_calendar(body: bytes) -> tuple[date, ...]:
    """The days from which a league's season is known to have games, in order; may be empty.

    Those are the days with games where the feed lists them (NBA, NHL), the first days of the
    weeks (NFL), and otherwise the season's first day: MLB's list is of the days without games.
    Raises PayloadError when the body is not a scoreboard.
    Endpoint: ``apis/site/v2/sports/{sport}/{league}/scoreboard``.
    """
    document = read_document(body, CalendarLeaguesShape, "scoreboard")
    calendar = document.leagues[0] if document.leagues else CalendarShape()
    times = [calendar.calendar_start_date]
    if calendar.calendar_is_whitelist:
        parts = [entry for entry in calendar.calendar if isinstance(entry, SeasonPartShape)]
        times = [entry for entry in calendar.calendar if isinstance(entry, str)]
        times += [week.start_date for part in parts for week in part.entries]
    return tuple(sorted({day for time in times if (day := _calendar_day(time))}))


def _calendar_day(text: str | None) -> date | None:
    try:
        return day_of(parse_time(text))
    except (ValueError, OverflowError):
        return None


def parse_summary_day(body: bytes) -> date:
    """The day of the game that a summary is about.

    Raises PayloadError when the body is no summary, or has no date of a game.
    Endpoint: ``apis/site/v2/sports/{sport}/{league}/summary``.
    """
    header = read_document(body, SummaryShape, "summary").header
    day = _calendar_day(header.competitions[0].date) if header.competitions else None
    if day is None:
        raise PayloadError("the summary has no date", path="$.header.competitions", body=body)
    return day


# ---------------------------------------------------------------- a game


def _game(raw: Raw, league: League) -> GameRecord:
    event = decode_sound_parts(raw, EventShape, EVENT_REQUIRED)
    if not event.competitions:
        raise ValueError("it has no competition")
    competition = event.competitions[0]
    feed_status = competition.status or event.status
    if feed_status is None:
        raise ValueError("it has no status")
    kind = feed_status.type
    state = State(kind.state)
    status = _status(state, kind)
    texts = (kind.detail, kind.short_detail, kind.description)
    has_score = state is not State.PRE and status not in (Status.POSTPONED, Status.CANCELLED)
    has_clock = has_score and league.clock_runs
    home, away = _sides(competition.competitors)
    start_at = parse_time(competition.date or event.date)
    season = event.season or SeasonShape()
    week = event.week
    venue, city = details.venue_and_city(competition)
    detail = next(filter(None, map(clean_text, texts)), "")
    note, series = details.note_and_series(competition, home, away, has_score)
    return GameRecord(
        espn_id=identifier(event.id),
        start_at=start_at,
        day=day_of(start_at),
        time_set=competition.time_valid,
        season_year=season.year,
        season_type=season.type,
        week=week.number if isinstance(week, WeekNumberShape) else week,
        state=state,
        status=status,
        completed=kind.completed,
        detail=detail,
        period=feed_status.period if has_score else 0,
        clock=clean_text(feed_status.display_clock, 20) if has_clock else "",
        clock_left=_clock_left(feed_status, league) if has_clock else None,
        home=_competitor(home, has_score, league),
        away=_competitor(away, has_score, league),
        venue=venue,
        city=city,
        neutral_site=competition.neutral_site,
        attendance=details.attendance(competition),
        broadcast=details.broadcast(competition),
        note=note,
        series=series,
        situation={
            **(details.situation(competition, detail) if state is State.IN else {}),
            **(details.red_cards(competition, home, away) if has_score else {}),
        },
        leaders=details.leaders(competition, home, away, state is not State.PRE),
        about=details.about(event, competition, feed_status, (home, away), state),
    )


def _sides(competitors: list[CompetitorShape]) -> tuple[CompetitorShape, CompetitorShape]:
    """Home and away, by ``homeAway``; in the feed's order where it is missing."""
    if len(competitors) != 2:
        raise ValueError(f"it has {len(competitors)} competitors, not two")
    first, second = competitors
    if first.home_away == "away" or second.home_away == "home":
        return second, first
    return first, second


def _status(state: State, kind: StatusTypeShape) -> Status:
    """Our status. The state decides; the name only distinguishes the kinds within it."""
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


def _clock_left(status: StatusShape, league: League) -> float | None:
    """Seconds left in the period, None when unknown.

    A clock of 0 may be stopped or not started, so it counts as unknown. Where the clock counts
    up, what is left is of the period's regular time, below zero in the time added on: there the
    clock in seconds stands still, and only the minutes shown go on.
    """
    clock = status.clock
    seconds = float(clock) if clock and 0 < clock < 10_000 else None
    if not league.clock_stops:
        return seconds
    match = MINUTES.match(clean_text(status.display_clock, 20))
    minutes = sum(int(part) for part in match.groups() if part) if match else 0
    played = max(seconds or 0, minutes * 60)
    if not played or not status.period:
        return None
    stops = league.clock_stops
    return stops[min(status.period, len(stops)) - 1] * 60 - played


def _competitor(side: CompetitorShape, has_score: bool, league: League) -> CompetitorRecord:
    """A side. The feed gives negative ids to teams that are not known yet."""
    ids = clean_text(side.team.id), clean_text(side.id)
    is_known = not any(team_id.startswith("-") for team_id in ids)
    rank = side.curated_rank.current if side.curated_rank else None  # 99 when not ranked
    return CompetitorRecord(
        team=team_record(side.team, league) if is_known else None,
        score=parse_score(side.score) if has_score else None,
        record=_record(side.records or []),
        linescores=_linescores(side.linescores or []) if has_score else (),
        winner=side.winner if has_score else None,
        hits=side.hits if has_score else None,
        errors=side.errors if has_score else None,
        rank=rank if rank in RANKS else None,
    )


def _record(records: Sequence[RecordShape | None]) -> str:
    """The record over all games: of type total, or ytd in the NHL."""
    by_type = {
        clean_text(record.type).lower(): clean_text(record.summary, 20)
        for record in reversed(records)
        if record
    }
    return by_type.get("total") or by_type.get("ytd") or ""


def _linescores(lines: Sequence[LinescoreShape]) -> tuple[int | None, ...]:
    """Points by period, paired by the period's number, by position where it is missing.

    A figure that is no number of points is None, as if the side had not played.
    """
    by_period: dict[int, int | None] = {}
    for n, line in enumerate(lines, 1):
        value = line.value
        if value is not None and not -SCORE_LIMIT <= value <= SCORE_LIMIT:
            value = None
        by_period[line.period or n] = None if value is None else int(value)
    return tuple(by_period.get(n) for n in range(1, max(by_period, default=0) + 1))
