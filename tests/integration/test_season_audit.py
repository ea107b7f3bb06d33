"""The audit of whole seasons of the demo feed, true ones and ones with planted errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete as delete_rows
from sqlalchemy import inspect, select, update

from demo import DemoState, create_demo_feed, running_feed
from sportsapp.core.errors import UnknownLeagueError, UnknownSeasonError
from sportsapp.core.leagues import BY_SLUG, season_of
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db, writing
from sportsapp.db.models import Alert, Game, LeagueRow, RunState, Scoreboard, TaskRun
from sportsapp.factory import create_app
from sportsapp.feed.client import FeedClient
from sportsapp.services import services_of
from sportsapp.sync.auditor import AuditResult, audit_leagues
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues
from sportsapp.sync.context import SyncContext
from sportsapp.tasks import audit_seasons
from tests.conftest import NO_BROKER, QUICK

pytestmark = [
    pytest.mark.xdist_group("seasons"),  # they share four seasons
    pytest.mark.long,
]

NOW = datetime(2026, 7, 10, 15, tzinfo=UTC)
SEASONS = {
    "nfl": (2025, date(2025, 10, 1)),
    "nba": (2026, date(2026, 1, 1)),
    "mlb": (2025, date(2025, 7, 1)),
    "nhl": (2026, date(2026, 1, 1)),
}


@pytest.fixture(scope="module")
def demo() -> Iterator[tuple[DemoState, str]]:
    """The demo feed in the off-season of three leagues, and its address."""
    feed = create_demo_feed(1.0, now=lambda: NOW)
    with running_feed(feed) as url:
        yield feed.extensions["demo"], url


@pytest.fixture(scope="module")
def app(demo, make_database, tmp_path_factory) -> Iterator[Flask]:
    """The app with a whole season of each league, inside its context."""
    folder = tmp_path_factory.mktemp("seasons")
    with make_database(folder) as database_url:
        settings = Settings(
            instance_path=folder,
            database_url=database_url,
            espn_base_url=demo[1],
            redis_url=NO_BROKER,
        )
        client = FeedClient(demo[1], settings.user_agent, retry_policy=QUICK)
        app = create_app(settings, client)
        with app.app_context():
            leagues = [BY_SLUG[slug] for slug in SEASONS]
            sync_leagues(context_of(app), leagues)
            for slug in SEASONS:
                first, last = season_of(BY_SLUG[slug], SEASONS[slug][1])
                sync_range(context_of(app), BY_SLUG[slug], first, last)
            yield app
            db.session.remove()
            db.engine.dispose()
        client.close()


@pytest.fixture(autouse=True)
def stopped(clock) -> None:
    """The app's clock, too, is in that off-season."""
    clock.shown = NOW


def context_of(app: Flask, **more: Any) -> SyncContext:
    services = services_of(app)
    return SyncContext(services.feed_client, db.session, NOW, watch=services.feed_watch, **more)


def audit(app: Flask, slug: str, **more: Any) -> AuditResult:
    db.session.rollback()
    return audit_leagues(context_of(app, **more), [BY_SLUG[slug]], SEASONS[slug][0])


def finals(slug: str) -> list[Game]:
    """The regular season's finals of a league, by start."""
    games = select(Game).join(Game.league_row).where(LeagueRow.slug == slug)
    regular = games.where(Game.season_year == SEASONS[slug][0], Game.season_type == 2)
    return list(db.session.scalars(regular.where(Game.status == "final").order_by(Game.start_at)))


def mend(app: Flask, *slugs: str) -> None:
    """Store every game again as the feed has it, and no others."""
    for slug in slugs:
        with writing(db.session) as session:
            session.execute(delete_rows(Game).where(Game.espn_id.like("9%")))
        if audit(app, slug).breaches:
            assert audit(app, slug).breaches == []


# ---------------------------------------------------------------- planted errors


def change(**values: Callable[[Game], Any]) -> Callable[[Game], None]:
    """Sets columns of a game to what these return."""

    def plant(game: Game) -> None:
        for name, value in {name: value(game) for name, value in values.items()}.items():
            setattr(game, name, value)

    return plant


def delete(game: Game) -> None:
    db.session.delete(game)


def double(game: Game, **other: Any) -> None:
    """Store the game once more, under an id that the feed does not have."""
    columns = [column.key for column in inspect(Game).column_attrs]
    values = {name: getattr(game, name) for name in columns if name not in ("id", "vanished_since")}
    db.session.add(Game(**values | {"espn_id": f"9{game.espn_id}"} | other))


def move(**span: float) -> Callable[[Game], None]:
    """Moves the day and the start of a game."""
    later = timedelta(**span)
    return change(day=lambda game: game.day + later, start_at=lambda game: game.start_at + later)


def turn_around(game: Game) -> None:
    """Give the game the opposite result, in itself without a contradiction."""
    home, away = (
        {name: getattr(game, f"{side}_{name}") for name in ("score", "linescores", "winner")}
        for side in ("home", "away")
    )
    for name in home:
        setattr(game, f"home_{name}", away[name])
        setattr(game, f"away_{name}", home[name])


ERRORS: dict[str, tuple[str, str, Callable[[Game], None]]] = {
    "score too high": ("nfl", "line score", change(home_score=lambda g: g.home_score + 50)),
    "winner is the loser": (
        *("nfl", "winner"),
        change(home_winner=lambda g: g.away_winner, away_winner=lambda g: g.home_winner),
    ),
    "game is missing": ("nfl", "missing", delete),
    "game is doubled": ("nfl", "at once", double),
    "day is wrong": ("nfl", "day", change(day=lambda g: g.day + timedelta(days=1))),
    "game stands still in the third quarter": (
        *("nfl", "result"),
        change(status=lambda _: "live", state=lambda _: "in", period=lambda _: 3),
    ),
    "result is the opposite": ("nfl", "result", turn_around),
    "line score lacks a quarter": (
        *("nba", "line score"),
        change(away_linescores=lambda g: g.away_linescores[:-1]),
    ),
    "nobody has won": (
        "nba",
        "winner",
        change(home_winner=lambda _: False, away_winner=lambda _: False),
    ),
    "both have won": (
        "nba",
        "winner",
        change(home_winner=lambda _: True, away_winner=lambda _: True),
    ),
    "game is two months late": ("nba", "day", move(days=61)),
    "sides are exchanged": (
        *("nba", "result"),
        change(home_team_id=lambda g: g.away_team_id, away_team_id=lambda g: g.home_team_id),
    ),
    "game is of the preseason": ("nba", "result", change(season_type=lambda _: 1)),
    "game was never played": ("nba", "result", change(status=lambda _: "postponed")),
    "start is on another day": (
        *("mlb", "day"),
        change(start_at=lambda g: g.start_at + timedelta(days=2)),
    ),
    "game that the feed does not have": (
        *("mlb", "unlisted"),
        lambda g: double(g, start_at=g.start_at + timedelta(hours=3), time_set=True),
    ),
    "line score is another game's": (
        *("mlb", "line score"),
        change(home_linescores=lambda g: [9, *g.home_linescores]),
    ),
    "game of another season": ("mlb", "missing", change(season_year=lambda _: 2024)),
    "overtime is forgotten": ("nhl", "record", change(period=lambda _: 3)),
    "shootout is forgotten": (
        "nhl",
        "line score",
        change(home_linescores=lambda g: [*g.home_linescores[:-1], 7]),
    ),
}


def plant(slug: str) -> dict[str, str]:
    """Plant this league's errors, each in a game of its own; the games' ids by the error's name."""
    names = [name for name, (league, *_) in ERRORS.items() if league == slug]
    with writing(db.session):
        games = [game for game in finals(slug) if slug != "nhl" or game.period > 3]
        chosen = dict(zip(names, games[5 :: len(games) // 9], strict=False))
        ids = {name: game.espn_id for name, game in chosen.items()}
        for name, game in chosen.items():
            ERRORS[name][2](game)
    return ids


def test_the_planted_errors_are_twenty():
    assert len(ERRORS) == 20


@pytest.mark.parametrize("slug", SEASONS)
def test_a_whole_season_of_the_demo_keeps_every_rule(app, slug):
    result = audit(app, slug)
    assert (result.breaches, result.errors) == ([], [])
    assert result.audited > 250


@pytest.mark.parametrize("slug", SEASONS)
def test_planted_errors_are_found_named_and_mended(app, slug):
    planted = plant(slug)
    breaches = audit(app, slug).breaches
    try:
        for name, game_id in planted.items():
            rule, ids = ERRORS[name][1], {game_id, f"9{game_id}"}
            named = [one for one in breaches if one["rule"] == rule and ids & {*one["games"]}]
            assert named, f"{name}: {game_id}"
            assert rule == "record" or game_id in named[0]["text"]
            assert named[0]["league"] == slug.upper()
        ids = {*planted.values(), *(f"9{game_id}" for game_id in planted.values())}
        games = [one for one in breaches if one["rule"] != "record"]
        assert [one["text"] for one in games if not ids & {*one["games"]}] == []
        # all but the games that the feed does not have is stored again as the feed has it
        left = [one for one in breaches if not one["mended"]]
        assert [one["text"] for one in left if not any(x[0] == "9" for x in one["games"])] == []
    finally:
        mend(app, slug)


def active_alerts() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(Alert.subject).where(Alert.active_since.is_not(None))))


def test_a_breach_is_one_alert_until_it_is_gone(app, caplog):
    with writing(db.session):
        game = finals("nfl")[0]
        double(game)
    subjects = {
        f"NFL 2025 season at once {game.espn_id} 9{game.espn_id}",
        f"NFL 2025 {game.day:%Y-%m} unlisted 9{game.espn_id}",
    }
    audit(app, "nfl")
    assert subjects < active_alerts()
    first = len(caplog.records)
    again = audit(app, "nfl").breaches
    assert len(again) > 2
    assert not any(one["mended"] for one in again)  # what the feed does not have stays
    assert len(caplog.records) == first  # nobody is notified again
    with writing(db.session) as session:
        is_given_up = update(Game).where(Game.espn_id.like("9%"))
        session.execute(is_given_up.values(listed=False))
    assert audit(app, "nfl").breaches == []
    mend(app, "nfl")
    assert active_alerts() == set()
    assert "it is right again" in caplog.text


def test_an_alert_ends_at_once_where_reading_again_mends(app):
    with writing(db.session):
        finals("nba")[3].home_winner = None
        finals("nba")[4].home_score += 90
    (breach, *_) = audit(app, "nba").breaches
    assert breach["mended"]
    assert active_alerts() == set()


def test_a_day_that_was_last_read_before_it_was_over_is_no_breach(app):
    game = finals("nhl")[-1]
    this_day = update(Scoreboard).where(
        Scoreboard.league_id == game.league_id, Scoreboard.day == game.day
    )
    with writing(db.session) as session:
        session.execute(delete_rows(Game).where(Game.id == game.id))
        session.execute(this_day.values(read_at=game.start_at))
    assert audit(app, "nhl").breaches == []
    with writing(db.session) as session:
        session.execute(this_day.values(read_at=NOW))
    mend(app, "nhl")


def test_a_nightly_audit_asks_for_few_months_unless_a_record_is_wrong(app, demo):
    demo[0].forget_requests()
    assert audit(app, "mlb", scheduled=True).breaches == []
    assert len(demo[0].requests()) == 3  # two months, and the standings
    with writing(db.session):
        planted = {slug: finals("mlb")[number] for slug, number in (("first", 0), ("last", -1))}
        ids = {game.espn_id for game in planted.values()}
        for game in planted.values():
            turn_around(game)
    found = audit(app, "mlb", scheduled=True).breaches
    assert {one["games"][0] for one in found if one["rule"] == "result"} == ids
    assert audit(app, "mlb").breaches == []


def test_what_the_feed_refuses_is_an_error_and_no_breach(app, demo):
    demo[0].fail("500", "nhl")
    try:
        result = audit(app, "nhl")
    finally:
        demo[0].mend()
    assert result.breaches == []
    assert "NHL standings: the feed answered 500" in " ".join(result.errors)
    assert len(result.errors) == 13  # and each month


@pytest.fixture
def command(app):
    """Run ``flask audit ...``."""
    return lambda *words: app.test_cli_runner().invoke(args=["audit", *words])


def test_command_prints_breaches_and_ends_with_status_one(command, app):
    done = command("NFL", "2025")
    assert (done.exit_code, done.stdout) == (0, "334 games, 0 breaches\n")
    with writing(db.session):
        game = finals("nfl")[7]
        game.home_winner = game.away_winner = True
        name = f"on {game.day} ({game.espn_id}): the winner is"
    done = command("NFL", "2025")
    assert done.exit_code == 1
    assert done.stdout.startswith("NFL 2025: winner: ")
    assert name in done.stdout
    assert done.stdout.endswith(" (right, now that it was read again)\n334 games, 1 breach\n")
    done = command("nfl", "2025", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (
        0,
        {"audited": 334, "breaches": [], "errors": []},
    )
    db.session.rollback()
    runs = list(db.session.scalars(select(TaskRun).where(TaskRun.task == "audit_seasons")))
    assert {run.state for run in runs} == {RunState.SUCCESS}
    assert runs[0].args == {"league": "NFL", "season": 2025}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["XFL"], "unknown league 'XFL': known are NFL, NBA, MLB, NHL\n"),
        (["NFL", "1999"], "unknown season 1999: no game of it is stored (NFL)\n"),
        (["NFL", "now"], "'now' is not a valid integer"),
    ],
)
def test_an_unknown_league_or_season_is_misuse(command, words, text):
    done = command(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert text in done.stderr


def test_task_returns_what_the_audit_found(app):
    assert audit_seasons.call_local("NHL", 2026) == {"audited": 1552, "breaches": [], "errors": []}
    with pytest.raises(UnknownLeagueError):
        audit_seasons.call_local("XFL")
    with pytest.raises(UnknownSeasonError):
        audit_seasons.call_local("NHL", 1999)
    with pytest.raises(UnknownSeasonError):
        audit_seasons.call_local("NHL", "2026")
