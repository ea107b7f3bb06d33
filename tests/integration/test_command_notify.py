"""``flask notify``: subscriptions from a shell; an address is read, and never printed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.notify.subscriptions import named
from tests.integration.events import event
from tests.webhook_receiver import SECRET

QUIET = "--quiet 23:00-07:00 --zone America/Denver"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, notify_private=True)


@pytest.fixture
def notify(runner, receiver):
    """Call ``flask notify``; standard input has the receiver's address."""

    def call(words: str, status: int = 0) -> str:
        done = runner.invoke(args=["notify", *words.split()], input=f"{receiver.url}\n")
        assert done.exit_code == status, done.output
        assert SECRET not in done.output
        assert "/hook" not in done.output
        return done.output.strip()

    return call


def test_subscription_from_its_beginning_to_its_end(notify, synced, receiver):
    assert notify("list") == "nobody is told anything"
    synced("nfl", event())
    told = notify("add club --league nfl --event final")
    assert told == "club is told final by webhook"
    notify(f"add phone --team nfl/ALP --team nfl/BET {QUIET} --hide-scores --delay 30")
    assert notify("list").splitlines() == [
        "club: webhook, NFL: final",
        "phone: webhook, nfl/ALP, nfl/BET: start, score, final, postponed; no scores; "
        "quiet 23:00-07:00 America/Denver; 30 s late",
    ]
    assert notify("test club") == "club: webhook took the message"
    assert receiver.taken[0]["body"].startswith("A test, sent by ")
    assert notify("pause club") == "club is paused"
    assert notify("list").startswith("club: webhook, NFL: final; paused\n")
    assert notify("resume club") == "club is resumed"
    assert notify("remove club") == "club is removed"
    assert [one["name"] for one in json.loads(notify("list --json"))["subscriptions"]] == ["phone"]


def test_target_that_does_not_take_the_test_is_a_failure(notify, receiver):
    notify("add club")
    receiver.status = 500
    assert notify("test club", status=1) == "the webhook answered 500 Internal Server Error"
    db.session.rollback()
    assert named(db.session, "club").failures == 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("pause nobody", "no subscription is called 'nobody' (known: there is none)"),
        ("add x --team nfl/Chelsea", "no team is called 'nfl/Chelsea'; for example nfl/KC"),
        ("add x --quiet late", "'late' are no quiet hours; for example 22:00-07:00"),
    ],
)
def test_misuse_is_one_line(notify, words, error):
    assert notify(words, status=2) == error


def test_address_that_is_none_is_misuse(runner):
    done = runner.invoke(args=["notify", "add", "x"], input="\n")
    assert done.exit_code == 2
    assert done.output == "no address of a target was given\n"
