"""What changes by the day or the week: leagues with their seasons, standings, teams, rosters.

A league's TrackerError becomes a line in ``errors`` while the other leagues go on; when every
league fails, AllLeaguesFailedError is raised.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from sportsapp.core.clock import game_day
from sportsapp.core.errors import AllLeaguesFailedError, PayloadError, TrackerError
from sportsapp.core.leagues import League
from sportsapp.core.records import TeamRecord
from sportsapp.db.models import LeagueRow
from sportsapp.feed import parse
from sportsapp.feed.fetch import PARALLEL, fetch_all
from sportsapp.sync import store
from sportsapp.sync.context import LeaguesResult, SyncContext, SyncResult, league_call
from sportsapp.sync.fields import roster_notes, standing_notes, team_notes
from sportsapp.sync.scoreboards import sync_ahead


def sync_leagues(context: SyncContext, leagues: Sequence[League]) -> LeaguesResult:
    """Every league's season from today's scoreboard, its standings, and the weeks to come.

    Where the list of teams has lost many at once, that list too, to know whether it goes on.
    """
    today = game_day(context.now)
    stored = set(context.session.scalars(select(LeagueRow.slug)))
    has_lost = select(LeagueRow.id).where(LeagueRow.teams_lost_since.is_not(None))
    in_doubt = set(context.session.scalars(has_lost))
    refs = store.league_refs(context, leagues)
    result = LeaguesResult()
    failures: dict[str, TrackerError] = {}
    seasons: dict[League, tuple[date, ...]] = {}
    request = context.client.scoreboard
    calls = {league: league_call(request, league, today) for league in leagues}
    for league, future in fetch_all(calls):
        try:
            answer = future.result()
            record = answer.parsed(parse.parse_scoreboard, league).league
            if record is None:
                text = "the scoreboard names no league"
                raise PayloadError(text, path="$.leagues", body=answer.body)
            season = parse.parse_calendar(answer.body)
        except TrackerError as error:
            failures[league.slug] = error
            store.mark_failed(context, refs[league], error)
            context.report(league, error)
            continue
        seasons[league] = season
        store.store_league(context, refs[league], record, season)
        if league.slug in stored:
            result.updated += 1
        else:
            result.created += 1
    if failures and len(failures) == len(leagues):
        raise AllLeaguesFailedError(failures)
    result.errors += [f"{slug.upper()}: {error}" for slug, error in sorted(failures.items())]
    well = [league for league in leagues if league in seasons]
    result.errors += _sync_standings(context, well)
    for league in well:
        if refs[league].id in in_doubt:
            try:
                _, lines = _sync_team_list(context, league)
            except TrackerError as error:
                lines = [str(error)]
                context.report(league, error)
            result.errors += [f"{league.label} teams: {line}" for line in lines]
    result.errors += sync_ahead(context, {league: seasons[league] for league in well})
    return result


def _sync_standings(context: SyncContext, leagues: Sequence[League]) -> list[str]:
    """Store every league's standings. Returns a line for each part that failed, sorted."""
    refs = store.league_refs(context, leagues)
    lines = []
    calls = {league: league_call(context.client.standings, league) for league in leagues}
    for league, future in fetch_all(calls):
        try:
            answer = future.result()
            standings, errors = answer.parsed(parse.parse_standings, league)
            store.store_standings(context, refs[league], standings)
            notes = standing_notes(standings, errors, league)
            context.count_fields(league, refs[league].id, "standings", notes, answer.body)
            lines += [f"{league.label} standings: {line}" for line in errors]
        except TrackerError as error:
            lines.append(f"{league.label} standings: {error}")
            context.report(league, error)
    return sorted(lines)


def sync_teams(
    context: SyncContext, leagues: Sequence[League], resume: Mapping[str, Any] | None = None
) -> SyncResult:
    """Every league's teams and their rosters; ``synced`` counts teams.

    ``context.progress`` is called after each league and before each few rosters, with the point to
    resume from; given back as ``resume``, it lets another run continue there.
    """
    resume = resume or {"done": [], "failed": [], "rosters": None, "result": {}}
    done, failed, rosters = list(resume["done"]), list(resume["failed"]), resume["rosters"]
    result = SyncResult(**resume["result"])
    failures: dict[str, TrackerError] = {}

    def step() -> None:
        point = {"done": [*done], "failed": [*failed], "rosters": rosters}
        point["result"] = result.as_dict()
        context.progress(len(done), len(leagues), point)

    for league in leagues:
        if league.slug in done:
            continue
        if rosters is None:  # else an earlier run has stored the teams
            try:
                teams, errors = _sync_team_list(context, league)
            except TrackerError as error:
                failures[league.slug] = error
                failed.append(league.slug)
                result.errors.append(f"{league.label}: {error}")
                context.report(league, error)
                teams, errors = [], []
            rosters = sorted({(team.espn_id, team.abbreviation) for team in teams})
            result.synced += len({team.espn_id for team in teams})
            result.errors += [f"{league.label}: {line}" for line in errors]
        while rosters:
            step()
            result.errors += _sync_rosters(context, league, rosters[:PARALLEL])
            rosters = rosters[PARALLEL:]
        done.append(league.slug)
        rosters = None
        step()
    if failures and len(failed) == len(leagues):
        context.progress(0, len(leagues), None)  # nothing is done: a retry begins at the beginning
        raise AllLeaguesFailedError(failures)
    return result


def _sync_team_list(context: SyncContext, league: League) -> tuple[list[TeamRecord], list[str]]:
    """Store a league's list of teams. Returns it, and a line for each part that failed.

    Raises the league's TrackerError.
    """
    answer = context.client.teams(league)
    teams, errors = answer.parsed(parse.parse_teams, league)
    ref = store.league_ref(context, league)
    lost = store.store_teams(context, ref, teams, is_whole=not errors)
    context.count_fields(league, ref.id, "teams", team_notes(teams, errors), answer.body)
    if lost:
        errors = [*errors, f"the list lacks {lost} teams; they stay unless it goes on lacking them"]
    return teams, errors


def _sync_rosters(
    context: SyncContext, league: League, teams: Sequence[Sequence[str]]
) -> list[str]:
    """Store the rosters of these teams, each an id and an abbreviation.

    Returns a line for each part that failed, sorted.
    """
    ref = store.league_ref(context, league)
    lines: list[str] = []
    calls = {
        (espn_id, abbreviation): league_call(context.client.roster, league, espn_id)
        for espn_id, abbreviation in teams
    }
    for (espn_id, abbreviation), future in fetch_all(calls):
        subject = f"{league.label} {abbreviation} roster"
        try:
            answer = future.result()
            roster = answer.parsed(parse.parse_roster)
            if roster.players and (lost := store.store_roster(context, ref, espn_id, roster)):
                lines.append(f"{subject}: {len(roster.players)} listed, {lost} missing: kept")
            context.count_fields(league, ref.id, "roster", roster_notes(roster), answer.body)
            lines += [f"{subject}: {line}" for line in roster.errors]
        except TrackerError as error:
            lines.append(f"{subject}: {error}")
            context.report(league, error)
    return sorted(lines)
