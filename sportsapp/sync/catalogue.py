"""What changes by the day or the week: leagues with their seasons, standings, teams, rosters.

A league's TrackerError becomes a line in ``errors`` while the other leagues go on; when every
league fails, AllLeaguesFailedError is raised.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select

from sportsapp.core.clock import game_day
from sportsapp.core.errors import PayloadError, TrackerError
from sportsapp.core.leagues import League
from sportsapp.core.records import TeamRecord
from sportsapp.db.models import LeagueRow
from sportsapp.feed import parse
from sportsapp.feed.fetch import PARALLEL, fetch_all
from sportsapp.sync import store
from sportsapp.sync.context import LeaguesResult, SyncContext, SyncResult, league_call
from sportsapp.sync.failing import mark_failed
from sportsapp.sync.fields import roster_notes, standing_notes, team_notes
from sportsapp.sync.scoreboards import sync_ahead
from sportsapp.sync.steps import Steps, parts_of


def sync_leagues(context: SyncContext, leagues: Sequence[League]) -> LeaguesResult:
    """Every league's season from today's scoreboard, its standings, and the weeks to come.

    Where the list of teams has lost many at once, that list too, to know whether it goes on. Each
    step is about a few leagues.
    """
    by_slug = {league.slug: league for league in leagues}
    stored = set(context.session.scalars(select(LeagueRow.slug)))
    slugs = [{slug: slug in stored for slug in some} for some in parts_of(list(by_slug), PARALLEL)]
    steps = Steps(context, [["seasons", some] for some in slugs], LeaguesResult())
    for current, (kind, about) in steps:
        some = [by_slug[slug] for slug in about if slug in by_slug]
        if kind == "seasons":
            _sync_seasons(current, some, about, steps)
        elif kind == "standings":
            steps.result.errors += _sync_standings(current, some)
        elif kind == "teams":
            for league in some:
                try:
                    _, lines = _sync_team_list(current, league)
                except TrackerError as error:
                    lines = [str(error)]
                    current.report(league, error)
                steps.result.errors += [f"{league.label} teams: {line}" for line in lines]
        else:
            following = {slug: [date.fromisoformat(day) for day in about[slug]] for slug in about}
            ahead = {league: following[league.slug] for league in some}
            steps.result.errors += sync_ahead(current, ahead)
    steps.raise_if_all_failed(leagues)
    return steps.result


def _sync_seasons(
    context: SyncContext,
    leagues: Sequence[League],
    is_stored: Mapping[str, bool],
    steps: Steps[LeaguesResult],
) -> None:
    """Store these leagues and their seasons. The steps that follow are about those that are well.

    ``is_stored`` is whether a league was stored before the run, by slug.
    """
    today = game_day(context.now)
    has_lost = select(LeagueRow.id).where(LeagueRow.teams_lost_since.is_not(None))
    in_doubt = set(context.session.scalars(has_lost))
    refs = store.league_refs(context, leagues)
    following: dict[str, list[str]] = {}
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
            steps.failures[league.slug] = error
            mark_failed(context, refs[league], error)
            context.report(league, error)
            continue
        following[league.slug] = [f"{day}" for day in season if day > today][:1]
        store.store_league(context, refs[league], record, season)
        if is_stored[league.slug]:
            steps.result.updated += 1
        else:
            steps.result.created += 1
    failures = [(league, steps.failures.get(league.slug)) for league in leagues]
    steps.result.errors += sorted(f"{league.label}: {error}" for league, error in failures if error)
    if well := [league.slug for league in leagues if league.slug in following]:
        lost = [league.slug for league in leagues if refs[league].id in in_doubt]
        steps.todo.append(["standings", well])
        steps.todo += [["teams", [slug]] for slug in lost if slug in following]
        steps.todo.append(["ahead", {slug: following[slug] for slug in well}])


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


def sync_teams(context: SyncContext, leagues: Sequence[League]) -> SyncResult:
    """Every league's teams and their rosters; ``synced`` counts teams.

    A step is a league's list of teams, or a few rosters.
    """
    by_slug = {league.slug: league for league in leagues}
    steps = Steps(context, [["teams", slug] for slug in by_slug], SyncResult())
    for current, (kind, slug, *teams) in steps:
        league = by_slug.get(slug)
        if league is None:  # it is not followed any more
            continue
        if kind == "teams":
            try:
                listed, errors = _sync_team_list(current, league)
            except TrackerError as error:
                steps.failures[slug] = error
                current.report(league, error)
                listed, errors = [], [str(error)]
            steps.result.synced += len({team.espn_id for team in listed})
            steps.result.errors += [f"{league.label}: {line}" for line in errors]
            rosters = sorted({(team.espn_id, team.abbreviation) for team in listed})
            steps.todo += [["rosters", slug, *some] for some in parts_of(rosters, PARALLEL)]
        else:
            steps.result.errors += _sync_rosters(current, league, teams)
    steps.raise_if_all_failed(leagues)
    return steps.result


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
