"""What a scoreboard changes: (stored, fetched, now) in, the changes out. Pure.

Rows are mappings named like the columns of their table, with one exception: ``home_team`` and
``away_team`` of a game hold the team's feed id or None.

The rules:

- Never step backwards: an answer from an earlier point of the game than the stored one is an
  old copy and changes nothing, unless the feed keeps sending it (``sync/doubts.py``).
- A corrected score at the same or a later point is taken at once.
- Answers are ordered by when they were asked for, however they arrive, and a game that two days
  list is on the one that began to list it last (``sync/precedence.py``).
- Whoever changes a game forgets the digests of its days, so that their next answers are decoded.
- What the feed stops mentioning (venue, channel, attendance, week) is kept; so is a score
  while the game has one.
- A game that is over keeps the teams' records as they were around its end, and their ranks as
  they were at its end. One that is read long after it gets none: an answer's records are of today.
- A game that is missing from an answer keeps its values (see ``sync.listed``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from msgspec.structs import asdict

from sportsapp.core.clock import game_day
from sportsapp.core.records import (
    GameRecord,
    LeagueRecord,
    ScoreboardRecord,
    State,
)
from sportsapp.feed.client import SUSPECT_COUNTS
from sportsapp.sync.doubts import CALLED_OFF, Doubt, Values, doubt_about, has_result
from sportsapp.sync.listed import ListingPlan, plan_listing
from sportsapp.sync.lists import RowPlan, differences, team_values
from sportsapp.sync.names import names_then, renamed, teams_named
from sportsapp.sync.precedence import UNREAD, Answer, DayRead

# A finer stamp of the last poll would help nobody and cost a write on every tick.
POLL_STAMP = timedelta(seconds=5)
LONGEST_SYNC = timedelta(minutes=15)
RECORDS_SETTLE = timedelta(hours=24)

RECORDS = ("home_record", "away_record")
RANKS = ("home_rank", "away_rank")
SCORES = ("home_score", "away_score")
TEAMS = ("home_team", "away_team")
SEASON = ("season_year", "season_type", "season_name")
# What an answer may leave out although it still holds.
MENTIONED = ("venue", "city", "broadcast", "attendance", "note", "series")
KEPT = frozenset({*MENTIONED, "week", "season_year", "season_type", *TEAMS, *RECORDS})


# ---------------------------------------------------------------- a scoreboard


@dataclass(frozen=True, slots=True)
class StoredScoreboard:
    """The league's row; by the feed's id its teams, games, and their doubts.

    The games are those that the answer lists, and those that it should list but lacks. ``days`` is
    what is remembered of the answer's days and of the days of these games.
    """

    league: Values
    teams: Mapping[str, Values]
    games: Mapping[str, Values]
    doubts: Mapping[str, Doubt]
    days: Mapping[date, DayRead] = field(default_factory=dict)


@dataclass(slots=True)
class GamePlan(RowPlan):
    """The changes of some games.

    ``doubts`` are games held back, with the new count; ``settled`` are those whose doubt ended.
    ``passed_over`` are games about which the answer does not count.
    """

    doubts: dict[str, Doubt] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)
    passed_over: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ScoreboardPlan:
    """The changes of one scoreboard.

    ``league`` are the values that change of the league's row. ``answers`` are the rows that
    remember the answer, one for each of its days. ``forgotten`` are other days whose stored digests
    do not hold any more.
    """

    games: GamePlan
    listing: ListingPlan
    teams: RowPlan
    league: dict[str, Any]
    answers: list[dict[str, Any]]
    forgotten: list[date] = field(default_factory=list)


def plan_scoreboard(
    stored: StoredScoreboard,
    scoreboard: ScoreboardRecord,
    games: Sequence[GameRecord],
    now: datetime,
    *,
    days: Sequence[date] = (),
    digest: str = "",
) -> ScoreboardPlan:
    """What a scoreboard changes. ``games`` are those of its games that are wanted.

    ``days`` are those of which the answer lists all games. ``digest`` is given for the answer to a
    request of one day; today's sets the league's season.
    """
    order = Answer(now, days[0] if digest else None, stored.days)
    teams, named = RowPlan(), dict(stored.teams)
    for espn_id, (on, team) in teams_named(games, game_day(now)).items():
        if espn_id not in stored.teams:
            teams.inserts.append(team_values(team) | {"named_on": on})
        elif new_names := renamed(stored.teams[espn_id], team, on):
            teams.updates[espn_id] = new_names
            named[espn_id] = {**stored.teams[espn_id], **new_names}
    changes = plan_games(stored.games, games, stored.doubts, now, order, named)
    held = changes.passed_over.union(changes.doubts)
    believed = [game for game in games if game.espn_id not in held]
    is_whole = not scoreboard.errors and scoreboard.events not in SUSPECT_COUNTS
    current = {
        espn_id: game
        for espn_id, game in stored.games.items()
        if espn_id not in changes.passed_over and not order.is_outdated(game)
    }
    listed = {game.espn_id for game in scoreboard.games}
    listing = plan_listing(current, listed, now, is_whole=is_whole)
    records = win_loss_by_team(believed, game_day(now))
    for new in teams.inserts:
        new["record"] = records.get(new["espn_id"], "")
    for espn_id, row in stored.teams.items():
        if records.get(espn_id, "") not in ("", row["record"]):
            teams.updates.setdefault(espn_id, {})["record"] = records[espn_id]
    league: dict[str, Any] = {}
    if game_day(now) in days:  # what is read of the past does not show that the feed works now
        league = poll_values(stored.league["polled_at"], stored.league["failing_since"], now)
        league |= season_values(stored.league, scoreboard.league, now) if digest else {}
    answers = answer_rows(scoreboard, games, order, days, digest)
    for row in answers:
        if held or row["day"] in listing.days:  # the same bytes are decoded again
            row["digest"] = ""
    is_first = any(
        row["read_at"] and not stored.days.get(row["day"], UNREAD).read_at for row in answers
    )
    news = changes.inserts, changes.updates, listing.news, teams.inserts, teams.updates
    if is_first or any(news):
        league |= next_version(stored.league, now)
    changed = set(listing.days)
    for espn_id, values in changes.updates.items():
        rows = stored.games[espn_id], values
        changed.update(row["day"] for row in rows if "day" in row)
    changed -= {row["day"] for row in answers if row["read_at"]}
    forgotten = [day for day, read in stored.days.items() if day in changed and read.digest]
    return ScoreboardPlan(changes, listing, teams, league, answers, forgotten)


def answer_rows(
    scoreboard: ScoreboardRecord,
    games: Sequence[GameRecord],
    order: Answer,
    days: Sequence[date],
    digest: str,
) -> list[dict[str, Any]]:
    """The rows that remember an answer, one for each day that it covers.

    Days that were read later have none. An answer with an error reads no day to its end: a day's
    own has a row without ``read_at`` and digest, a month's has none. So has a month's that may be
    cut off.
    """
    rows: dict[date, dict[str, Any]] = {}
    read_at: datetime | None = order.asked_at
    if scoreboard.errors or (not digest and scoreboard.events in SUSPECT_COUNTS):
        read_at, digest, days = None, "", days if digest else ()
    for day in days:
        if not order.is_older_than(order.days.get(day, UNREAD).read_at):
            rows[day] = {"day": day, "digest": digest, "game_ids": [], "read_at": read_at}
    for game in games:
        # a day's own answer may list a game of another day, which goes on there
        day = order.day or game.day
        if day in rows:
            rows[day]["game_ids"].append(game.espn_id)
    return list(rows.values())


def poll_values(
    polled_at: datetime | None, failing_since: datetime | None, now: datetime
) -> dict[str, Any]:
    """The columns that mark a league as polled, at most once every POLL_STAMP.

    ``now`` is when the sync began: a later stamp is another sync's, unless its clock was ahead.
    """
    is_fresh = polled_at and now - POLL_STAMP < polled_at <= now + LONGEST_SYNC
    if is_fresh and not failing_since:
        return {}
    return {"polled_at": now, "failing_since": None, "failure": ""}


def season_values(league: Values, fetched: LeagueRecord | None, now: datetime) -> dict[str, Any]:
    """The columns of the league's season, where it has changed."""
    if fetched is None or fetched.season_year is None:
        return {}
    season = {name: getattr(fetched, name) for name in SEASON}
    return season | {"updated_at": now} if differences(league, season) else {}


def next_version(league: Values, now: datetime) -> dict[str, Any]:
    """The next version of the league's data: always later, also when two changes share a time."""
    before = league["changed_at"]
    return {"changed_at": max(now, before + timedelta(microseconds=1)) if before else now}


# ---------------------------------------------------------------- games


def game_values(game: GameRecord, teams: Mapping[str, Values] | None = None) -> dict[str, Any]:
    """A game as the flat mapping in which it is compared and stored; ``teams`` are the rows."""
    values = asdict(game)
    for name in ("home", "away", "completed"):  # what is completed shows in the status
        del values[name]
    values["state"], values["status"] = str(game.state), str(game.status)
    values["leaders"] = list(game.leaders)
    for side, competitor in (("home", game.home), ("away", game.away)):
        fields = asdict(competitor)
        fields["team"] = competitor.team.espn_id if competitor.team else None
        fields["linescores"] = list(competitor.linescores)
        values |= {f"{side}_{name}": value for name, value in fields.items()}
    return values | names_then(game, teams or {})


def plan_games(
    stored: Mapping[str, Values],
    fetched: Sequence[GameRecord],
    doubts: Mapping[str, Doubt],
    now: datetime,
    order: Answer | None = None,
    teams: Mapping[str, Values] | None = None,
) -> GamePlan:
    """What the fetched games change. ``stored`` and ``doubts`` are by the feed's game id.

    Of a game that is listed twice, the last mention counts.
    """
    plan, order = GamePlan(), order or Answer(now)
    for espn_id, values in {game.espn_id: game_values(game, teams) for game in fetched}.items():
        known, doubt = stored.get(espn_id), doubts.get(espn_id)
        if not order.counts(known, values):
            plan.passed_over.add(espn_id)
            continue
        if known is None:
            plan.inserts.append(
                values | dict.fromkeys(RECORDS if is_read_late(values, now) else (), "")
            )
            continue
        if held := doubt_about(known, values, doubt, now):
            plan.doubts[espn_id] = held
            continue
        if doubt is not None:
            plan.settled.append(espn_id)
        if changes := changed_values(known, values, now):
            plan.updates[espn_id] = changes
    return plan


def is_read_late(game: Values, now: datetime) -> bool:
    """Whether a fetched game was over so long ago that its answer's records are later ones."""
    return game["state"] == State.POST and bool(now > game["start_at"] + RECORDS_SETTLE)


def changed_values(stored: Values, fetched: Values, now: datetime) -> dict[str, Any]:
    """The values that differ, without what the feed only stopped mentioning."""
    is_over, is_late = has_result(stored), is_read_late(fetched, now)
    has_score = fetched["state"] != State.PRE and fetched["status"] not in CALLED_OFF
    changes = {}
    for name, value in fetched.items():
        before = stored[name]
        if name == "about" and fetched["state"] == stored["state"]:
            value = before | value
        if is_late and name in RECORDS:
            value = "" if stored["state"] == State.PRE else before
            if value != before:
                changes[name] = value
            continue
        is_kept = name in KEPT or (name in SCORES and has_score)
        if value == before or (value in ("", None) and is_kept):
            continue
        if is_over and name in RANKS:
            continue
        changes[name] = value
    return changes


# ---------------------------------------------------------------- the teams of games


def win_loss_by_team(games: Iterable[GameRecord], today: date) -> dict[str, str]:
    """Each team's record as of now, by the feed's id.

    The feed gives records as they are at the time of the request, whatever the game's day, but
    only games around today belong to the running season.
    """
    near = (game for game in games if abs((game.day - today).days) <= 1)
    sides = (side for game in near for side in (game.home, game.away))
    return {side.team.espn_id: side.record for side in sides if side.team and side.record}
