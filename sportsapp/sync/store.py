"""Writing: the changes of one answer in one short transaction. Twice the same writes nothing.

Every function that stores an answer locks the league's row first, so that two syncs of one league
take turns, then loads what the answer may change, plans, and applies the plan.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Table, delete, insert, select, tuple_, update

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
from sportsapp.db.models import FormerAbbreviation, GameDoubt, Player
from sportsapp.db.models.league import CALLED
from sportsapp.db.upsert import insert_ignoring, insert_replacing, update_rows
from sportsapp.sync import lists, plan
from sportsapp.sync.context import SyncContext
from sportsapp.sync.doubts import Doubt, one_more
from sportsapp.sync.events import write_events
from sportsapp.sync.failed_days import add_failed
from sportsapp.sync.listed import without_lost_scores
from sportsapp.sync.load import (
    GAMES,
    LEAGUES,
    SCOREBOARDS,
    TEAMS,
    Row,
    load_scoreboard,
    locked_league,
    select_doubts,
    teams_of_league,
)
from sportsapp.sync.stamps import next_stamps

PLAYERS: Table = Player.__table__
MAP_KEY = ("league_id", "day")
FORMER_ABBREVIATIONS: Table = FormerAbbreviation.__table__


# ---------------------------------------------------------------- leagues and how they are read


@dataclass(frozen=True, slots=True)
class LeagueRef:
    """A league's row as far as a sync needs it."""

    id: int
    label: str
    polled_at: datetime | None
    failing_since: datetime | None


def league_refs(context: SyncContext, leagues: Sequence[League]) -> dict[League, LeagueRef]:
    """The rows of these leagues. A league that has none yet gets one, which commits."""
    by_slug = {league.slug: league for league in leagues}
    columns = LEAGUES.c.slug, LEAGUES.c.id, LEAGUES.c.polled_at, LEAGUES.c.failing_since
    query = select(*columns).where(LEAGUES.c.slug.in_(by_slug))
    rows = context.session.execute(query).all()
    stored = {row.slug for row in rows}
    missing = [league for slug, league in by_slug.items() if slug not in stored]
    if missing:
        stamps = {"created_at": context.now, "updated_at": context.now}
        new = [{"slug": league.slug, "name": league.name} | stamps for league in missing]
        with writing(context.session) as session:
            insert_ignoring(session, LEAGUES, new, ["slug"])
        rows = context.session.execute(query).all()
    return {
        by_slug[slug]: LeagueRef(row_id, by_slug[slug].label, *stamps)
        for slug, row_id, *stamps in rows
    }


def league_ref(context: SyncContext, league: League) -> LeagueRef:
    """The row of one league, as ``league_refs`` has it."""
    return league_refs(context, [league])[league]


class KnownAnswer(NamedTuple):
    """The last answer that was stored of a league's day, as its row in the map has it."""

    digest: str
    game_ids: list[str]
    read_at: datetime | None


def known_answers(
    context: SyncContext, leagues: Iterable[LeagueRef], days: Iterable[date]
) -> dict[tuple[int, date], KnownAnswer]:
    """The last answers stored, by the league row's id and day."""
    table = SCOREBOARDS.c
    columns = table.league_id, table.day, table.digest, table.game_ids, table.read_at
    rows = context.session.execute(
        select(*columns).where(
            table.league_id.in_([league.id for league in leagues]), table.day.in_(list(days))
        )
    )
    return {(league_id, day): KnownAnswer(*answer) for league_id, day, *answer in rows}


def confirm_answers(
    context: SyncContext,
    unchanged: Mapping[tuple[LeagueRef, date], KnownAnswer],
    failed: Collection[LeagueRef] = (),
) -> None:
    """Note that stored answers came again: what contradicted them in between was old.

    Their days are read anew, and with today their leagues, unless they are among the ``failed``.
    Commits when there is something to note.
    """
    if not unchanged:
        return
    ids: dict[int, set[str]] = {}
    for (league, _), answer in unchanged.items():
        ids.setdefault(league.id, set()).update(answer.game_ids)
    rows = context.session.execute(select_doubts().where(GameDoubt.since_at <= context.now))
    doubted = [row.game_id for row in rows if row.espn_id in ids.get(row.league_id, ())]
    if doubted:
        with writing(context.session) as session:
            session.execute(delete(GameDoubt).where(GameDoubt.game_id.in_(doubted)))
    polled = {
        league.id
        for league, day in unchanged
        if league not in failed
        and day == game_day(context.now)
        and plan.poll_values(league.polled_at, league.failing_since, context.now)
    }
    read = [
        (league.id, day)
        for (league, day), answer in unchanged.items()
        if plan.poll_values(answer.read_at, None, context.now)
    ]
    if not polled and not read:
        return
    these_days = tuple_(SCOREBOARDS.c.league_id, SCOREBOARDS.c.day).in_(read)
    marks = plan.poll_values(None, None, context.now)
    failing = polled & {league.id for league, _ in unchanged if league.failing_since}
    with writing(context.session) as session:
        leagues = [locked_league(session, league_id) for league_id in sorted(failing)]
        if read:
            stamps = {"read_at": context.now, "read_by_run": context.run_id}
            session.execute(update(SCOREBOARDS).where(these_days).values(stamps))
        if polled:
            # one that began to fail meanwhile, for another process, is left to the next sync
            is_well = LEAGUES.c.failing_since.is_(None) | LEAGUES.c.id.in_(failing)
            these = update(LEAGUES).where(LEAGUES.c.id.in_(polled), is_well)
            session.execute(these.values(marks))
    for row in leagues:
        context.tally.note_poll(row, marks)


def note_tried(context: SyncContext, league: LeagueRef, days: Sequence[date]) -> None:
    """Note that these days, in order, were asked for now, whatever became of it. Commits."""
    row = {"league_id": league.id, "digest": "", "game_ids": [], "stored_at": context.now}
    these_days = SCOREBOARDS.c.league_id == league.id, SCOREBOARDS.c.day.between(days[0], days[-1])
    with writing(context.session) as session:
        insert_ignoring(session, SCOREBOARDS, [row | {"day": day} for day in days], MAP_KEY)
        session.execute(update(SCOREBOARDS).where(*these_days).values(stored_at=context.now))


# ---------------------------------------------------------------- a scoreboard


def store_scoreboard(
    context: SyncContext,
    league: LeagueRef,
    scoreboard: ScoreboardRecord,
    games: Sequence[GameRecord],
    *,
    days: Sequence[date] = (),
    digest: str = "",
) -> dict[str, date]:
    """Write what these games change, in one transaction. Commits.

    ``games`` are those of ``scoreboard`` that are wanted, ``days`` those of which it lists all
    games: they are read then. With the ``digest`` of a day's own answer the same bytes need not be
    decoded again.

    Returns the games that it and answers before it lack, with their days by id: they are to be
    looked for (``sync.missing``).
    """
    with writing(context.session) as session:
        stored = load_scoreboard(session, league.id, scoreboard, games, days)
        readable = without_lost_scores(stored.games, scoreboard)
        if readable is not scoreboard:
            games = [game for game in games if game in readable.games]
        changes = plan.plan_scoreboard(
            stored, readable, games, context.now, days=days, digest=digest
        )
        _apply(context, league.id, stored, changes)
        if readable.errors:  # no day is read by an answer that has one
            add_failed(context, {(league.id, day): readable.errors[0] for day in days})
        write_events(session, league.id, stored, changes.games, context.now)
    changed = changes.games.size + len(changes.listing.news.keys() - changes.games.updates)
    context.tally.add(league.label, "games", len(games), changed)
    context.tally.note_poll(stored.league, changes.league)
    return changes.listing.due


def _apply(
    context: SyncContext,
    league_id: int,
    stored: plan.StoredScoreboard,
    changes: plan.ScoreboardPlan,
) -> None:
    session, now, games = context.session, context.now, changes.games
    _write_teams(context, league_id, changes.teams)
    team_ids = {espn_id: team["id"] for espn_id, team in stored.teams.items()}
    if changes.teams.inserts:
        of_league = select(TEAMS.c.espn_id, TEAMS.c.id).where(TEAMS.c.league_id == league_id)
        team_ids = {row.espn_id: row.id for row in session.execute(of_league)}
    by_run = {"changed_by_run": context.run_id}
    if games.inserts:
        new = {"league_id": league_id, "created_at": now, "updated_at": now, "result_at": now}
        new |= by_run
        session.execute(insert(GAMES), [_columns(row, team_ids) | new for row in games.inserts])
    ids = {espn_id: game["id"] for espn_id, game in stored.games.items()}
    changed: dict[int, Row] = {}
    for espn_id in {**games.updates, **changes.listing.news}:
        values = games.updates.get(espn_id, {}) | changes.listing.news.get(espn_id, {})
        values |= next_stamps(stored.games[espn_id], values, now)
        changed[ids[espn_id]] = _columns(values, team_ids) | by_run
    update_rows(session, GAMES, changed)
    update_rows(session, GAMES, {ids[key]: row for key, row in changes.listing.marks.items()})
    ended = [ids[espn_id] for espn_id in [*games.settled, *games.doubts]]
    if ended:
        session.execute(delete(GameDoubt).where(GameDoubt.game_id.in_(ended)))
    if games.doubts:
        rows = [{"game_id": ids[key]} | asdict(doubt) for key, doubt in games.doubts.items()]
        session.execute(insert(GameDoubt), rows)
    _update_league(session, league_id, changes.league)
    if changes.forgotten:
        boards = SCOREBOARDS.c.league_id == league_id, SCOREBOARDS.c.day.in_(changes.forgotten)
        session.execute(update(SCOREBOARDS).where(*boards).values(digest=""))
    for answer in changes.answers:
        row = answer | {"league_id": league_id, "stored_at": now, "read_by_run": context.run_id}
        # an answer with an error is worse than one before it
        write = insert_replacing if answer["read_at"] else insert_ignoring
        write(session, SCOREBOARDS, [row], MAP_KEY)
    asked = [answer["day"] for answer in changes.answers if not answer["read_at"]]
    if asked:  # what could be read in them is current all the same
        of_days = SCOREBOARDS.c.league_id == league_id, SCOREBOARDS.c.day.in_(asked)
        session.execute(update(SCOREBOARDS).where(*of_days).values(stored_at=now))


def _columns(values: Row, team_ids: Mapping[str, int]) -> Row:
    """A game's planned values as columns: the feed's ids of the teams become ours."""
    columns = dict(values)
    for side in plan.TEAMS:
        if side in columns:
            espn_id = columns.pop(side)
            columns[f"{side}_id"] = team_ids[espn_id] if espn_id else None
    return columns


# ---------------------------------------------------------------- leagues, teams, rosters


def store_league(
    context: SyncContext, league: LeagueRef, fetched: LeagueRecord, season: Sequence[date] = ()
) -> None:
    """Write a league's name and season where they have changed. Commits.

    ``season`` are the days from which the season is known to have games, in order.
    """
    now = context.now
    with writing(context.session) as session:
        row = locked_league(session, league.id)
        values = plan.poll_values(row["polled_at"], row["failing_since"], now)
        values |= plan.season_values(row, fetched, now)
        if fetched.name and row["name"] != fetched.name:
            values |= {"name": fetched.name, "updated_at": now}
        if season and row["season_begins"] != season[0]:
            values |= {"season_begins": season[0], "updated_at": now} | plan.next_version(row, now)
        _update_league(session, league.id, values)
    context.tally.note_poll(row, values)


def store_teams(
    context: SyncContext, league: LeagueRef, fetched: Sequence[TeamRecord], *, is_whole: bool = True
) -> int:
    """Write what a list of teams changes. Commits.

    ``is_whole`` is False when a team of the list could not be read. Returns how many teams it
    lacks which stay listed, since so great a loss is doubted.
    """
    with writing(context.session) as session:
        row = locked_league(session, league.id)
        since_at, answers = row["teams_lost_since"], row["teams_lost_answers"]
        doubt = one_more(Doubt(since_at, answers) if since_at else None, context.now)
        changes = lists.plan_teams(
            teams_of_league(session, league.id),
            fetched,
            is_whole=is_whole,
            believes_loss=doubt.is_over(context.now),
        )
        values: Row = {}
        if changes.lost:
            values = {"teams_lost_since": doubt.since_at, "teams_lost_answers": doubt.answers}
        elif since_at and is_whole:
            values = {"teams_lost_since": None, "teams_lost_answers": 0}
        if _write_teams(context, league.id, changes):
            values |= plan.next_version(row, context.now)
        _update_league(session, league.id, values)
    context.tally.add(league.label, "teams", len(fetched), changes.size)
    return changes.lost


def store_standings(
    context: SyncContext, league: LeagueRef, fetched: Sequence[StandingRecord]
) -> None:
    """Write what standings change of the teams. Commits."""
    with writing(context.session) as session:
        row = locked_league(session, league.id)
        changes = lists.plan_standings(teams_of_league(session, league.id), fetched)
        if _write_teams(context, league.id, changes):
            version = plan.next_version(row, context.now)
            _update_league(session, league.id, version | {"standings_at": context.now})
    context.tally.add(league.label, "standings", len(fetched), changes.size)


def store_roster(
    context: SyncContext, league: LeagueRef, team_espn_id: str, fetched: RosterRecord
) -> int:
    """Write what the roster of a stored team changes: players come, move here, leave. Commits.

    Returns how many players it lacks who stay active, since so great a loss is doubted.
    """
    ids = [player.espn_id for player in fetched.players]
    with writing(context.session) as session:
        row = locked_league(session, league.id)
        this_team = TEAMS.c.league_id == league.id, TEAMS.c.espn_id == team_espn_id
        team_id = session.scalars(select(TEAMS.c.id).where(*this_team)).one()
        concerned = PLAYERS.c.espn_id.in_(ids) | (PLAYERS.c.team_id == team_id)
        players = select(PLAYERS).where(PLAYERS.c.league_id == league.id, concerned)
        stored = {row["espn_id"]: dict(row) for row in session.execute(players).mappings()}
        is_whole = not fetched.errors
        changes = lists.plan_roster(stored, fetched.players, team_id, is_whole=is_whole)
        if _write_rows(context, league.id, PLAYERS, changes):
            _update_league(session, league.id, plan.next_version(row, context.now))
    context.tally.add(league.label, "players", len(fetched.players), changes.size)
    return changes.lost


# ---------------------------------------------------------------- rows


def _update_league(session: AnySession, league_id: int, values: Row) -> None:
    if values:
        session.execute(update(LEAGUES).where(LEAGUES.c.id == league_id).values(values))


def _write_teams(context: SyncContext, league_id: int, changes: lists.RowPlan) -> bool:
    """As ``_write_rows``; a team that is renamed leaves its former names to its past games."""
    today = game_day(context.now)
    for row in changes.inserts:
        row.setdefault("named_on", today)
    for espn_id, values in changes.updates.items():
        if values.keys().isdisjoint(CALLED):
            continue
        on = values.setdefault("named_on", today)
        this_team = TEAMS.c.league_id == league_id, TEAMS.c.espn_id == espn_id
        team = context.session.execute(select(TEAMS).where(*this_team)).mappings().one()
        if team["abbreviation"] and "abbreviation" in values:
            row = {"league_id": league_id, "abbreviation": team["abbreviation"]}
            row["team_id"] = team["id"]
            insert_replacing(
                context.session, FORMER_ABBREVIATIONS, [row], ["league_id", "abbreviation"]
            )
        names = {name: team[name] for name in CALLED}
        for side in ("home", "away"):
            played = GAMES.c[f"{side}_team_id"] == team["id"], GAMES.c.day < on
            called = GAMES.c[f"{side}_called"]
            before = update(GAMES).where(*played, called.is_(None))
            context.session.execute(before.values({called: names}))
    return _write_rows(context, league_id, TEAMS, changes)


def _write_rows(context: SyncContext, league_id: int, table: Table, changes: lists.RowPlan) -> bool:
    """Insert and update teams or players of a league. Returns whether anything changed."""
    if changes.inserts:
        new = {"league_id": league_id, "created_at": context.now, "updated_at": context.now}
        rows = [row | new for row in changes.inserts]
        context.session.execute(insert(table), rows)
    for espn_id, values in changes.updates.items():
        this_row = table.c.league_id == league_id, table.c.espn_id == espn_id
        changed = values | {"updated_at": context.now}
        context.session.execute(update(table).where(*this_row).values(changed))
    return bool(changes.inserts or changes.updates)
