"""What changes by the day or the week: leagues with their seasons, standings, teams, rosters.

A league's TrackerError becomes a line in ``errors`` while the other leagues go on; when every
league fails, AllLeaguesFailedError is raised.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from sportsapp.core.clock import game_day
from sportsapp.core.errors import AllLeaguesFailedError, PayloadError, TrackerError
from sportsapp.core.leagues import League
from sportsapp.core.records import TeamRecord
from sportsapp.db.models import LeagueRow
from sportsapp.feed import parse
from sportsapp.feed.fetch import fetch_all
from sportsapp.sync import store
from sportsapp.sync.context import LeaguesResult, SyncContext, SyncResult, league_call
from sportsapp.sync.scoreboards import sync_ahead


def sync_leagues(context: SyncContext, leagues: Sequence[League]) -> LeaguesResult:
    """Every league's season from today's scoreboard, its standings, and the weeks to come."""
    today = game_day(context.now)
    stored = set(context.session.scalars(select(LeagueRow.slug)))
    refs = store.league_refs(context, leagues)
    result = LeaguesResult()
    failures: dict[str, TrackerError] = {}
    seasons: dict[League, tuple[date, ...]] = {}
    request = context.client.scoreboard
    calls = {league: league_call(request, league, today) for league in leagues}
    for league, future in fetch_all(calls):
        try:
            body = future.result().body
            record = parse.parse_scoreboard(body, league).league
            if record is None:
                text = "the scoreboard names no league"
                raise PayloadError(text, path="$.leagues", body=body)
            season = parse.parse_calendar(body)
        except TrackerError as error:
            failures[league.slug] = error
            store.mark_failed(context, refs[league], error)
            context.report(league, error)
            continue
        seasons[league] = season
        store.store_league(context, refs[league], record)
        if league.slug in stored:
            result.updated += 1
        else:
            result.created += 1
    if failures and len(failures) == len(leagues):
        raise AllLeaguesFailedError(failures)
    result.errors += [f"{slug.upper()}: {error}" for slug, error in sorted(failures.items())]
    well = [league for league in leagues if league in seasons]
    result.errors += _sync_standings(context, well)
    result.errors += sync_ahead(context, {league: seasons[league] for league in well})
    return result


def _sync_standings(context: SyncContext, leagues: Sequence[League]) -> list[str]:
    """Store every league's standings. Returns a line for each part that failed, sorted."""
    refs = store.league_refs(context, leagues)
    lines = []
    calls = {league: league_call(context.client.standings, league) for league in leagues}
    for league, future in fetch_all(calls):
        try:
            standings, errors = parse.parse_standings(future.result().body, league)
            store.store_standings(context, refs[league], standings)
            lines += [f"{league.label} standings: {line}" for line in errors]
        except TrackerError as error:
            lines.append(f"{league.label} standings: {error}")
            context.report(league, error)
    return sorted(lines)


def sync_teams(context: SyncContext, leagues: Sequence[League]) -> SyncResult:
    """Every league's teams and their rosters; ``synced`` counts teams.

    ``context.progress`` is called after each league.
    """
    result = SyncResult()
    failures: dict[str, TrackerError] = {}
    for number, league in enumerate(leagues, 1):
        try:
            teams, errors = parse.parse_teams(context.client.teams(league).body, league)
        except TrackerError as error:
            failures[league.slug] = error
            result.errors.append(f"{league.label}: {error}")
            context.report(league, error)
        else:
            ref = store.league_ref(context, league)
            store.store_teams(context, ref, teams, is_whole=not errors)
            result.synced += len({team.espn_id for team in teams})
            result.errors += [f"{league.label}: {line}" for line in errors]
            result.errors += _sync_rosters(context, league, teams)
        context.progress(number, len(leagues), None)
    if failures and len(failures) == len(leagues):
        raise AllLeaguesFailedError(failures)
    return result


def _sync_rosters(context: SyncContext, league: League, teams: Sequence[TeamRecord]) -> list[str]:
    """Store the rosters of these teams. Returns a line for each part that failed, sorted."""
    ref = store.league_ref(context, league)
    lines: list[str] = []
    calls = {team: league_call(context.client.roster, league, team.espn_id) for team in teams}
    for team, future in fetch_all(calls):
        subject = f"{league.label} {team.abbreviation} roster"
        try:
            roster = parse.parse_roster(future.result().body)
            if roster.players:
                store.store_roster(context, ref, team.espn_id, roster)
            lines += [f"{subject}: {line}" for line in roster.errors]
        except TrackerError as error:
            lines.append(f"{subject}: {error}")
            context.report(league, error)
    return sorted(lines)
