"""The syncs: from the feed over HTTP into the real database."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.wrappers import Request, Response

from sportsapp.core.clock import game_day
from sportsapp.core.errors import (
    AllLeaguesFailedError,
    DateRangeError,
    FeedError,
    FeedRefusedError,
    FeedUnavailableError,
    PayloadError,
)
from sportsapp.core.leagues import BY_SLUG, DEFAULT_LEAGUES
from sportsapp.db.engine import db
from sportsapp.db.models import Game, GameDoubt, LeagueRow, Player, Scoreboard, Team
from sportsapp.feed import fetch
from sportsapp.feed.client import Answer
from sportsapp.services import services_of
from sportsapp.sync import backfill, catalogue, scoreboards
from sportsapp.sync.context import SyncContext
from sportsapp.sync.follow import sync_live
from sportsapp.sync.ranges import Chunk, chunks_of
from tests.answers import (
    BOARD_NAMES,
    make_board,
    make_event,
    make_roster,
    make_standings,
    make_team,
    make_team_list,
    sample,
    sample_bytes,
)
from tests.stored import all_rows, statements, writes

NFL, NBA, MLB, NHL, NCAAM = (BY_SLUG[slug] for slug in ("nfl", "nba", "mlb", "nhl", "ncaam"))
NOW = datetime(2026, 10, 4, 18, 0, tzinfo=UTC)  # two in the afternoon, Eastern
TODAY = date(2026, 10, 4)
LEAGUES = list(DEFAULT_LEAGUES)


@pytest.fixture
def sync(app) -> SyncContext:
    return SyncContext(services_of(app).feed_client, db.session, NOW)


def later(sync: SyncContext, **time: float) -> SyncContext:
    return replace(sync, now=sync.now + timedelta(**time))


def games() -> dict[str, Game]:
    db.session.expire_all()
    return {game.espn_id: game for game in db.session.scalars(select(Game))}


def game(espn_id: str = "1001") -> Game:
    return games()[espn_id]


def teams(league: str = "nfl") -> dict[str, Team]:
    db.session.expire_all()
    found = select(Team).join(Team.league_row).where(LeagueRow.slug == league)
    return {team.espn_id: team for team in db.session.scalars(found)}


def league_row(slug: str = "nfl") -> LeagueRow:
    db.session.expire_all()
    return db.session.scalars(select(LeagueRow).where(LeagueRow.slug == slug)).one()


def live(espn_id: str = "1001", **more: Any) -> dict[str, Any]:
    point = {"score": ("10", "7"), "period": 2, "clock": 500.0, "shown": "8:20"}
    return make_event(espn_id, "live", **(point | more))


def final(espn_id: str = "1001", **more: Any) -> dict[str, Any]:
    return make_event(espn_id, "final", **({"score": ("10", "7"), "period": 4} | more))


# ---------------------------------------------------------------- a day


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_day_of_each_league_is_stored(sync, feed, name):
    league = BY_SLUG[name.split("-")[0]]
    feed.say(league.slug, sample_bytes(name), dates="20261004")
    result = scoreboards.sync_day(sync, league, TODAY)
    broken = 1 if league is NHL else 0
    assert result.synced == len(games()) == len(sample(name)["events"]) - broken
    assert len(result.errors) == broken
    assert feed.asked() == [f"{league.slug} 20261004"]


def test_game_is_stored_with_what_the_feed_says(sync, feed):
    feed.say("nfl", make_board(live(home="12", away="9", records=("3-1", "4-0"))))
    sync = replace(sync, run_id="run-1")
    assert scoreboards.sync_day(sync, NFL, TODAY).as_dict() == {"synced": 1, "errors": []}
    stored = game()
    assert (stored.home_score, stored.away_score, stored.period) == (10, 7, 2)
    assert (stored.state, stored.status, stored.clock) == ("in", "live", "8:20")
    assert (stored.day, stored.start_at) == (TODAY, datetime(2026, 10, 4, 17, 0, tzinfo=UTC))
    assert stored.home_team_id == teams()["12"].id
    assert (teams()["12"].record, teams()["9"].record) == ("3-1", "4-0")
    assert (stored.created_at, stored.updated_at, stored.changed_by_run) == (NOW, NOW, "run-1")


def test_ids_are_told_apart_by_league(sync, feed):
    for slug in ("nfl", "nba"):
        feed.say(slug, make_board(make_event(home="5", away="6")))
        scoreboards.sync_day(sync, BY_SLUG[slug], TODAY)
    assert db.session.scalar(select(db.func.count(Game.id))) == 2
    assert db.session.scalar(select(db.func.count(Team.id))) == 4


def test_unknown_teams_are_made_from_the_game(sync, feed):
    feed.say("nba", make_board(make_event(home="111124")))
    scoreboards.sync_day(sync, NBA, TODAY)
    guest = teams("nba")["111124"]
    assert (guest.listed, guest.display_name, guest.standing) == (False, "Town T111124", {})


def test_tbd_is_never_a_team_and_real_ones_come_later(sync, feed):
    feed.say("nba", make_board(make_event(home="-1", away="-2")))
    scoreboards.sync_day(sync, NBA, TODAY)
    assert (game().home_team_id, game().away_team_id, teams("nba")) == (None, None, {})
    feed.say("nba", make_board(make_event(home="7", away="-2")))
    scoreboards.sync_day(sync, NBA, TODAY)
    assert game().home_team_id == teams("nba")["7"].id
    feed.say("nba", make_board(make_event(home="-1", away="8")))
    scoreboards.sync_day(sync, NBA, TODAY)
    assert (game().home_team_id, game().away_team_id) == (
        teams("nba")["7"].id,
        teams("nba")["8"].id,
    )


def test_vanished_game_is_not_deleted(sync, feed):
    feed.say("nfl", make_board(make_event("1"), make_event("2")))
    scoreboards.sync_day(sync, NFL, TODAY)
    feed.say("nfl", make_board(make_event("2")))
    assert scoreboards.sync_day(sync, NFL, TODAY).synced == 1
    feed.say("nfl", make_board())
    assert scoreboards.sync_day(sync, NFL, TODAY).synced == 0
    assert set(games()) == {"1", "2"}


def test_broken_event_is_a_line_and_the_others_are_stored(sync, feed):
    feed.say("nfl", make_board(live("1"), live("2", score=("many", "0")), live("3")))
    result = scoreboards.sync_day(sync, NFL, TODAY)
    assert result.synced == 2
    assert result.errors == ["NFL 2026-10-04: event 2: 'many' is not a score"]
    assert set(games()) == {"1", "3"}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"code": 200}', b'{"events": [{"id": "1"'])
def test_answer_that_is_no_scoreboard_changes_nothing(sync, feed, body):
    feed.say("nfl", make_board(make_event()))
    scoreboards.sync_day(sync, NFL, TODAY)
    before = all_rows()
    feed.say("nfl", body)
    with pytest.raises(PayloadError):
        scoreboards.sync_day(sync, NFL, TODAY)
    assert league_row().failing_since == NOW
    after = all_rows()
    for table in ("leagues", "failed_days"):
        assert after.pop(table) != before.pop(table)
    assert after == before


def test_feed_that_is_away_or_refuses_is_raised(sync, feed):
    feed.fail("nfl", 500)
    with pytest.raises(FeedUnavailableError):
        scoreboards.sync_day(sync, NFL, TODAY)
    feed.fail("nfl", 403)
    with pytest.raises(FeedRefusedError):
        scoreboards.sync_day(sync, NFL, TODAY)


def test_hostile_values_are_refused_or_stored_without_harm(sync, feed):
    odd = live("1", detail="a\x00b", venue={"fullName": "\x00Park"}, attendance=10**30)
    odd["competitions"][0]["situation"] = {"balls": 10**18, "down_distance_text": "\x00"}
    board = make_board(
        odd,
        live("2", period=10**20),
        live("3", score=("9" * 30, "1")),
        live("4", home="9" * 80),
        live("5", start="9999-12-31T23:00Z"),
        live("6") | {"season": {"year": 10**15}},
        live("7", clock=10**300),
        live("8' OR 1=1"),
        live("9", home="x\x00y"),
    )
    feed.say("nfl", board)
    result = scoreboards.sync_day(sync, NFL, TODAY)
    assert set(games()) == {"1", "2", "4", "6", "7", "9"}
    assert len(result.errors) == 3
    assert (game("2").period, game("6").season_year) == (0, None)
    assert (game("1").detail, game("1").venue, game("1").attendance) == ("ab", "Park", None)
    assert game("7").clock_left is None
    scoreboards.sync_day(later(sync, minutes=1), NFL, TODAY)


def test_league_learns_its_season_from_todays_scoreboard_only(sync, feed):
    feed.say("nfl", make_board())
    scoreboards.sync_day(sync, NFL, TODAY - timedelta(days=400))
    assert league_row().season_year is None
    scoreboards.sync_day(sync, NFL, TODAY)
    assert (league_row().season_year, league_row().season_name) == (2026, "2026 Regular Season")


# ---------------------------------------------------------------- the same again


def test_identical_answer_is_not_decoded_again(sync, feed, monkeypatch):
    feed.say("nfl", make_board(live("1"), final("2")))
    scoreboards.sync_day(sync, NFL, TODAY)
    monkeypatch.setattr("sportsapp.feed.parse.parse_scoreboard", None)
    assert scoreboards.sync_day(sync, NFL, TODAY).as_dict() == {"synced": 2, "errors": []}


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_same_answer_writes_nothing(sync, feed, name):
    league = BY_SLUG[name.split("-")[0]]
    feed.say(league.slug, sample_bytes(name))
    first = scoreboards.sync_day(sync, league, TODAY)
    before = all_rows()
    with statements() as count:
        again = scoreboards.sync_day(sync, league, TODAY)
    assert (again, all_rows()) == (first, before)
    if not first.errors:
        assert writes(count) == 0


def test_same_games_in_other_bytes_change_only_the_digest(sync, feed):
    feed.say("nfl", make_board(live("1", records=("1-0", "")), final("2")))
    scoreboards.sync_day(sync, NFL, TODAY)
    before = all_rows()
    feed.say("nfl", make_board(final("2"), live("1", records=("1-0", "")), provider="x"))
    with statements() as count:
        scoreboards.sync_day(later(sync, seconds=1), NFL, TODAY)
    after = all_rows()
    assert before.pop("scoreboards") != after.pop("scoreboards")
    assert after == before
    assert (count["INSERT"], count["UPDATE"], count["DELETE"]) == (1, 0, 0)  # the digest alone


def test_new_record_of_a_team_is_news_where_its_game_keeps_the_old_one(sync, feed):
    def yesterday(record: str) -> dict[str, Any]:
        return make_board(final(start="2026-10-03T22:00Z", records=(record, "")))

    for hours, record in ((0, "1-0"), (5, "2-0")):
        feed.say("nfl", yesterday(record))
        scoreboards.sync_day(later(sync, hours=hours), NFL, TODAY)
    then = NOW + timedelta(hours=5)
    assert (teams()["1"].record, teams()["1"].updated_at) == ("2-0", then)
    assert (game().home_record, game().updated_at) == ("1-0", NOW)
    assert league_row().changed_at == then


@pytest.mark.parametrize(("seconds", "is_stamped"), [(4, False), (5, True)])
def test_poll_stamp_is_no_finer_than_five_seconds(sync, feed, seconds, is_stamped):
    for board in (make_board(), make_board(), make_board(make_event())):
        feed.say("nfl", board)
        scoreboards.sync_day(sync, NFL, TODAY)
        scoreboards.sync_day(later(sync, seconds=seconds), NFL, TODAY)
        moved = NOW + timedelta(seconds=seconds if is_stamped else 0)
        assert league_row().polled_at == moved


def test_poll_stamp_moves_and_nothing_else_when_nothing_happened(sync, feed):
    feed.say("nfl", make_board(live()))
    scoreboards.sync_day(sync, NFL, TODAY)
    with statements() as count:
        scoreboards.sync_day(later(sync, seconds=60), NFL, TODAY)
    assert writes(count) == 2  # the day's stamp and the league's, in one transaction
    assert league_row().polled_at == NOW + timedelta(seconds=60)
    assert (league_row().changed_at, game().updated_at) == (NOW, NOW)


def test_poll_stamp_does_not_go_back(sync, feed):
    feed.say("nfl", make_board(live()))
    scoreboards.sync_day(later(sync, minutes=5), NFL, TODAY)
    feed.say("nfl", make_board(final()))
    scoreboards.sync_day(sync, NFL, TODAY)
    assert league_row().polled_at == NOW + timedelta(minutes=5)


def test_updated_at_moves_only_with_a_visible_change(sync, feed):
    feed.say("nfl", make_board(live("1"), live("2")))
    scoreboards.sync_day(sync, NFL, TODAY)
    feed.say("nfl", make_board(live("1", score=("13", "7")), live("2")))
    scoreboards.sync_day(replace(later(sync, minutes=1), run_id="run-2"), NFL, TODAY)
    assert game("1").updated_at == league_row().changed_at == NOW + timedelta(minutes=1)
    assert game("1").changed_by_run == "run-2"
    assert (game("2").updated_at, game("2").changed_by_run) == (NOW, None)


def test_broken_answer_is_never_taken_for_the_same(sync, feed):
    feed.say("nfl", make_board(live("1"), live("2", score=("many", "0"))))
    for _ in range(2):
        assert len(scoreboards.sync_day(sync, NFL, TODAY).errors) == 1
    assert db.session.scalar(select(Scoreboard.digest)) == ""


# ---------------------------------------------------------------- old copies and corrections


def poll(sync: SyncContext, feed: Any, *events: Any, minutes: float) -> Game:
    """One more answer, some minutes later; the game as it then is."""
    feed.say("nfl", make_board(*events))
    scoreboards.sync_day(later(sync, minutes=minutes), NFL, TODAY)
    return game()


def test_final_is_taken_back_only_when_the_feed_keeps_saying_so(sync, feed):
    poll(sync, feed, final(), minutes=0)
    for minute in (1, 2, 3, 4, 5):
        assert poll(sync, feed, live(), minutes=minute).state == "post"
    assert db.session.scalars(select(GameDoubt)).one().answers == 5
    assert poll(sync, feed, live(), minutes=6).state == "in"
    assert db.session.scalars(select(GameDoubt)).all() == []


def test_two_copies_of_the_feed_that_take_turns_do_not_take_a_final_back(sync, feed):
    poll(sync, feed, final(), minutes=0)
    for minute in range(1, 30, 2):
        assert poll(sync, feed, live(), minutes=minute).state == "post"
        assert poll(sync, feed, final(), minutes=minute + 1).state == "post"
        assert db.session.scalars(select(GameDoubt)).all() == []


def test_old_copy_changes_neither_the_game_nor_the_teams_records(sync, feed):
    poll(sync, feed, final(records=("5-0", "0-5")), minutes=0)
    before = all_rows()
    poll(sync, feed, live(records=("4-0", "0-4")), minutes=0)
    after = all_rows()
    assert len(after.pop("game_doubts")) == 1
    before.pop("game_doubts")
    assert before.pop("scoreboards") != after.pop("scoreboards")  # its digest is forgotten
    assert after == before


def test_answer_with_an_old_copy_in_it_is_read_again(sync, feed):
    poll(sync, feed, final("1001"), minutes=0)
    board = make_board(live("1001"), make_event("1002"))
    feed.say("nfl", board)
    scoreboards.sync_day(sync, NFL, TODAY)
    scoreboards.sync_day(sync, NFL, TODAY)
    assert db.session.scalars(select(GameDoubt)).one().answers == 2
    assert set(games()) == {"1001", "1002"}


def test_corrected_final_is_taken_at_once(sync, feed):
    poll(sync, feed, final(score=("10", "7")), minutes=0)
    assert poll(sync, feed, final(score=("10", "9")), minutes=1).away_score == 9


def backfill_october(sync: SyncContext) -> None:
    """A range's sync of the month, from its one answer."""
    backfill.sync_range(sync, NFL, date(2026, 10, 1), date(2026, 10, 31))


def test_answer_that_was_asked_for_earlier_and_arrives_later_takes_nothing_back(app, sync, feed):
    """A month's answer is under way, in another thread, while the day's answer is stored."""
    asked, go_on = threading.Event(), threading.Event()

    def slow_month(_request: Request) -> Response:
        asked.set()
        go_on.wait(10)
        events = final(score=("88", "7")), make_event("1002", start="2026-10-11T17:00Z")
        return Response(json.dumps(make_board(*events)))

    def read_month() -> None:
        with app.app_context():
            backfill_october(replace(sync, now=NOW))

    poll(sync, feed, live(), minutes=-1)
    feed.say("nfl", slow_month, dates="202610")
    month = threading.Thread(target=read_month)
    month.start()
    assert asked.wait(10)
    poll(sync, feed, final(score=("90", "7")), minutes=1)
    go_on.set()
    month.join()
    db.session.rollback()  # see what the other thread has stored
    assert set(games()) == {"1001", "1002"}
    assert game().home_score == 90


def test_day_that_was_read_again_without_a_change_outlives_an_older_month(sync, feed):
    for minute in (0, 2):
        poll(sync, feed, final(score=("90", "7")), minutes=minute)
    feed.say("nfl", make_board(final(score=("88", "7")), final("1002")), dates="202610")
    backfill_october(later(sync, minutes=1))
    assert {espn_id: game.home_score for espn_id, game in games().items()} == {"1001": 90}
    backfill_october(later(sync, minutes=3))
    assert set(games()) == {"1001", "1002"}


def test_older_answer_of_a_day_neither_replaces_nor_ends_anything_of_it(sync, feed):
    poll(sync, feed, final(), make_event("1003"), minutes=5)
    poll(sync, feed, live(), make_event("1003"), minutes=6)
    before = all_rows()
    for events in ((live(period=3), live("1002")), (final(),), ()):
        poll(sync, feed, *events, minutes=1)
        assert all_rows() == before


def test_answer_that_another_one_has_changed_a_game_of_is_decoded_again(sync, feed):
    poll(sync, feed, final(score=("90", "7")), final("1002"), minutes=0)
    feed.say("nfl", make_board(final(score=("88", "7"))), dates="202610")
    backfill_october(later(sync, minutes=1))
    assert game().home_score == 88  # the month's answer is the later one
    scoreboards.sync_day(later(sync, minutes=2), NFL, TODAY)
    assert game().home_score == 90
    with statements() as count:
        scoreboards.sync_day(later(sync, minutes=2), NFL, TODAY)
    assert writes(count) == 0


def test_answer_that_was_not_stored_whole_forgets_the_digest_of_its_day(sync, feed):
    poll(sync, feed, final(score=("90", "7")), minutes=0)
    broken = live("2", score=("many", "0"))
    assert poll(sync, feed, final(score=("88", "7")), broken, minutes=1).home_score == 88
    assert poll(sync, feed, final(score=("90", "7")), minutes=2).home_score == 90


def say_moved(feed: Any, *more: Any, new_day: bool = True) -> None:
    """Tomorrow lists the game that today still lists, with another start."""
    feed.say("nfl", make_board(make_event(), *more), dates="20261004")
    moved = make_event(start="2026-10-05T17:00Z")
    feed.say("nfl", make_board(*([moved] if new_day else [])), dates="20261005")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_game_that_moved_by_a_day_is_on_its_new_day_while_the_old_one_still_lists_it(
    sync, feed, order
):
    tomorrow = TODAY + timedelta(days=1)
    say_moved(feed, new_day=False)
    for offset in order:
        scoreboards.sync_day(sync, NFL, TODAY + timedelta(days=offset))
    assert game().day == TODAY
    others: list[Any] = []
    for minute in (1, 2, 3, 4):
        others.append(make_event(f"200{minute}"))
        say_moved(feed, *others)
        for offset in order:
            scoreboards.sync_day(later(sync, minutes=minute), NFL, TODAY + timedelta(days=offset))
        assert game().day == tomorrow
    say_moved(feed, *others, new_day=False)
    for minute in (5, 6):
        for offset in order:
            scoreboards.sync_day(later(sync, minutes=minute), NFL, TODAY + timedelta(days=offset))
    assert game().day == TODAY


def test_game_that_its_own_day_moves_back_is_there_at_once(sync, feed):
    tomorrow = TODAY + timedelta(days=1)
    poll(sync, feed, make_event(), minutes=0)
    for minute, start in ((1, "2026-10-05T17:00Z"), (2, "2026-10-04T17:00Z")):
        feed.say("nfl", make_board(make_event(start=start)))
        for day in (tomorrow, TODAY):
            scoreboards.sync_day(later(sync, minutes=minute), NFL, day)
        assert game().start_at.day == int(start[8:10])


def test_postponed_game_and_its_make_up_are_two_games(sync, feed):
    called_off = make_event("1001", "postponed")
    make_up = make_event("2002", start="2026-10-05T17:00Z")
    poll(sync, feed, called_off, make_up, minutes=0)
    assert (game("1001").status, game("1001").day) == ("postponed", TODAY)
    assert (game("1001").home_score, game("1001").away_score) == (None, None)
    assert (game("2002").status, game("2002").day) == ("scheduled", TODAY + timedelta(days=1))


def test_game_that_moves_under_the_same_id_moves(sync, feed):
    poll(sync, feed, make_event(), minutes=0)
    poll(sync, feed, make_event(status="postponed"), minutes=1)
    moved = poll(sync, feed, make_event(start="2026-10-06T00:15Z"), minutes=2)
    assert (moved.status, moved.day) == ("scheduled", date(2026, 10, 5))


def test_suspended_game_goes_on_and_ends(sync, feed):
    def inning(status: str, number: int, half: str) -> dict[str, Any]:
        score = ("1", "1")
        return make_event("1001", status, period=number, detail=f"{half} {number}th", score=score)

    for minute, (status, number) in enumerate(
        [("live", 5), ("suspended", 5), ("live", 5), ("live", 7), ("final", 9)]
    ):
        feed.say("mlb", make_board(inning(status, number, "Top")))
        scoreboards.sync_day(later(sync, minutes=minute), MLB, TODAY)
        assert (game().status, game().period) == (status, number)


# ---------------------------------------------------------------- several leagues


def test_today_is_the_game_day_until_four_in_the_morning(sync, feed):
    night = datetime(2026, 10, 5, 7, 59, tzinfo=UTC)
    scoreboards.sync_today(replace(sync, now=night), [NFL])
    scoreboards.sync_today(replace(sync, now=night + timedelta(minutes=1)), [NFL])
    assert feed.asked() == ["nfl 20261004", "nfl 20261005"]


def test_schedule_is_yesterday_today_and_tomorrow(sync, feed):
    assert scoreboards.sync_schedule(sync, LEAGUES).as_dict() == {"synced": 0, "errors": []}
    days = ("20261003", "20261004", "20261005")
    assert sorted(feed.asked()) == sorted(f"{x.slug} {day}" for x in LEAGUES for day in days)


def test_game_on_two_days_answers_counts_once(sync, feed):
    feed.say("mlb", make_board(make_event("1", "suspended"), make_event("2")), dates="20261004")
    feed.say("mlb", make_board(make_event("1", "suspended"), make_event("3")), dates="20261005")
    assert scoreboards.sync_schedule(sync, [MLB]).synced == 3


def test_one_failing_league_is_one_line_and_the_others_go_on(sync, feed):
    for n, league in enumerate(LEAGUES):
        feed.say(league.slug, make_board(make_event(str(n))))
    feed.fail("nba", 500)
    result = scoreboards.sync_today(sync, LEAGUES)
    assert result.synced == 3
    (line,) = result.errors
    assert line.startswith("NBA 2026-10-04: the feed answered 500")
    assert set(games()) == {"0", "2", "3"}


def test_errors_stand_in_the_order_of_leagues_and_days(sync, feed):
    feed.fail("nhl", 404)
    feed.say("nfl", b"{")
    result = scoreboards.sync_schedule(sync, LEAGUES)
    assert [line[:14] for line in result.errors] == [
        f"{label} 2026-10-0{day}" for label in ("NFL", "NHL") for day in (3, 4, 5)
    ]


def test_all_leagues_failing_is_raised_with_each_reason(sync, feed):
    for league in LEAGUES:
        feed.fail(league.slug, 403)
    feed.say("nba", b"<html>")
    with pytest.raises(AllLeaguesFailedError) as caught:
        scoreboards.sync_today(sync, LEAGUES)
    assert list(caught.value.failures) == ["nfl", "nba", "mlb", "nhl"]
    assert isinstance(caught.value.failures["nfl"], FeedRefusedError)
    assert isinstance(caught.value.failures["nba"], PayloadError)
    assert caught.value.retryable


def test_all_leagues_refusing_is_not_worth_retrying(sync, feed):
    for league in LEAGUES:
        feed.fail(league.slug, 403)
    with pytest.raises(AllLeaguesFailedError) as caught:
        scoreboards.sync_schedule(sync, LEAGUES)
    assert not caught.value.retryable


def test_leagues_are_asked_side_by_side(sync, feed):
    together = threading.Barrier(4, timeout=5)

    def answer(_request: Request) -> Response:
        together.wait()
        return Response('{"events": []}')

    for league in LEAGUES:
        feed.say(league.slug, answer)
    assert scoreboards.sync_today(sync, LEAGUES).errors == []


def test_interrupted_sync_waits_for_nothing_and_begins_nothing_more():
    started: list[int] = []
    release = threading.Event()

    def call(number: int) -> Answer:
        started.append(number)
        if number:
            release.wait(10)
        return Answer("", b"", "")

    fetching = fetch.fetch_all({n: partial(call, n) for n in range(20)})
    assert next(fetching)[0] == 0
    began = time.monotonic()
    fetching.close()
    assert time.monotonic() - began < 5
    release.set()
    time.sleep(0.1)
    assert len(started) <= fetch.PARALLEL + 1


def test_failing_feed_is_noted_with_its_beginning_and_cleared(sync, feed):
    feed.fail("nfl", 500)
    for minute in (0, 5):
        scoreboards.sync_today(later(sync, minutes=minute), LEAGUES)
    row = league_row()
    assert (row.failing_since, row.polled_at) == (NOW, None)
    assert row.failure.startswith("the feed answered 500")
    assert league_row("nba").failing_since is None
    feed.say("nfl", make_board())
    scoreboards.sync_today(later(sync, minutes=6), LEAGUES)
    row = league_row()
    assert (row.failing_since, row.failure) == (None, "")
    assert row.polled_at == NOW + timedelta(minutes=6)


def test_identical_answer_ends_a_failure_too(sync, feed):
    feed.say("nfl", make_board())
    scoreboards.sync_today(sync, LEAGUES)
    feed.fail("nfl", 500)
    scoreboards.sync_today(later(sync, seconds=1), LEAGUES)
    feed.say("nfl", make_board())
    scoreboards.sync_today(later(sync, seconds=2), LEAGUES)
    assert league_row().failing_since is None


def test_unexpected_error_stops_the_sync_and_leaves_nothing_half_done(sync, feed, monkeypatch):
    feed.say("nfl", make_board(make_event()))

    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("sportsapp.sync.store._update_league", fail)
    with pytest.raises(RuntimeError):
        scoreboards.sync_day(sync, NFL, TODAY)
    assert (games(), teams()) == ({}, {})


# ---------------------------------------------------------------- live


def be_read(
    sync: SyncContext, feed: Any, *events: Any, league: str = "nfl", day: date = TODAY
) -> None:
    """The day's scoreboard has been stored, and what was asked so far is forgotten."""
    feed.say(league, make_board(*events), dates=f"{day:%Y%m%d}")
    scoreboards.sync_day(sync, BY_SLUG[league], day)
    feed.requests.clear()


def asked_live(sync: SyncContext, feed: Any, *leagues: Any) -> list[str]:
    sync_live(sync, list(leagues) or [NFL])
    return feed.asked()


def test_live_sync_asks_for_today_while_nobody_knows_it(sync, feed):
    assert sorted(asked_live(sync, feed, *LEAGUES)) == [
        f"{slug} 20261004" for slug in ("mlb", "nba", "nfl", "nhl")
    ]
    feed.requests.clear()
    assert asked_live(sync, feed, *LEAGUES) == []


def test_live_sync_asks_nothing_on_a_quiet_night(sync, feed):
    be_read(sync, feed, final("1"), make_event("2", start="2026-10-04T23:00Z"))
    with statements() as count:
        result = sync_live(sync, [NFL])
    assert (result.as_dict(), feed.requests) == ({"synced": 0, "errors": []}, [])
    assert writes(count) == 0


@pytest.mark.parametrize("status", ["live", "break", "delay"])
def test_live_sync_asks_for_a_live_game(sync, feed, status):
    be_read(sync, feed, make_event(status=status, score=("1", "0"), period=1))
    assert asked_live(sync, feed) == ["nfl 20261004"]


@pytest.mark.parametrize(
    ("league", "start", "is_asked"),
    [
        ("nfl", "2026-10-04T18:02Z", True),
        ("nfl", "2026-10-04T18:03Z", False),
        ("nfl", "2026-10-04T12:00Z", True),
        ("nfl", "2026-10-04T11:59Z", False),
        ("mlb", "2026-10-04T09:00Z", True),
        ("mlb", "2026-10-04T08:59Z", False),
    ],
)
def test_live_sync_asks_for_a_game_that_should_have_begun(sync, feed, league, start, is_asked):
    be_read(sync, feed, make_event(start=start), league=league)
    asked = asked_live(sync, feed, BY_SLUG[league])
    assert asked == ([f"{league} 20261004"] if is_asked else [])


@pytest.mark.parametrize("status", ["final", "postponed", "cancelled", "suspended"])
def test_live_sync_does_not_ask_for_what_has_ended(sync, feed, status):
    be_read(sync, feed, make_event(status=status, score=("1", "0"), period=1))
    assert asked_live(sync, feed) == []


@pytest.mark.parametrize("status", ["postponed", "cancelled", "suspended", "other"])
@pytest.mark.parametrize(
    ("start", "is_asked"),
    [
        ("2026-10-04T17:14Z", False),
        ("2026-10-04T17:15Z", True),
        ("2026-10-04T18:45Z", True),
        ("2026-10-04T18:46Z", False),
    ],
)
def test_live_sync_asks_for_a_game_that_may_be_on_again(sync, feed, status, start, is_asked):
    be_read(sync, feed, make_event(status=status, start=start))
    assert asked_live(sync, feed) == (["nfl 20261004"] if is_asked else [])


def test_postponed_game_that_is_on_at_its_old_time_is_followed_live(sync, feed, cases):
    epl, day = BY_SLUG["epl"], date(2026, 5, 22)
    kick_off = datetime(2026, 5, 22, 14, 0, tzinfo=UTC)
    feed.say("epl", (cases / "postponed-then-scheduled-same-start-1.json").read_bytes())
    scoreboards.sync_day(replace(sync, now=kick_off - timedelta(minutes=10)), epl, day)
    feed.say("epl", (cases / "postponed-then-scheduled-same-start-2.json").read_bytes())
    sync_live(replace(sync, now=kick_off), [epl])
    assert game("740902").status == "scheduled"
    feed.requests.clear()
    sync_live(replace(sync, now=kick_off + timedelta(minutes=5)), [epl])
    assert feed.asked() == ["epl 20260522"]


def test_mistaken_final_lasts_no_longer_than_five_answers_of_the_live_sync(sync, feed):
    """The game is the only one, so nothing but its doubt keeps the live sync reading its day."""
    be_read(sync, feed, final())
    feed.say("nfl", make_board(live()), dates="20261004")
    scoreboards.sync_schedule(sync, [NFL])
    for minute in (1, 2, 3, 4):
        assert asked_live(later(sync, minutes=minute), feed)[-1] == "nfl 20261004"
        assert game().state == "post"
    sync_live(later(sync, minutes=5), [NFL])
    assert game().state == "in"


def test_day_of_a_doubt_that_no_answer_ends_is_not_read_for_ever(sync, feed):
    be_read(sync, feed, final())
    feed.say("nfl", make_board(live()), dates="20261004")
    scoreboards.sync_day(sync, NFL, TODAY)
    feed.say("nfl", make_board(), dates="20261004")
    for hours, asked in ((5.9, ["nfl 20261004"]), (6.1, [])):
        feed.requests.clear()
        assert asked_live(later(sync, hours=hours), feed) == asked


def test_live_score_outlives_an_old_answer_without_scores(sync, feed, cases):
    day = date(2026, 3, 11)
    for number in (1, 2):
        feed.say("nhl", (cases / f"live-then-null-pre-{number}.json").read_bytes())
        result = scoreboards.sync_day(sync, NHL, day)
        assert result.errors == []
    stored = game("5001")
    assert (stored.state, stored.away_score, stored.home_score) == ("in", 1, 0)


def test_live_sync_does_not_wait_for_a_time_that_is_not_set(sync, feed):
    be_read(sync, feed, make_event(start="2026-10-04T18:00Z", timeValid=False))
    assert asked_live(sync, feed) == []


def test_game_that_runs_past_midnight_is_still_asked_for(sync, feed):
    be_read(sync, feed, live(start="2026-10-05T02:10Z"))
    after_midnight = replace(sync, now=datetime(2026, 10, 5, 5, 30, tzinfo=UTC))
    assert game_day(after_midnight.now) == TODAY
    assert asked_live(after_midnight, feed) == ["nfl 20261004"]


def test_game_that_runs_past_four_is_asked_for_by_its_own_day_and_by_the_new_one(sync, feed):
    be_read(sync, feed, live(start="2026-10-05T02:10Z"))
    morning = replace(sync, now=datetime(2026, 10, 5, 8, 30, tzinfo=UTC))
    be_read(morning, feed, day=date(2026, 10, 5))
    assert sorted(asked_live(morning, feed)) == ["nfl 20261004", "nfl 20261005"]


def test_game_that_begins_after_midnight_is_asked_for_by_its_own_day_alone(sync, feed):
    be_read(sync, feed, live(start="2026-10-05T04:10Z"), day=date(2026, 10, 5))
    be_read(sync, feed)
    after_midnight = replace(sync, now=datetime(2026, 10, 5, 5, 30, tzinfo=UTC))
    assert game_day(after_midnight.now) == TODAY
    assert asked_live(after_midnight, feed) == ["nfl 20261005"]


def test_resumed_game_is_followed_on_the_day_it_goes_on(sync, feed):
    yesterday = TODAY - timedelta(days=1)
    resumed = live(start="2026-10-03T17:00Z")
    be_read(sync, feed, league="mlb", day=yesterday)
    be_read(sync, feed, resumed, league="mlb")
    assert game().day == yesterday
    feed.say(
        "mlb", make_board(final(start="2026-10-03T17:00Z", score=("11", "7"))), dates="20261004"
    )
    sync_live(later(sync, minutes=1), [MLB])
    assert (game().status, game().home_score) == ("final", 11)


def test_games_that_the_feed_forgot_do_not_make_the_live_sync_grow(sync, feed):
    events = [live(str(day), start=f"2026-09-{day:02}T17:00Z") for day in range(1, 11)]
    be_read(sync, feed, *events)
    assert sorted(asked_live(sync, feed)) == ["nfl 20260909", "nfl 20260910", "nfl 20261004"]


def test_live_games_of_years_to_come_do_not_keep_the_live_sync_from_today(sync, feed):
    events = [live(str(year), start=f"{year}-01-01T18:00Z") for year in range(2090, 2094)]
    be_read(sync, feed, live(), *events)
    assert asked_live(sync, feed) == ["nfl 20261004"]


def test_live_sync_of_the_only_league_with_games_fails_loudly(sync, feed):
    be_read(sync, feed, live())
    be_read(sync, feed, league="nba")
    feed.say("nfl", Response("no", 503), dates="20261004")
    with pytest.raises(AllLeaguesFailedError):
        sync_live(sync, [NFL, NBA])


# ---------------------------------------------------------------- a range


def spans(start: str, end: str, league: LeagueRow = NBA) -> list[str]:
    chunks = chunks_of(league, date.fromisoformat(start), date.fromisoformat(end))
    return [f"{'M' if c.by_month else 'D'} {c.start:%m%d}-{c.end:%m%d}" for c in chunks]


@pytest.mark.parametrize(
    ("start", "end", "chunks"),
    [
        ("2026-10-04", "2026-10-04", ["D 1004-1004"]),
        ("2026-10-01", "2026-10-03", ["D 1001-1003"]),
        ("2026-10-01", "2026-10-04", ["M 1001-1004"]),
        ("2026-10-01", "2026-10-31", ["M 1001-1031"]),
        (
            "2026-09-28",
            "2026-11-02",
            ["D 0928-0930", "M 1001-1031", "D 1101-1102"],
        ),
        ("2026-12-28", "2027-01-04", ["M 1228-1231", "M 0101-0104"]),
        ("2028-02-26", "2028-03-01", ["M 0226-0229", "D 0301-0301"]),
        ("2027-02-26", "2027-03-01", ["D 0226-0228", "D 0301-0301"]),
    ],
)
def test_range_goes_by_month_where_it_covers_four_days_of_it(start, end, chunks):
    assert spans(start, end) == chunks


def test_chunks_cover_a_range_once_and_in_order():
    start, end = date(2025, 1, 30), date(2026, 3, 2)
    days = [day for chunk in chunks_of(NBA, start, end) for day in chunk.days]
    assert days == [start + timedelta(days=n) for n in range((end - start).days + 1)]
    assert Chunk(start, start, by_month=False).days == [start]


def october(*days: int) -> list[dict[str, Any]]:
    return [make_event(str(day), "final", start=f"2026-10-{day:02}T17:00Z") for day in days]


@pytest.mark.parametrize(
    ("start", "end", "chunks"),
    [
        ("2026-10-01", "2026-10-31", ["D 1001-1031"]),
        ("2026-10-30", "2026-11-30", ["D 1030-1031", "D 1101-1130"]),
    ],
)
def test_range_goes_by_day_where_a_month_does_not_fit_into_an_answer(start, end, chunks):
    assert spans(start, end, NCAAM) == chunks


def test_request_for_each_day_or_month_is_counted():
    october = date(2026, 10, 1), date(2026, 10, 31)
    assert [chunk.requests for chunk in chunks_of(NBA, *october)] == [1]
    assert [chunk.requests for chunk in chunks_of(NCAAM, *october)] == [31]


def test_season_of_a_league_whose_months_do_not_fit_is_whole(sync, feed):
    """142 games a day, which is the most, from November to March: more than any month holds."""
    days = [date(2026, 11, 2) + timedelta(days=n) for n in range(0, 150, 25)]
    for n, day in enumerate(days):
        events = [
            make_event(f"{n}{number:03}", "final", start=f"{day}T18:00Z", score=("2", "1"))
            for number in range(142)
        ]
        feed.say("ncaam", make_board(*events), dates=f"{day:%Y%m%d}")
    seen = []
    result = backfill.sync_range(
        replace(sync, progress=lambda *step: seen.append(step[:2])),
        NCAAM,
        date(2026, 11, 1),
        date(2027, 3, 31),
    )
    assert result.as_dict() == {"synced": 142 * len(days), "errors": []}
    assert len(games()) == 142 * len(days)
    asked = [one.partition(" ")[2] for one in feed.asked()]
    assert len(asked) == len(set(asked)) == 151
    assert {len(dates) for dates in asked} == {8}
    assert seen == [(n, 5) for n in range(6)]
    assert {request.args["groups"] for request in feed.requests} == {"50"}


def slow_refusal(status: int) -> Callable[[Request], Response]:
    """So slow that whoever gives up at the first has not asked for many."""

    def refuse(_request: Request) -> Response:
        time.sleep(0.1)
        return Response("no", status)

    return refuse


@pytest.mark.parametrize(("status", "most"), [(403, 15), (404, 31)])
def test_days_are_not_all_asked_for_when_the_feed_does_not_want_us(sync, feed, status, most):
    feed.say("ncaam", slow_refusal(status))
    with pytest.raises(FeedRefusedError):
        backfill.sync_range(sync, NCAAM, date(2026, 10, 1), date(2026, 10, 31))
    assert most - 14 <= len(feed.asked()) <= most


def test_days_before_a_refusal_are_kept(sync, feed):
    feed.say("ncaam", slow_refusal(403))
    feed.say("ncaam", make_board(*october(1)), dates="20261001")
    result = backfill.sync_range(sync, NCAAM, date(2026, 10, 1), date(2026, 10, 4))
    assert (result.synced, len(result.errors)) == (1, 3)


def test_ranks_are_stored_and_move_until_the_game_is_over(sync, feed):
    def told(status: str, rank: int) -> Game:
        event = make_event("1001", status, score=("3", "0"), period=2)
        event["competitions"][0]["competitors"][0]["curatedRank"] = {"current": rank}
        be_read(sync, feed, event, league="ncaaf")
        return game()

    assert (told("live", 4).home_rank, game().away_rank) == (4, None)
    before = game().updated_at
    sync = later(sync, minutes=1)
    assert told("live", 3).home_rank == 3
    assert game().updated_at > before
    assert told("final", 5).home_rank == 5
    assert told("final", 6).home_rank == 5


def test_month_keeps_only_the_days_of_the_range(sync, feed):
    feed.say("nba", make_board(*october(1, 4, 5, 8, 9)), dates="202610")
    result = backfill.sync_range(sync, NBA, date(2026, 10, 4), date(2026, 10, 8))
    assert result.as_dict() == {"synced": 3, "errors": []}
    assert set(games()) == {"4", "5", "8"}
    assert feed.asked() == ["nba 202610"]


def test_few_days_are_asked_one_by_one(sync, feed):
    feed.say("nba", make_board(*october(4)), dates="20261004")
    feed.say("nba", make_board(*october(5, 4)), dates="20261005")
    result = backfill.sync_range(sync, NBA, date(2026, 10, 4), date(2026, 10, 5))
    assert (result.synced, sorted(feed.asked())) == (2, ["nba 20261004", "nba 20261005"])


def test_game_listed_twice_in_a_month_counts_once(sync, feed):
    feed.say("nba", make_board(*october(4, 4, 5)), dates="202610")
    assert backfill.sync_range(sync, NBA, date(2026, 10, 1), date(2026, 10, 31)).synced == 2


@pytest.mark.parametrize("count", [25, 100, 500])
def test_suspect_count_is_fetched_day_by_day(sync, feed, count):
    feed.say("nba", make_board(*[live(str(n)) for n in range(count)]), dates="202610")
    feed.say("nba", make_board(*october(3)), dates="20261003")
    result = backfill.sync_range(sync, NBA, date(2026, 10, 1), date(2026, 10, 4))
    assert (result.synced, set(games())) == (1, {"3"})
    assert sorted(feed.asked()) == ["nba 202610", *(f"nba 2026100{n}" for n in (1, 2, 3, 4))]


@pytest.mark.parametrize("count", [24, 26, 99, 101])
def test_other_counts_are_not_suspect(sync, feed, count):
    feed.say("nba", make_board(*[live(str(n)) for n in range(count)]), dates="202610")
    assert backfill.sync_range(sync, NBA, date(2026, 10, 1), date(2026, 10, 4)).synced == count


@pytest.mark.parametrize("answer", [b"<html>", Response("no", 400), Response("no", 500)])
def test_month_that_fails_is_fetched_day_by_day(sync, feed, answer):
    feed.say("nba", answer, dates="202610")
    feed.say("nba", make_board(*october(2)), dates="20261002")
    result = backfill.sync_range(sync, NBA, date(2026, 10, 1), date(2026, 10, 4))
    assert result.as_dict() == {"synced": 1, "errors": []}


def test_day_that_fails_is_a_line_and_the_others_go_on(sync, feed):
    feed.say("nba", make_board(*october(1)), dates="20261001")
    feed.say("nba", Response("no", 500), dates="20261002")
    feed.say("nba", make_board(*october(3), "x"), dates="20261003")
    result = backfill.sync_range(sync, NBA, date(2026, 10, 1), date(2026, 10, 3))
    assert result.synced == 2
    assert [line[:15] for line in result.errors] == ["NBA 2026-10-02:", "NBA 2026-10-03:"]


def test_failing_days_of_a_failing_month_are_lines(sync, feed):
    feed.say("nba", b"<html>", dates="202610")
    feed.say("nba", b"<html>", dates="20261002")
    result = backfill.sync_range(sync, NBA, date(2026, 10, 1), date(2026, 10, 4))
    assert len(result.errors) == 1
    assert result.errors[0].startswith("NBA 2026-10-02: this is not a scoreboard")


def test_broken_event_of_a_month_is_a_line(sync, feed):
    feed.say("nba", make_board(*october(1), {"id": "9"}), dates="202610")
    result = backfill.sync_range(sync, NBA, date(2026, 10, 1), date(2026, 10, 31))
    assert result.synced == 1
    assert result.errors[0].startswith("NBA 2026-10-01 to 2026-10-31: event 9: ")


def test_range_that_fails_altogether_is_raised_and_begins_again(sync, feed):
    feed.fail("nba", 503)
    seen: list[Any] = []
    with pytest.raises(FeedError):
        backfill.sync_range(
            replace(sync, progress=lambda *step: seen.append(step)),
            NBA,
            date(2026, 9, 29),
            date(2026, 10, 4),
        )
    assert [done for done, _, _ in seen] == [0, 1, 2, 0]
    assert seen[-1] == (0, 2, None)


def test_failure_of_the_past_says_nothing_of_the_feed_now(sync, feed):
    feed.fail("nba", 503)
    with pytest.raises(FeedError):
        backfill.sync_range(sync, NBA, date(2026, 9, 1), date(2026, 9, 2))
    assert db.session.scalars(select(LeagueRow.failing_since)).all() == [None]
    with pytest.raises(FeedError):
        backfill.sync_range(sync, NBA, TODAY, TODAY)
    assert league_row("nba").failing_since == NOW


def test_progress_is_told_after_each_chunk_and_resumes_there(sync, feed):
    starts = {"20260930": "2026-09-30", "202610": "2026-10-08", "20261101": "2026-11-01"}
    for number, (dates, day) in enumerate(starts.items(), 1):
        made = make_event(str(number), "final", start=f"{day}T18:00Z")
        feed.say("nba", make_board(made), dates=dates)
    start, end = date(2026, 9, 30), date(2026, 11, 1)
    seen: list[Any] = []

    def stop_after_two(done: int, total: int, resume: Any) -> None:
        seen.append((done, total))
        if done == 2:
            seen.append(resume)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill.sync_range(replace(sync, progress=stop_after_two), NBA, start, end)
    resume = seen.pop()
    assert seen == [(0, 3), (1, 3), (2, 3)]
    assert set(games()) == {"1", "2"}
    feed.requests.clear()
    seen.clear()
    counting = replace(sync, progress=lambda *step: seen.append(step[:2]))
    result = backfill.sync_range(replace(counting, resume=resume), NBA, start, end)
    assert (result.synced, feed.asked(), seen) == (3, ["nba 20261101"], [(2, 3), (3, 3)])


def test_errors_and_good_chunks_of_a_first_run_count_when_it_resumes(sync, feed):
    feed.fail("nba", 500)
    days = date(2026, 9, 30), date(2026, 10, 1)
    point = {"done": 1, "failures": {}, "kept": {"is_read": True}}
    resume = point | {"todo": [["2026-10-01", "2026-10-01", False]]}
    resume |= {"result": {"synced": 4, "errors": ["an earlier line"]}}
    result = backfill.sync_range(replace(sync, resume=resume), NBA, *days)
    assert result.synced == 4
    assert len(result.errors) == 2
    done = point | {"done": 2, "todo": [], "result": {"synced": 7, "errors": []}}
    again = backfill.sync_range(replace(sync, resume=done), NBA, *days)
    assert again.as_dict() == {"synced": 7, "errors": []}


def test_cancelled_range_keeps_what_it_has(sync, feed):
    feed.say(
        "nba", make_board(make_event("1", "final", start="2026-09-30T18:00Z")), dates="20260930"
    )

    def cancel(done: int, _total: int, _resume: Any) -> None:
        if done:
            raise RuntimeError("cancelled")

    cancelling = replace(sync, progress=cancel)
    with pytest.raises(RuntimeError, match="cancelled"):
        backfill.sync_range(cancelling, NBA, date(2026, 9, 30), date(2026, 10, 1))
    assert set(games()) == {"1"}
    assert feed.asked() == ["nba 20260930"]


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-10-05", "2026-10-04"), ("1899-12-31", "2026-10-04"), ("2026-10-04", "2029-01-01")],
)
def test_range_that_makes_no_sense_asks_nothing(sync, feed, start, end):
    with pytest.raises(DateRangeError):
        backfill.sync_range(sync, NBA, date.fromisoformat(start), date.fromisoformat(end))
    assert feed.requests == []


def test_second_run_of_a_range_changes_nothing(sync, feed):
    feed.say("nba", make_board(*october(1, 4, 5)), dates="202610")
    feed.say("nba", make_board(*october(30)), dates="20260930")
    start, end = date(2026, 9, 30), date(2026, 10, 8)
    first = backfill.sync_range(sync, NBA, start, end)
    before = all_rows()
    assert backfill.sync_range(sync, NBA, start, end) == first
    assert all_rows() == before


# ---------------------------------------------------------------- leagues and standings


def test_leagues_are_created_and_then_updated(sync, feed):
    for league in LEAGUES:
        feed.say(league.slug, make_board())
        feed.say(league.slug, make_standings(t1="3-1"), kind="standings")
    assert catalogue.sync_leagues(sync, LEAGUES).as_dict() == {
        "created": 4,
        "updated": 0,
        "errors": [],
    }
    before = all_rows()
    assert catalogue.sync_leagues(sync, LEAGUES).as_dict() == {
        "created": 0,
        "updated": 4,
        "errors": [],
    }
    assert all_rows() == before
    row = league_row("nba")
    assert (row.name, row.season_year, row.standings_at) == ("Some League", 2026, NOW)


def test_league_that_answers_again_is_well_and_a_new_season_moves_it(sync, feed):
    feed.say("nfl", make_standings(t1="3-1"), kind="standings")
    feed.fail("nfl", 500)
    with pytest.raises(AllLeaguesFailedError):
        catalogue.sync_leagues(sync, [NFL])
    feed.say("nfl", make_board())
    catalogue.sync_leagues(later(sync, minutes=1), [NFL])
    row = league_row()
    assert (row.failing_since, row.polled_at) == (None, NOW + timedelta(minutes=1))
    assert row.updated_at == NOW + timedelta(minutes=1)
    catalogue.sync_leagues(later(sync, minutes=2), [NFL])
    assert league_row().updated_at == NOW + timedelta(minutes=1)


def test_standings_give_the_teams_their_records(sync, feed):
    feed.say("nfl", make_board())
    feed.say("nfl", make_standings(t1="3-1", t2="1-3"), kind="standings")
    catalogue.sync_leagues(sync, [NFL])
    first, second = teams()["1"], teams()["2"]
    assert (first.record, first.standing_group, first.standing_position) == ("3-1", "East", 1)
    assert (second.record, second.standing_position) == ("1-3", 2)
    assert first.standing == {"overall": "3-1"}


def test_standings_are_news_of_their_own_league_only(sync, feed):
    for league in (NFL, NBA):
        feed.say(league.slug, make_board())
        feed.say(league.slug, make_standings(t1="3-1"), kind="standings")
    catalogue.sync_leagues(sync, [NFL, NBA])
    feed.say("nfl", make_standings(t1="4-1"), kind="standings")
    catalogue.sync_leagues(later(sync, minutes=1), [NFL, NBA])
    assert league_row("nba").standings_at == NOW
    assert league_row("nba").changed_at < NOW + timedelta(minutes=1)
    then = NOW + timedelta(minutes=1)
    assert league_row("nfl").standings_at == league_row("nfl").changed_at == then


def test_league_keeps_its_name_where_the_feed_gives_none(sync, feed):
    scoreboards.sync_today(sync, [NFL])
    feed.say("nfl", {"events": [], "leagues": [{"season": {"year": 2026}}]})
    catalogue.sync_leagues(sync, [NFL])
    assert league_row().name == "National Football League"


def test_failing_standings_are_a_line_and_the_season_is_stored(sync, feed):
    for league in (NFL, NBA):
        feed.say(league.slug, make_board())
    feed.say("nba", {"children": [{"standings": {"entries": [{}]}}]}, kind="standings")
    result = catalogue.sync_leagues(sync, [NFL, NBA])
    assert result.created == 2
    assert [line.split(":")[0] for line in result.errors] == ["NBA standings", "NFL standings"]


def test_failing_league_is_a_line_and_its_standings_are_not_asked(sync, feed):
    feed.fail("nfl", 500)
    feed.say("nba", make_board())
    feed.say("nba", make_standings(t1="1-0"), kind="standings")
    result = catalogue.sync_leagues(sync, [NFL, NBA])
    assert (result.created, len(result.errors)) == (1, 1)
    assert feed.asked("standings") == ["nba "]
    assert league_row("nfl").failing_since == NOW


def test_leagues_that_all_fail_are_raised(sync, feed):
    feed.fail("nfl", 500)
    feed.say("nba", {"events": []})
    with pytest.raises(AllLeaguesFailedError, match="names no league"):
        catalogue.sync_leagues(sync, [NFL, NBA])


# ---------------------------------------------------------------- teams and rosters


def say_teams(feed: Any, **rosters: tuple[str, ...]) -> None:
    """The league's teams, by ``t<id>``, and who plays in them."""
    feed.say("mlb", make_team_list(*(make_team(key[1:]) for key in rosters)), kind="teams")
    said = {key[1:]: make_roster(*names) for key, names in rosters.items()}

    def roster(request: Request) -> Response:
        return Response(json.dumps(said[request.path.split("/")[-2]]))

    feed.say("mlb", roster, kind="roster")


def players() -> dict[str, tuple[str, bool]]:
    """Each player's team by the feed's id, and whether he is active."""
    db.session.expire_all()
    found = select(Player.espn_id, Team.espn_id, Player.active).join(Player.team)
    return {player: (team, active) for player, team, active in db.session.execute(found)}


def test_teams_and_their_players_are_stored(sync, feed):
    say_teams(feed, t1=("11:Ann", "12:Bo"), t2=("21:Cy",))
    assert catalogue.sync_teams(sync, [MLB]).as_dict() == {"synced": 2, "errors": []}
    assert {team.listed for team in teams("mlb").values()} == {True}
    assert players() == {"11": ("1", True), "12": ("1", True), "21": ("2", True)}


def test_players_move_and_leave_and_come_back(sync, feed):
    say_teams(feed, t1=("11:Ann", "12:Bo", "13:Cy"), t2=("21:Di",))
    catalogue.sync_teams(sync, [MLB])
    say_teams(feed, t1=("11:Ann",), t2=("21:Di", "12:Bo"))
    catalogue.sync_teams(sync, [MLB])
    assert players() == {
        "11": ("1", True),
        "12": ("2", True),
        "13": ("1", False),
        "21": ("2", True),
    }
    say_teams(feed, t1=("11:Ann",), t2=("21:Di", "12:Bo", "13:Cy"))
    catalogue.sync_teams(sync, [MLB])
    assert players()["13"] == ("2", True)


def test_same_teams_and_rosters_write_nothing(sync, feed):
    say_teams(feed, t1=("11:Ann", "12:Bo"), t2=("21:Cy",))
    catalogue.sync_teams(sync, [MLB])
    before = all_rows()
    with statements() as count:
        catalogue.sync_teams(later(sync, minutes=1), [MLB])
    assert (writes(count), all_rows()) == (0, before)


@pytest.mark.parametrize("now_said", [{"t1": ("11:Bea",)}, {"t1": ("11:Ann", "12:Bo")}, {"t2": ()}])
def test_changed_teams_and_rosters_are_news(sync, feed, now_said):
    say_teams(feed, t1=("11:Ann",))
    catalogue.sync_teams(sync, [MLB])
    first = league_row("mlb").changed_at
    assert first - NOW < timedelta(milliseconds=1)
    catalogue.sync_teams(later(sync, minutes=1), [MLB])
    assert league_row("mlb").changed_at == first
    say_teams(feed, **now_said)
    catalogue.sync_teams(later(sync, minutes=2), [MLB])
    assert league_row("mlb").changed_at == NOW + timedelta(minutes=2)


@pytest.mark.parametrize(
    "answer", [{"athletes": []}, {"athletes": [{"position": "P", "items": []}]}]
)
def test_empty_roster_makes_nobody_inactive(sync, feed, answer):
    say_teams(feed, t1=("11:Ann",))
    catalogue.sync_teams(sync, [MLB])
    feed.say("mlb", answer, kind="roster")
    assert catalogue.sync_teams(sync, [MLB]).as_dict() == {"synced": 1, "errors": []}
    assert players() == {"11": ("1", True)}


def test_roster_that_is_cut_off_takes_no_player_off_his_team(sync, feed):
    names = tuple(f"{n}:Ann" for n in range(10, 60))
    say_teams(feed, t1=names)
    catalogue.sync_teams(sync, [MLB])
    say_teams(feed, t1=names[:20])
    result = catalogue.sync_teams(later(sync, minutes=1), [MLB])
    assert result.errors == ["MLB T1 roster: 20 listed, 30 missing: kept"]
    assert list(players().values()) == [("1", True)] * 50
    say_teams(feed, t1=names[:30])
    assert catalogue.sync_teams(later(sync, minutes=2), [MLB]).errors == []
    assert sum(active for _, active in players().values()) == 30


def test_player_who_cannot_be_read_stays_in_his_team(sync, feed):
    say_teams(feed, t1=("11:Ann", "12:Bo"))
    catalogue.sync_teams(sync, [MLB])
    say_teams(feed, t1=("11:Ann", "12:"))
    result = catalogue.sync_teams(sync, [MLB])
    assert result.errors == ["MLB T1 roster: player 12: it has no name"]
    assert players() == {"11": ("1", True), "12": ("1", True)}


def test_failing_roster_is_a_line_and_the_others_are_stored(sync, feed):
    say_teams(feed, t1=("11:Ann",), t2=("21:Cy",))
    good = feed.answers["mlb", "roster", ""]
    feed.say("mlb", lambda r: Response("no", 500) if "/1/" in r.path else good(r), kind="roster")
    result = catalogue.sync_teams(sync, [MLB])
    assert result.synced == 2
    assert result.errors[0].startswith("MLB T1 roster: the feed answered 500")
    assert players() == {"21": ("2", True)}


def test_failing_league_is_a_line_and_all_failing_is_raised(sync, feed):
    say_teams(feed, t1=("11:Ann",))
    told: list[Any] = []
    result = catalogue.sync_teams(
        replace(sync, progress=lambda *step: told.append(step)), [NFL, MLB]
    )
    assert result.synced == 1
    assert result.errors[0].startswith("NFL: the feed refused us with 404")
    assert [(done, total) for done, total, _ in told] == [(0, 2), (1, 2), (2, 3), (3, 3)]
    with pytest.raises(AllLeaguesFailedError):
        catalogue.sync_teams(sync, [NFL])


def test_team_that_cannot_be_read_is_a_line(sync, feed):
    say_teams(feed, t1=("11:Ann",))
    body = make_team_list(make_team("1"), {"displayName": "Nobody"})
    feed.say("mlb", body, kind="teams")
    result = catalogue.sync_teams(sync, [MLB])
    assert (result.synced, len(result.errors)) == (1, 1)


def test_guest_becomes_a_listed_team(sync, feed):
    feed.say("mlb", make_board(make_event(home="1")))
    scoreboards.sync_day(sync, MLB, TODAY)
    assert not teams("mlb")["1"].listed
    say_teams(feed, t1=("11:Ann",))
    catalogue.sync_teams(sync, [MLB])
    assert teams("mlb")["1"].listed


def test_team_that_leaves_the_league_is_no_longer_listed(sync, feed):
    say_teams(feed, t1=("11:Ann",), t2=("21:Bea",))
    catalogue.sync_teams(sync, [MLB])
    broken = make_team_list(make_team("1"), {"displayName": "Nobody"})
    feed.say("mlb", broken, kind="teams")
    catalogue.sync_teams(sync, [MLB])
    assert teams("mlb")["2"].listed
    say_teams(feed, t1=("11:Ann",))
    catalogue.sync_teams(sync, [MLB])
    assert (teams("mlb")["1"].listed, teams("mlb")["2"].listed) == (True, False)


def say_team_list(feed: Any, count: int) -> None:
    names = [make_team(str(number)) for number in range(1, count + 1)]
    feed.say("mlb", make_team_list(*names), kind="teams")


def listed_teams() -> int:
    return sum(team.listed for team in teams("mlb").values())


def test_list_that_is_cut_off_takes_no_team_off_the_site(sync, feed):
    say_team_list(feed, 32)
    catalogue.sync_teams(sync, [MLB])
    say_team_list(feed, 25)
    result = catalogue.sync_teams(later(sync, days=7), [MLB])
    assert [line for line in result.errors if "roster" not in line] == [
        "MLB: the list lacks 7 teams; they stay unless it goes on lacking them"
    ]
    assert listed_teams() == 32
    say_team_list(feed, 32)
    catalogue.sync_leagues(later(sync, days=8), [MLB])
    assert (listed_teams(), league_row("mlb").teams_lost_since) == (32, None)


def test_teams_that_the_list_goes_on_lacking_are_no_longer_listed(sync, feed):
    feed.say("mlb", {"children": []}, kind="standings")
    say_team_list(feed, 32)
    catalogue.sync_teams(sync, [MLB])
    say_team_list(feed, 25)
    catalogue.sync_teams(later(sync, days=7), [MLB])
    for day in (8, 9, 10, 11):
        assert listed_teams() == 32
        feed.requests.clear()
        result = catalogue.sync_leagues(later(sync, days=day), [MLB])
        assert len(feed.asked("teams")) == 1
        assert bool(result.errors) is (day < 11)
    assert (listed_teams(), league_row("mlb").teams_lost_since) == (25, None)
    feed.requests.clear()
    catalogue.sync_leagues(later(sync, days=12), [MLB])
    assert feed.asked("teams") == []


def test_followed_leagues_keep_their_order(app, settings):
    services = replace(services_of(app), settings=replace(settings, leagues=("nhl", "nfl")))
    assert services.leagues == [NHL, NFL]
