"""The audit: stored seasons checked by the rules of ``audit``, and what breaks one read again.

Serves ``flask audit`` and the nightly task. Each breach is one alert, which ends when an audit
looks again and does not find it any more.
"""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Table, select

from sportsapp.core.clock import each_day, game_day
from sportsapp.core.errors import TrackerError, UnknownSeasonError
from sportsapp.core.leagues import League, season_of
from sportsapp.core.records import StandingRecord
from sportsapp.core.summary_faults import summary_faults
from sportsapp.db import queries
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.feed import parse
from sportsapp.feed.client import SUSPECT_COUNTS
from sportsapp.feed.fetch import PARALLEL, fetch_all
from sportsapp.sync import audit, plan, store
from sportsapp.sync.audit import Answers, Breach, Season
from sportsapp.sync.context import SyncContext, league_call
from sportsapp.sync.doubts import Values, has_result
from sportsapp.sync.games import stored_games, sync_games
from sportsapp.sync.scoreboards import sync_day
from sportsapp.sync.steps import Step, Steps, parts_of

GAMES: Table = Game.__table__
SAMPLE = 20
MOST_DAYS = MOST_GAMES = 40


@dataclass
class AuditResult:
    """``audited`` counts the games that were looked at.

    ``breaches`` are mappings: the fields of ``audit.Breach`` with ``league``, ``season``, and
    ``mended``: whether it is gone since its days were read again. ``errors`` has a line for each
    answer that could not be had.
    """

    audited: int = 0
    breaches: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The task's return value, as docs/reference.md promises it."""
        return asdict(self)


def audit_leagues(
    context: SyncContext, leagues: Sequence[League], year: int | None = None
) -> AuditResult:
    """Audit a season of these leagues, by the feed's year of it; the running one without ``year``.

    A step is a look at a league's season, or a few days that are read again. Raises
    UnknownSeasonError when no game of that year is stored.
    """
    if year is not None:
        check_season(context.session, leagues, year)
    by_slug = {league.slug: league for league in leagues}
    steps = Steps(context, [["look", slug] for slug in by_slug], AuditResult())
    for current, (kind, slug, *about) in steps:
        if slug not in by_slug:  # it is not followed any more
            continue
        if kind in ("read", "read games"):
            read_again = _days_again if kind == "read" else _games_again
            steps.result.errors += read_again(current, by_slug[slug], about)
            continue
        row = select(LeagueRow.season_year).where(LeagueRow.slug == slug)
        running = current.session.scalar(row)
        season = stored_season(current, by_slug[slug], (running or 0) if year is None else year)
        past_year = None if season.year == running else year
        if kind == "look again":
            found = about[0]
            if any(breach["scope"] == audit.STANDINGS for breach in found.values()):
                current = replace(current, scheduled=False)  # as ``look`` did
            answers = answers_now(current, season, past_year, steps.result.errors)
            left = audit.find_breaches(season, answers)
            _report(current, season, answers, left)
            seen = {key for key in found if found[key]["scope"] not in scopes_of(season, answers)}
            add_breaches(steps.result, season, found, seen | left.keys())
        elif season.games:
            breaches = look(current, season, past_year, steps.result.errors)
            steps.result.audited += len(season.games)
            found = {key: asdict(breach) for key, breach in breaches.items()}
            if reads := _reads(slug, breaches.values()):
                steps.todo = [*reads, ["look again", slug, found], *steps.todo]
            else:
                add_breaches(steps.result, season, found, found)
    return steps.result


def check_season(session: AnySession, leagues: Sequence[League], year: int) -> None:
    """Raise UnknownSeasonError unless a game of these leagues is stored for the feed's year."""
    slugs = [league.slug for league in leagues]
    games = select(Game.id).join(Game.league_row).where(LeagueRow.slug.in_(slugs))
    if session.scalar(games.where(Game.season_year == year).limit(1)) is None:
        labels = ", ".join(league.label for league in leagues)
        raise UnknownSeasonError(f"unknown season {year}: no game of it is stored ({labels})")


def look(
    context: SyncContext, season: Season, past_year: int | None, errors: list[str]
) -> dict[str, Breach]:
    """What is wrong in a season, by key, beside what the feed has now. Each breach is an alert.

    ``past_year`` is the season's year unless it is the running one. Adds a line to ``errors`` for
    each answer that could not be had.
    """
    answers = answers_now(context, season, past_year, errors)
    found = audit.find_breaches(season, answers)
    if context.scheduled and any(one.scope == audit.STANDINGS for one in found.values()):
        # a game of an earlier month must be wrong, and its month's answer shows which
        answers = answers_now(replace(context, scheduled=False), season, past_year, errors)
        found = audit.find_breaches(season, answers)
    _report(context, season, answers, found)
    return found


def _reads(slug: str, breaches: Collection[Breach]) -> list[Step]:
    """The steps that read again what breaks rules: days first, then summaries."""
    days = sorted({f"{day}" for breach in breaches for day in breach.days})[-MOST_DAYS:]
    summaries = [breach for breach in breaches if breach.rule == audit.SUMMARY][-MOST_GAMES:]
    games = [espn_id for breach in summaries for espn_id in breach.games]
    return [
        [kind, slug, *few]
        for kind, every in (("read", days), ("read games", games))
        for few in parts_of(every, PARALLEL)
    ]


def _days_again(context: SyncContext, league: League, days: Sequence[str]) -> list[str]:
    errors = []
    for day in map(date.fromisoformat, days):
        try:
            errors += sync_day(_thoroughly(context), league, day).errors
        except TrackerError as error:
            errors.append(f"{league.label} {day}: {error}")
    return errors


def _games_again(context: SyncContext, league: League, ids: Sequence[str]) -> list[str]:
    games = stored_games(context.session, league, ids)
    return sync_games(_thoroughly(context), games).errors


def _thoroughly(context: SyncContext) -> SyncContext:
    """A context that also reads what is stored byte for byte."""
    return replace(context, scheduled=False, thorough=True)


def _report(
    context: SyncContext, season: Season, answers: Answers, found: Mapping[str, Breach]
) -> None:
    """Alert about what was found; alerts of what these answers could show, and do not, end."""
    name = f"{season.league.label} {season.year}"
    texts = {f"{name} {key}": f"{name}: {breach.text}" for key, breach in found.items()}
    scopes = tuple(f"{name} {scope} " for scope in scopes_of(season, answers))
    if context.watch is not None:
        context.watch.alerts.report_breaches(texts, scopes)


def scopes_of(season: Season, answers: Answers) -> list[str]:
    """The scopes of which a breach would be found with these answers."""
    scopes = [audit.SEASON, *answers.boards]
    if answers.standings and audit.counted_games(season, answers):
        scopes.append(audit.STANDINGS)
    return scopes


def add_breaches(
    result: AuditResult, season: Season, found: Mapping[str, Any], left: Container[str]
) -> None:
    """Add breaches to the result, each with whether it is gone: not among the keys ``left``."""
    named = {"league": season.league.label, "season": season.year}
    for key, breach in found.items():
        result.breaches.append(named | breach | {"mended": key not in left})


def stored_season(context: SyncContext, league: League, year: int) -> Season:
    """The stored games of a season, without those that were given up, and the days read."""
    session, league_id = context.session, store.league_ref(context, league).id
    columns = Team.id, Team.espn_id, Team.abbreviation
    rows = session.execute(select(*columns).where(Team.league_id == league_id)).all()
    teams, games = {row.id: row.espn_id for row in rows}, {}
    of_season = Game.league_id == league_id, Game.season_year == year, Game.listed
    for game in session.execute(select(GAMES).where(*of_season)).mappings():
        sides = {side: teams.get(game[f"{side}_id"]) for side in plan.TEAMS}
        games[game["espn_id"]] = {**game, **sides}
    names = {row.espn_id: row.abbreviation for row in rows}
    found = (
        (espn_id, summary_faults(summary))
        for espn_id, summary in queries.season_summaries(session, league_id, year)
    )
    faults = {espn_id: lines for espn_id, lines in found if lines}
    season = Season(league, year, games, names, frozenset(), context.now, faults)
    days = list(each_day(*season_days(season))) if games else []
    reads = queries.days_read_at(session, [league_id], days)
    return replace(season, read={day for (_, day), at in reads.items() if game_day(at) > day})


def season_days(season: Season) -> tuple[date, date]:
    """The first and the last day on which the season can have games, by most of its games."""
    days = sorted(game["day"] for game in season.games.values())
    return season_of(season.league, days[len(days) // 2])


def answers_now(
    context: SyncContext, season: Season, past_year: int | None, errors: list[str]
) -> Answers:
    """The season's months and standings, as the feed has them now.

    A person's audit asks for every month so far, a scheduled one for the last two. Where a month
    does not fit into an answer, a SAMPLE of days is asked for. What may be cut off is left out.
    """
    league, client, (first, last) = season.league, context.client, season_days(season)
    days = each_day(first, max(first, min(last, game_day(season.now))))
    months = sorted({day.replace(day=1) for day in days})[-2 if context.scheduled else 0 :]
    calls = {f"{month:%Y-%m}": league_call(client.month, league, month) for month in months}
    if not league.month_fits:
        over = sorted({game["day"] for game in season.games.values() if has_result(game)})
        sample = over[-SAMPLE:] if context.scheduled else over[:: -(-len(over) // SAMPLE) or 1]
        calls = {f"{day}": league_call(client.scoreboard, league, day) for day in sample}
    calls[audit.STANDINGS] = league_call(client.standings, league, past_year)
    boards: dict[str, dict[str, Values]] = {}
    standings: list[StandingRecord] = []
    calendar: set[date] = set()
    for name, future in fetch_all(calls):
        try:
            answer = future.result()
            if name == audit.STANDINGS:
                standings, lines = answer.parsed(parse.parse_standings, league)
            else:
                calendar.update(parse.parse_calendar(answer.body))
                board = answer.parsed(parse.parse_scoreboard, league)
                games = [game for game in board.games if game.season_year == season.year]
                lines = list(board.errors)
                if not lines and board.events not in SUSPECT_COUNTS:
                    boards[name] = {game.espn_id: plan.game_values(game) for game in games}
        except TrackerError as error:
            lines = [str(error)]
        errors += [f"{league.label} {name}: {line}" for line in lines]
    begins = min((day for day in calendar if first <= day <= last), default=first)
    return Answers(dict(sorted(boards.items())), standings, begins)
