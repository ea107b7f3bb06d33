"""The audit of stored summaries: what does not add up is a breach, and is read again."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace as replace_field
from sqlalchemy import select, update

from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.summary import pack, unpack
from sportsapp.db.engine import db, writing
from sportsapp.db.models import Game, SummaryRow
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.games import sync_game
from tests.integration.events import event
from tests.integration.test_sync_game import said

NBA = BY_SLUG["nba"]


@pytest.fixture
def audit(app, synced, feed):
    """Stores a final of the NBA with its summary, and runs ``flask audit --json``."""
    feed.say("nba", said(), kind="summary")
    synced("nba", event() | {"season": {"year": 2026, "type": 2}})
    context = SyncContext(services_of(app).feed_client, db.session, stored_game().updated_at)
    sync_game(context, NBA, "401")

    def run() -> tuple[int, list[dict]]:
        db.session.rollback()
        done = app.test_cli_runner().invoke(args=["audit", "NBA", "2026", "--json"])
        breaches = json.loads(done.stdout)["breaches"]
        return done.exit_code, [one for one in breaches if one["rule"] == "box score"]

    return run


def stored_game() -> Game:
    db.session.rollback()
    return db.session.scalars(select(Game)).one()


def spoil() -> None:
    """Let the stored summary's away side have a point less than its players."""
    row = db.session.scalars(select(SummaryRow)).one()
    summary = unpack(row.document)
    summary = replace_field(summary, away=replace_field(summary.away, score=summary.away.score - 1))
    with writing(db.session) as session:
        session.execute(update(SummaryRow).values(document=pack(summary)))


def test_summary_that_does_not_add_up_is_a_breach_and_read_again(audit, feed):
    assert audit()[1] == []
    spoil()
    asked = len(feed.asked("summary"))
    status, (breach,) = audit()
    assert (status, breach["mended"], breach["games"]) == (1, True, ["401"])
    assert "players of the away side have scored" in breach["text"]
    assert len(feed.asked("summary")) == asked + 1
    assert audit()[1] == []


def test_summary_that_the_feed_has_so_too_stays_a_breach(audit, feed):
    spoil()
    feed.fail("nba", 404, kind="summary")
    status, (breach,) = audit()
    assert (status, breach["mended"]) == (1, False)


def test_summary_of_a_result_that_was_corrected_since_is_no_breach_yet(audit):
    spoil()
    game = stored_game()
    times = game.start_at, game.updated_at
    with writing(db.session) as session:
        session.execute(update(SummaryRow).values(read_at=times[0]))
        session.execute(update(Game).values(result_at=times[1]))
    assert audit()[1] == []
