"""Writing: the changes of one answer in one short transaction. Twice the same writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, select, update

from sportsapp.core.clock import game_day
from sportsapp.core.leagues import League
from sportsapp.core.records import (
    GameRecord,
    LeagueRecord,
    RosterRecord,
    ScoreboardRecord,
    StandingRecord,
    TeamRecord,
)
from sportsapp.db.engine import AnySession, writing
from sportsapp.db.models import Game, GameDoubt, LeagueRow, Player, Scoreboard, Team
from sportsapp.db.upsert import insert_ignoring, insert_replacing
from sportsapp.feed.client import Answer
from sportsapp.sync import plan

# A poll stamp finer than this tells nobody anything, and would be a write for nothing.
POLL_STAMP = timedelta(seconds=5)
READ = {"failing_since": None, "failure": ""}

GAMES: Table = Game.__table__
TEAMS: Table = Team.__table__
PLAYERS: Table = Player.__table__
LEAGUES: Table = LeagueRow.__table__
SCOREBOARDS: Table = Scoreboard.__table__


# Building a statement takes longer than running it, so those of every tick are built once.
_REFS = select(LEAGUES.c.slug, LEAGUES.c.id, LEAGUES.c.polled_at, LEAGUES.c.failing_since).where(
    LEAGUES.c.slug.in_(bindparam("slugs", expanding=True))
)
_KNOWN = select(
    SCOREBOARDS.c.league_id, SCOREBOARDS.c.day, SCOREBOARDS.c.digest, SCOREBOARDS.c.game_ids
).where(
    SCOREBOARDS.c.league_id.in_(bindparam("league_ids", expanding=True)),
    SCOREBOARDS.c.day.in_(bindparam("days", expanding=True)),
)
# Doubts are few and games are many: only an outer join makes SQLite begin with the doubts.
_DOUBTED = select(
    GAMES.c.league_id, GAMES.c.espn_id, GameDoubt.game_id, GameDoubt.since_at, GameDoubt.answers
).join(GAMES, GAMES.c.id == GameDoubt.game_id, isouter=True)
_LEAGUE = (
    select(LEAGUES).where(LEAGUES.c.id == bindparam("league_id")).with_for_update()
)  # SQLite, where writers take turns anyway, knows no such lock and is not told of it
_THIS_LEAGUE = update(LEAGUES).where(LEAGUES.c.id == bindparam("league_id"))
_TEAMS = select(TEAMS).where(TEAMS.c.league_id == bindparam("league_id"))


@dataclass(frozen=True, slots=True)
class LeagueRef:
    """A league's row as far as a sync needs it."""

    id: int
    polled_at: datetime | None
    failing_since: datetime | None


Boards = dict[date, tuple[str, list[str]]]


def league_refs(
    session: AnySession, leagues: Sequence[League], now: datetime
) -> dict[League, LeagueRef]:
    """The rows of these leagues, made from the table of leagues where there is none yet."""
    refs = _league_refs(session, leagues)
    missing = [league for league in leagues if league not in refs]
    if missing:
        rows = [
            {
                "slug": league.slug, "name": league.name, "season_name": "", "failure": "",
                "created_at": now, "updated_at": now,
            }
            for league in missing
        ]  # fmt: skip
        with writing(session):
            insert_ignoring(session, LEAGUES, rows, ["slug"])
        refs = _league_refs(session, leagues)
    return refs


def _league_refs(session: AnySession, leagues: Sequence[League]) -> dict[League, LeagueRef]:
    by_slug = {league.slug: league for league in leagues}
    rows = session.execute(_REFS, {"slugs": list(by_slug)})
    return {by_slug[row[0]]: LeagueRef(*row[1:]) for row in rows}


def known_answers(
    session: AnySession, league_ids: Iterable[int], days: Iterable[date]
) -> dict[int, Boards]:
    """Digest and game ids of the last whole answer stored, by league and day."""
    wanted = {"league_ids": list(set(league_ids)), "days": list(set(days))}
    answers: dict[int, Boards] = {}
    for league_id, day, digest, game_ids in session.execute(_KNOWN, wanted):
        answers.setdefault(league_id, {})[day] = (digest, game_ids)
    return answers


def mark_read(session: AnySession, leagues: Iterable[LeagueRef], now: datetime) -> None:
    """Note that the feed was read well just now. Commits when there is something to note."""
    due = [
        league.id
        for league in leagues
        if league.failing_since or not league.polled_at or now - league.polled_at >= POLL_STAMP
    ]
    if due:
        stale = (LEAGUES.c.polled_at.is_(None)) | (LEAGUES.c.polled_at <= now - POLL_STAMP)
        failing = LEAGUES.c.failing_since.is_not(None)
        with writing(session):
            session.execute(
                update(LEAGUES)
                .where(LEAGUES.c.id.in_(due), stale | failing)
                .values(READ | {"polled_at": now})
            )


def confirm_answers(
    session: AnySession, unchanged: Mapping[LeagueRef, Iterable[str]], now: datetime
) -> None:
    """Note that stored answers came again: what contradicted them in between was old.

    ``unchanged`` holds the ids of the games they held. Commits when there is something to note.
    """
    ids = {league.id: set(games) for league, games in unchanged.items()}
    rows = session.execute(_DOUBTED)
    doubted = [row.game_id for row in rows if row.espn_id in ids.get(row.league_id, ())]
    if doubted:
        with writing(session):
            session.execute(delete(GameDoubt).where(GameDoubt.game_id.in_(doubted)))
    mark_read(session, unchanged, now)


def mark_failed(session: AnySession, league: LeagueRef, error: str, now: datetime) -> None:
    """Note that the feed could not be read, and since when. Commits."""
    league_id = league.id
    with writing(session):
        row = session.get_one(LeagueRow, league_id)
        row.failing_since = row.failing_since or now
        row.failure = error


def store_scoreboard(
    session: AnySession,
    league: LeagueRef,
    fetched: ScoreboardRecord,
    games: Sequence[GameRecord],
    now: datetime,
    *,
    day: date | None = None,
    answer: Answer | None = None,
    run_id: str | None = None,
) -> None:
    """Write what these games change, in one transaction. Commits.

    ``games`` are those of ``fetched`` that are wanted. With ``day`` and ``answer`` the answer is
    remembered, so that the same bytes need not be decoded again. An answer with broken events or
    games that were held back is not stored whole: then only that the day was read is noted.
    """
    league_id = league.id
    with writing(session):
        row = _locked(session, league_id)
        teams = _teams_with(session, league_id, plan.teams_of(games).values(), now)
        stored = _stored_games(session, league_id, [game.espn_id for game in games], teams)
        doubts = _doubts(session, league_id) if stored else {}
        changes = plan.plan_games(stored, games, doubts, now)
        _write_games(session, league_id, changes, stored, teams, now, run_id)
        current = [game for game in games if game.espn_id not in changes.doubts]
        has_news = _write_records(session, teams, current, now)
        values = _read_now(row, now)
        if day == game_day(now):
            values |= _season(row, fetched.league, now)
        if changes.inserts or changes.updates or has_news:
            values |= _new_version(row, now)
        _write_league(session, league_id, values)
        if day and answer:
            ids = [game.espn_id for game in fetched.games]
            digest = "" if fetched.errors or changes.doubts else answer.digest
            _remember(session, league_id, day, digest, ids, now)


def _locked(session: AnySession, league_id: int) -> Any:
    """The league's row. Syncs of one league take turns until their transactions end."""
    return session.execute(_LEAGUE, {"league_id": league_id}).one()


def _teams_with(
    session: AnySession, league_id: int, needed: Iterable[TeamRecord], now: datetime
) -> dict[str, dict[str, Any]]:
    """The league's teams by the feed's id; unknown ones (guests, all-stars) are made."""
    stored = _stored_teams(session, league_id)
    missing = {team.espn_id: team for team in needed if team.espn_id not in stored}
    if missing:
        rows = [_new_team(league_id, plan.team_values(team), now) for team in missing.values()]
        session.execute(insert(TEAMS), rows)
        stored = _stored_teams(session, league_id)
    return stored


def _new_team(league_id: int, values: dict[str, Any], now: datetime) -> dict[str, Any]:
    blank = {"listed": False, "record": "", "standing_group": "", "standing": {}}
    stamps = {"league_id": league_id, "created_at": now, "updated_at": now}
    return blank | values | stamps


def _stored_teams(session: AnySession, league_id: int) -> dict[str, dict[str, Any]]:
    rows = session.execute(_TEAMS, {"league_id": league_id})
    return {row["espn_id"]: dict(row) for row in rows.mappings()}


def _stored_games(
    session: AnySession, league_id: int, ids: Sequence[str], teams: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    espn_ids = {team["id"]: espn_id for espn_id, team in teams.items()}
    found = select(GAMES).where(GAMES.c.league_id == league_id, GAMES.c.espn_id.in_(ids))
    games = {}
    for row in session.execute(found).mappings():
        values = dict(row)
        values["home_team"] = espn_ids.get(values["home_team_id"])
        values["away_team"] = espn_ids.get(values["away_team_id"])
        games[values["espn_id"]] = values
    return games


def _doubts(session: AnySession, league_id: int) -> dict[str, plan.Doubt]:
    return {
        row.espn_id: plan.Doubt(row.since_at, row.answers)
        for row in session.execute(_DOUBTED)
        if row.league_id == league_id
    }


def _write_games(
    session: AnySession,
    league_id: int,
    changes: plan.GamePlan,
    stored: Mapping[str, Mapping[str, Any]],
    teams: Mapping[str, Mapping[str, Any]],
    now: datetime,
    run_id: str | None,
) -> None:
    stamps = {"updated_at": now, "changed_by_run": run_id}
    if changes.inserts:
        new = {"league_id": league_id, "created_at": now} | stamps
        session.execute(insert(GAMES), [_columns(v, teams) | new for v in changes.inserts])
    for espn_id, values in changes.updates.items():
        game_id = stored[espn_id]["id"]
        session.execute(
            update(GAMES).where(GAMES.c.id == game_id).values(_columns(values, teams) | stamps)
        )
    over = [stored[espn_id]["id"] for espn_id in [*changes.settled, *changes.doubts]]
    if over:
        session.execute(delete(GameDoubt).where(GameDoubt.game_id.in_(over)))
    if changes.doubts:
        rows = [
            {"game_id": stored[espn_id]["id"], "since_at": one.since_at, "answers": one.answers}
            for espn_id, one in changes.doubts.items()
        ]
        session.execute(insert(GameDoubt), rows)


def _columns(values: dict[str, Any], teams: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Planned values as columns: the feed's team ids become ours."""
    columns = dict(values)
    for side in ("home_team", "away_team"):
        if side in columns:
            espn_id = columns.pop(side)
            columns[f"{side}_id"] = teams[espn_id]["id"] if espn_id else None
    return columns


def _write_records(
    session: AnySession,
    teams: Mapping[str, Mapping[str, Any]],
    games: Sequence[GameRecord],
    now: datetime,
) -> bool:
    """Write the teams' records where they have changed; whether any had."""
    has_news = False
    for espn_id, record in plan.records_of(games, game_day(now)).items():
        team = teams[espn_id]
        if team["record"] != record:
            has_news = True
            changed = update(TEAMS).where(TEAMS.c.id == team["id"])
            session.execute(changed.values(record=record, updated_at=now))
    return has_news


def _read_now(row: Any, now: datetime) -> dict[str, Any]:
    """That a league was read well, unless that was noted a moment ago."""
    if not row.failing_since and row.polled_at and row.polled_at > now - POLL_STAMP:
        return {}
    return READ | {"polled_at": now}


def _season(row: Any, said: LeagueRecord | None, now: datetime) -> dict[str, Any]:
    """A league's season, where it has changed."""
    if said is None or said.season_year is None:
        return {}
    said_now = (said.season_year, said.season_type, said.season_name)
    if said_now == (row.season_year, row.season_type, row.season_name):
        return {}
    values = dict(zip(("season_year", "season_type", "season_name"), said_now, strict=True))
    return values | {"updated_at": now}


def _new_version(row: Any, now: datetime) -> dict[str, Any]:
    """The next version of a league's data: always later, also when two changes share a time."""
    before = row.changed_at
    return {"changed_at": max(now, before + timedelta(microseconds=1)) if before else now}


def _write_league(session: AnySession, league_id: int, values: dict[str, Any]) -> None:
    if values:
        session.execute(_THIS_LEAGUE, {"league_id": league_id} | values)


def _remember(
    session: AnySession, league_id: int, day: date, digest: str, ids: list[str], now: datetime
) -> None:
    row = {
        "league_id": league_id, "day": day, "digest": digest, "game_ids": ids, "stored_at": now,
    }  # fmt: skip
    write = insert_replacing if digest else insert_ignoring
    write(session, SCOREBOARDS, [row], ["league_id", "day"])


def store_league(session: AnySession, league: LeagueRef, said: LeagueRecord, now: datetime) -> None:
    """Write a league's name and season where they have changed. Commits."""
    league_id = league.id
    with writing(session):
        row = _locked(session, league_id)
        values = _read_now(row, now) | _season(row, said, now)
        if said.name and row.name != said.name:
            values |= {"name": said.name, "updated_at": now}
        _write_league(session, league_id, values)


def store_teams(
    session: AnySession,
    league: LeagueRef,
    fetched: Sequence[TeamRecord],
    now: datetime,
    *,
    is_whole: bool = True,
) -> dict[str, int]:
    """Write what a list of teams changes. Commits. Our id of each listed team by the feed's."""
    league_id = league.id
    with writing(session):
        row = _locked(session, league_id)
        stored = _stored_teams(session, league_id)
        changes = plan.plan_teams(stored, fetched, is_whole=is_whole)
        if changes.inserts:
            rows = [_new_team(league_id, values, now) for values in changes.inserts]
            session.execute(insert(TEAMS), rows)
        _update_teams(session, league_id, changes.updates, now)
        if changes.inserts or changes.updates:
            _write_league(session, league_id, _new_version(row, now))
        stored = _stored_teams(session, league_id)
    return {team.espn_id: stored[team.espn_id]["id"] for team in fetched}


def _update_teams(
    session: AnySession, league_id: int, updates: Mapping[str, dict[str, Any]], now: datetime
) -> None:
    for espn_id, values in updates.items():
        here = (TEAMS.c.league_id == league_id) & (TEAMS.c.espn_id == espn_id)
        session.execute(update(TEAMS).where(here).values(values | {"updated_at": now}))


def store_standings(
    session: AnySession, league: LeagueRef, fetched: Sequence[StandingRecord], now: datetime
) -> None:
    """Write what standings change of the teams. Commits."""
    league_id = league.id
    with writing(session):
        row = _locked(session, league_id)
        teams = _teams_with(session, league_id, [line.team for line in fetched], now)
        updates = plan.plan_standings(teams, fetched)
        _update_teams(session, league_id, updates, now)
        if updates:
            _write_league(session, league_id, {"standings_at": now} | _new_version(row, now))


def store_roster(
    session: AnySession, league: LeagueRef, team_id: int, fetched: RosterRecord, now: datetime
) -> None:
    """Write what a roster changes: players come, move here, leave. Commits."""
    league_id = league.id
    ids = [player.espn_id for player in fetched.players]
    with writing(session):
        row = _locked(session, league_id)
        concerned = (PLAYERS.c.league_id == league_id) & (
            PLAYERS.c.espn_id.in_(ids) | (PLAYERS.c.team_id == team_id)
        )
        players = session.scalars(select(Player).where(concerned))
        stored = {player.espn_id: player for player in players}
        known = {espn_id: _player_values(player) for espn_id, player in stored.items()}
        is_whole = not fetched.errors
        changes = plan.plan_roster(known, fetched.players, team_id, is_whole=is_whole)
        for values in changes.inserts:
            stamps = {"league_id": league_id, "created_at": now, "updated_at": now}
            session.add(Player(**values, **stamps))
        for espn_id, values in changes.updates.items():
            for name, value in values.items():
                setattr(stored[espn_id], name, value)
            stored[espn_id].updated_at = now
        if changes.inserts or changes.updates:
            _write_league(session, league_id, _new_version(row, now))


def _player_values(row: Player) -> dict[str, Any]:
    names = (
        "espn_id", "team_id", "name", "jersey", "position", "position_name", "group", "status",
        "height", "weight", "born_on", "active",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}
