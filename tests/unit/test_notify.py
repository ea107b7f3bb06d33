"""What subscriptions are told: which events, when, in which words, and never a hidden score."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sportsapp.core.errors import SealError, SubscriptionError
from sportsapp.core.records import EventKind
from sportsapp.core.sealing import seal, unseal
from sportsapp.db.models import Game, LeagueRow, ScoreEvent, Subscription, Team
from sportsapp.notify.choices import CHOICES, is_quiet, quiet_hours, wants
from sportsapp.notify.mqtt import publications
from sportsapp.notify.outbox import AT_ONCE, Step, step_of
from sportsapp.notify.texts import HIDDEN, GameEvent, folded, message_of

NOW = datetime(2026, 1, 16, 3, 0, tzinfo=UTC)
EVERYTHING = list(CHOICES)


def team(espn_id: str, name: str) -> Team:
    return Team(
        espn_id=espn_id, abbreviation=name[:3].upper(), short_name=name, display_name=f"The {name}"
    )


def game(number: int = 1, league: str = "nfl") -> Game:
    made = Game(id=number, espn_id=str(400 + number))
    made.league_row = LeagueRow(slug=league)
    made.away_team_row, made.home_team_row = team("20", "Jets"), team("12", "Chiefs")
    return made


GAME = game()


def event(
    number: int = 1, kind: str = "score", at: datetime = NOW, of: Game = GAME, **more: Any
) -> GameEvent:
    values = {"side": "home", "points": 7, "period": 4, "detail": "3:12 - 4th"} | more
    values = {"home_score": 24, "away_score": 20} | values
    return GameEvent(ScoreEvent(id=number, kind=kind, read_at=at, **values), of)


def subscribed(**more: Any) -> Subscription:
    values = {"leagues": [], "teams": [], "events": EVERYTHING, "hides_scores": False}
    values |= {"quiet_from": None, "quiet_to": None, "zone": "UTC", "delay_seconds": 0}
    return Subscription(id=1, name="phone", event_id=0, **(values | more))


def step(*events: GameEvent, now: datetime = NOW, **more: Any) -> Step | None:
    return step_of(subscribed(**more), events, now)


# ---------------------------------------------------------------- which events


def test_every_kind_of_event_can_be_chosen():
    assert set().union(*CHOICES.values()) == set(EventKind)


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({}, True),
        ({"leagues": ["nfl"]}, True),
        ({"leagues": ["nba"]}, False),
        ({"teams": ["nfl-12"]}, True),
        ({"teams": ["nfl-20"]}, True),
        ({"teams": ["nba-12"]}, False),
        ({"leagues": ["nba"], "teams": ["nfl-12"]}, True),
        ({"events": ["final", "lead"]}, False),
        ({"events": ["score"]}, True),
    ],
)
def test_event_is_told_of_chosen_kinds_leagues_and_teams(chosen, told):
    assert wants(subscribed(**chosen), EventKind.SCORE, "nfl", ["20", "12"]) is told


# ---------------------------------------------------------------- when


@pytest.mark.parametrize(
    ("hours", "zone", "clock", "quiet"),
    [
        ("22:00-07:00", "UTC", "21:59", False),
        ("22:00-07:00", "UTC", "22:00", True),
        ("22:00-07:00", "UTC", "06:59", True),
        ("22:00-07:00", "UTC", "07:00", False),
        ("13:00-14:00", "UTC", "13:30", True),
        ("13:00-14:00", "UTC", "14:00", False),
        ("13:00-14:00", "America/New_York", "18:30", True),
        ("13:00-14:00", "America/New_York", "13:30", False),
        ("", "UTC", "13:30", False),
    ],
)
def test_quiet_hours_are_of_their_zone_and_go_over_midnight(hours, zone, clock, quiet):
    first, last = quiet_hours(hours)
    hour, minute = map(int, clock.split(":"))
    now = datetime(2026, 1, 16, hour, minute, tzinfo=UTC)
    assert is_quiet(subscribed(quiet_from=first, quiet_to=last, zone=zone), now) is quiet


@pytest.mark.parametrize("text", ["22-7", "22:00", "24:00-07:00", "22:00-07:60", "now", "-"])
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(SubscriptionError, match="for example 22:00-07:00"):
        quiet_hours(text)


def test_one_message_tells_what_one_reading_of_a_game_showed():
    other, later = game(2), NOW + timedelta(seconds=10)
    events = [event(5), event(6, "lead"), event(7, of=other), event(8, at=later)]
    made = step(*events, now=later)
    assert (made.up_to, [one.event.id for one in made.told]) == (6, [5, 6])
    message = made.message_for(subscribed())
    assert (message.title, message.body) == (
        "Jets 20, Chiefs 24", "Chiefs +7, Chiefs lead, 3:12 - 4th",
    )  # fmt: skip


def test_events_that_are_not_told_are_left_out_together():
    assert step(event(5), event(6, "lead"), events=["final"]) == Step(6)
    assert step(event(5), event(6, "final"), events=["final"]).up_to == 6
    assert step() is None


def test_delay_holds_an_event_back_and_those_after_it():
    events = [event(5, "lead"), event(6), event(7, "lead")]
    assert step(*events, events=["score"], delay_seconds=30) == Step(5)
    later = NOW + timedelta(seconds=30)
    assert [
        one.event.id for one in step(*events, events=["score"], delay_seconds=30, now=later).told
    ] == [6]


def test_what_is_ten_minutes_late_is_one_message():
    old = NOW - timedelta(minutes=11)
    events = [event(5, at=old, home_score=7), event(6, at=old, of=game(2)), event(7, "final", old)]
    made = step(*events, event(8))
    assert made.up_to == 7
    message = made.message_for(subscribed())
    assert message.title == "3 events since 02:49 UTC"
    assert message.body == "Jets 20, Chiefs 24: Final\nJets 20, Chiefs 24: Chiefs +7"
    assert [document["id"] for document in message.events] == [5, 6, 7]


def test_folded_message_is_no_longer_than_a_phone_shows():
    old = NOW - timedelta(hours=2)
    many = [event(n, "final", old, game(n)) for n in range(1, AT_ONCE + 1)]
    message = step(*many).message_for(subscribed())
    assert len(message.body.splitlines()) == 21
    assert message.body.startswith("80 more games\n")
    assert len(message.events) == AT_ONCE


# ---------------------------------------------------------------- in which words

scores = st.none() | st.integers(0, 200)
sides = st.sampled_from([None, "home", "away"])
points = st.none() | st.integers(-9, 9)


@given(
    st.sampled_from(list(EventKind)), scores, scores, sides, points, st.sampled_from("ab"),
    st.integers(1, 6),
    st.booleans(),
)  # fmt: skip
def test_message_without_scores_is_the_same_whatever_the_score(
    kind, home, away, side, by, detail, period, is_folded
):
    def hidden(**values: Any) -> Any:
        return (folded if is_folded else message_of)(
            [event(kind=kind, **values)], hides_scores=True
        )

    told = hidden(
        home_score=home, away_score=away, side=side, points=by, detail=detail, period=period
    )
    assert told == hidden(home_score=1, away_score=2, side="away", points=3, detail="")
    assert told.title
    assert told.body


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_has_words_and_a_team_that_is_not_known_is_tbd(kind):
    unknown = game()
    unknown.home_team_row = None
    made = message_of([event(kind=kind, of=unknown)], hides_scores=False)
    assert made.title == "Jets 20, TBD 24"
    assert made.body
    assert made.events[0]["home"] is None
    assert made.events[0]["away"] == {"abbreviation": "JET", "name": "The Jets", "score": 20}


def test_hidden_overtime_is_close_and_no_period_is_told():
    (told,) = message_of([event(kind="overtime", period=5)], hides_scores=True).events
    assert (told["kind"], told["period"]) == ("close", None)


def states_of(*, hides_scores: bool, **values: Any) -> set[str]:
    """The states of both teams as they are published."""
    made = message_of([event(**values)], hides_scores=hides_scores)
    return {
        one.value["state"] for one in publications("games", made) if one.topic.endswith("state")
    }


@pytest.mark.parametrize("hides", [False, True])
@pytest.mark.parametrize("kind", EventKind)
def test_state_is_what_the_last_event_means(kind, hides):
    states = {"delayed", "suspended", "postponed", "cancelled", "rescheduled", "final"}
    state = str(kind) if kind in states else "live"
    assert states_of(hides_scores=hides, kind=str(kind)) == {state}


@pytest.mark.parametrize("hides", [False, True])
@pytest.mark.parametrize("detail", ["Final", "Final/OT", "FT", "FT-Pens"])
def test_correction_after_the_end_leaves_a_game_final(detail, hides):
    assert states_of(hides_scores=hides, kind="taken_back", detail=detail) == {"final"}


def test_words_that_hide_differ_from_those_that_tell():
    for kind in HIDDEN:
        shown, hidden = (message_of([event(kind=kind)], hides_scores=hides) for hides in (0, 1))
        assert shown.body != hidden.body


# ---------------------------------------------------------------- sealed


def test_sealed_text_is_read_with_the_same_key_only():
    sealed = seal("https://example.org/secret", "a" * 32)
    assert "example" not in sealed
    assert sealed != seal("https://example.org/secret", "a" * 32)
    assert unseal(sealed, "a" * 32) == "https://example.org/secret"
    for wrong in (lambda: unseal(sealed, "b" * 32), lambda: unseal(sealed[:-4], "a" * 32)):
        with pytest.raises(SealError, match="another SECRET_KEY"):
            wrong()
