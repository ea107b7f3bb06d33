"""Whatever the feed says: what is stored of it can be shown, and a sync names what it left out."""

from __future__ import annotations

import copy
import json

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import TrackerError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_leagues, sync_teams
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.answers import sample
from tests.hostile import assert_harmless, trying
from tests.integration.events import board, event
from tests.loopback import LoopbackFeed
from tests.stored import forget_everything
from tests.unit.test_parse_mutations import mutate

BOARDS = ("nfl", "nba", "mlb", "nhl")
WRONG = (
    10**30,
    -(10**30),
    2**31,
    2**63,
    1e300,
    "\x00",
    "a\x00b",
    "\ud800",
    "9" * 400,
    [],
    {},
    True,
)


def sync(app) -> SyncContext:
    return SyncContext(services_of(app).feed_client, db.session, utc_now())


def look_at_everything(visitor: FlaskClient) -> None:
    """Every page that shows what is stored is shown."""
    paths = {"/", "/live", "/api/v1/games", "/api/v1/teams"}
    for game, slug in db.session.query(Game, LeagueRow.slug).join(Game.league_row):
        paths |= {f"/{slug}/games/{game.espn_id}", f"/{slug}/{game.day}", f"/{slug}/scores.atom"}
    for team, slug in db.session.query(Team, LeagueRow.slug).join(Team.league_row):
        paths |= {f"/{slug}/teams", f"/{slug}/standings"}
        paths |= {f"/{slug}/teams/{team.address}{end}" for end in ("", ".ics")}
    for path in paths:
        answer = visitor.get(path)
        assert_harmless(answer)
        assert answer.status_code in (200, 301, 404), path


@pytest.mark.long
def test_what_is_stored_of_a_broken_scoreboard_can_be_shown(app, feed: LoopbackFeed, visitor):
    @trying(40)
    @given(slug=st.sampled_from(BOARDS), data=st.data())
    def store_and_show(slug: str, data: st.DataObject) -> None:
        forget_everything()
        document = sample(f"{slug}-scoreboard")
        events = document["events"]
        first = data.draw(st.integers(0, len(events) - 2))
        document["events"] = [mutate(one, data) for one in events[first : first + 2]]
        feed.say(slug, document)
        try:
            sync_day(sync(app), BY_SLUG[slug], utc_now().date())
        except TrackerError:
            db.session.rollback()
        look_at_everything(visitor)

    store_and_show()


@pytest.mark.long
def test_what_is_stored_of_broken_teams_can_be_shown(app, feed: LoopbackFeed, visitor):
    @trying(25)
    @given(data=st.data())
    def store_and_show(data: st.DataObject) -> None:
        forget_everything()
        for kind in ("teams", "roster", "standings"):
            feed.say("nba", mutate(sample(f"nba-{kind}"), data), kind=kind)
        for step in (sync_leagues, sync_teams):
            try:
                step(sync(app), [BY_SLUG["nba"]])
            except TrackerError:
                db.session.rollback()
        look_at_everything(visitor)

    store_and_show()


def test_team_that_the_standings_list_twice_fails_no_sync(app, feed: LoopbackFeed):
    standings = sample("nba-standings")
    first, second = standings["children"][0]["standings"]["entries"][:2]
    second["team"]["id"] = first["team"]["id"]
    feed.say("nba", standings, kind="standings")
    sync_leagues(sync(app), [BY_SLUG["nba"]])
    assert db.session.query(Team).filter_by(espn_id=first["team"]["id"]).count() == 1


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
def test_number_or_text_that_no_column_takes_costs_no_other_game(app, feed, wrong):
    """In every place of an event at once, one place after the other."""
    good, bad = event("402"), event("401", state="in")
    for place in ("season", "week", "attendance", "status", "side", "line", "team", "id"):
        hostile = copy.deepcopy(bad)
        competition = hostile["competitions"][0]
        side = competition["competitors"][0]
        {
            "season": lambda hostile=hostile: hostile.update(season={"year": wrong, "type": wrong}),
            "week": lambda hostile=hostile: hostile.update(week={"number": wrong}),
            "attendance": lambda part=competition: part.update(attendance=wrong),
            "status": lambda part=competition: part["status"].update(period=wrong, clock=wrong),
            "side": lambda side=side: side.update(score=wrong, hits=wrong, errors=wrong),
            "line": lambda side=side: side.update(linescores=[{"value": wrong, "period": wrong}]),
            "team": lambda side=side: side["team"].update(displayName=wrong, color=wrong),
            "id": lambda hostile=hostile: hostile.update(id=wrong),
        }[place]()
        feed.say("nfl", json.dumps(board(hostile, good)).encode())
        sync_day(sync(app), BY_SLUG["nfl"], utc_now().date())
        assert db.session.query(Game).filter_by(espn_id="402").count() == 1
        if place not in ("side", "id"):
            assert db.session.query(Game).filter_by(espn_id="401").count() == 1, place
        forget_everything()
