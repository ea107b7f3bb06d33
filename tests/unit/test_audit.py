"""The rules that stored games must keep: each breach is seen, and what is right is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.records import StandingRecord, TeamRecord
from sportsapp.feed import parse
from sportsapp.sync.audit import Answers, Season, find_breaches
from sportsapp.sync.plan import game_values
from tests.answers import make_board, read_board

NOW = datetime(2025, 11, 1, 15, tzinfo=UTC)
DAYS = frozenset(date(2025, 10, 1) + timedelta(days=n) for n in range(31))


def make_game(espn_id: str = "1", **values: Any) -> dict[str, Any]:
    """A final of the first of October, 10-20, as it is stored."""
    game: dict[str, Any] = {
        "espn_id": espn_id,
        "day": date(2025, 10, 1),
        "start_at": datetime(2025, 10, 1, 23, tzinfo=UTC),
        "time_set": True,
        "season_type": 2,
        "status": "final",
        "detail": "Final",
        "period": 4,
        "note": "",
        "series": "",
        "missing_since": None,
    }
    home = {"team": "1", "score": 20, "linescores": [0, 10, 3, 7], "winner": True}
    away = {"team": "2", "score": 10, "linescores": [3, 7, 0, 0], "winner": False}
    game |= {f"home_{name}": value for name, value in home.items()}
    game |= {f"away_{name}": value for name, value in away.items()}
    return game | values


def found(
    *games: dict[str, Any], slug: str = "nfl", answers: Answers | None = None, now: datetime = NOW
) -> list[str]:
    """The rules that these games break, each with its text."""
    by_id = {game["espn_id"]: game for game in games}
    season = Season(BY_SLUG[slug], 2025, by_id, {"1": "HOM", "2": "AWY"}, DAYS, now)
    breaches = find_breaches(season, answers or Answers()).values()
    return [f"{one.rule}: {one.text}" for one in breaches]


def board(*games: dict[str, Any]) -> Answers:
    return Answers({"2025-10": {game["espn_id"]: game for game in games}})


def table(**stats: str) -> Answers:
    """Standings with one line: the home team's."""
    team = TeamRecord("1", "HOM", "", "", "", "", "", "")
    line = StandingRecord(team, "", 1, "", stats)
    return Answers(standings=[line], begins=date(2025, 10, 1))


# ---------------------------------------------------------------- what is right


@pytest.mark.parametrize(
    ("slug", "values"),
    [
        ("nfl", {}),
        ("nfl", {"home_score": 10, "home_linescores": [0, 10, 0, 0], "home_winner": False}),
        ("nfl", {"home_linescores": [], "away_linescores": []}),  # not every answer has them
        ("nfl", {"home_linescores": [None, 10, 3, 3]}),  # a figure that could not be read
        ("mlb", {"home_linescores": [0, 10, 3, 7, None]}),  # home did not play the last inning
        ("nfl", {"home_winner": None, "away_winner": None}),  # nor the winner's mark
        ("nfl", {"status": "forfeit", "home_winner": False, "away_winner": True}),
        ("nfl", {"status": "postponed", "home_score": None, "away_score": None}),
        ("epl", {"home_score": 10, "home_linescores": [], "detail": "FT-Pens"}),
        ("epl", {"home_winner": False, "away_winner": True, "series": "Aggregate AWY 12, HOM 11"}),
    ],
)
def test_games_that_can_be_true_break_no_rule(slug, values):
    assert found(make_game(**values), slug=slug) == []


def test_two_games_of_a_day_and_split_squads_are_not_at_once():
    first = make_game()
    later = {"start_at": first["start_at"] + timedelta(hours=3)}
    assert found(first, make_game("2", **later)) == []
    assert found(make_game(season_type=1), make_game("2", season_type=1)) == []
    assert found(first, make_game("2", status="postponed")) == []
    assert found(first, make_game("2", time_set=False)) == []


def test_an_answer_of_a_day_that_was_not_read_shows_nothing():
    unread = {"day": date(2025, 11, 1), "start_at": datetime(2025, 11, 1, 23, tzinfo=UTC)}
    assert found(answers=board(make_game(**unread))) == []
    assert found(make_game(**unread), answers=Answers({"2025-11": {}})) == []


def test_a_game_that_answers_lack_for_a_while_is_the_concern_of_others():
    assert found(make_game(missing_since=NOW), answers=board()) == []


def test_a_final_of_last_night_may_still_be_corrected():
    game, now = make_game(), datetime(2025, 10, 2, 15, tzinfo=UTC)
    assert found(game, answers=board({**game, "home_score": 21}), now=now) == []


@pytest.mark.parametrize(
    ("slug", "values", "stats"),
    [
        ("nfl", {}, {"wins": "1", "losses": "0", "ties": "0"}),
        ("nba", {}, {"wins": "1", "losses": "0", "streak": "W1"}),
        ("nhl", {"home_score": 9, "period": 5}, {"wins": "0", "losses": "0", "otLosses": "1"}),
        ("nhl", {"home_score": 9, "period": 3}, {"wins": "0", "losses": "1", "otLosses": "0"}),
        ("epl", {"home_score": 10}, {"wins": "0", "ties": "1", "losses": "0"}),
        ("nfl", {"status": "forfeit", "home_score": 0, "away_score": 0}, {"wins": "1"}),
        ("nba", {"note": "NBA Cup - Championship"}, {"wins": "0", "losses": "0"}),
        ("nba", {"season_type": 3}, {"wins": "0", "losses": "0"}),
    ],
)
def test_a_recount_knows_what_counts(slug, values, stats):
    other = make_game("2", home_team="3", away_team="4", day=date(2025, 10, 2))
    game = make_game(**values, home_linescores=[], away_linescores=[])
    lines = [
        one for one in found(game, other, slug=slug, answers=table(**stats)) if "record" in one
    ]
    assert lines == []


def test_a_team_is_recounted_where_every_day_was_read_and_it_has_not_just_played():
    wrong = table(wins="7")
    assert found(make_game(), answers=wrong) == ["record: HOM: 1 by its games, 7 in the standings"]
    early = Answers(standings=wrong.standings, begins=date(2025, 9, 30))
    assert found(make_game(), answers=early) == []
    assert found(make_game(), answers=wrong, now=datetime(2025, 10, 2, 9, tzinfo=UTC)) == []


# ---------------------------------------------------------------- breaches


@pytest.mark.parametrize(
    ("slug", "values", "fault"),
    [
        (
            *("nfl", {"home_score": 23}),
            "line score: AWY at HOM on 2025-10-01 (1): the line score of HOM adds up to 20, not 23",
        ),
        (
            *("nfl", {"away_linescores": [3, 7, 0]} | {"away_score": 13}),
            "line score: AWY at HOM on 2025-10-01 (1): the line score of AWY adds up to 10, not 13",
        ),
        (
            *("nba", {"home_winner": False, "away_winner": True}),
            "winner: AWY at HOM on 2025-10-01 (1): the winner is AWY at 10-20",
        ),
        (
            *("nhl", {"home_winner": False}),
            "winner: AWY at HOM on 2025-10-01 (1): the winner is nobody at 10-20",
        ),
        (
            *("epl", {"away_winner": True, "series": "Penalties AWY 3, HOM 2"}),
            "winner: AWY at HOM on 2025-10-01 (1): the winner is HOM and AWY at 10-20",
        ),
        (
            *("nfl", {"day": date(2025, 10, 3)}),
            "day: AWY at HOM on 2025-10-03 (1): its start is on 2025-10-01",
        ),
    ],
)
def test_a_game_that_cannot_be_true_is_a_breach(slug, values, fault):
    assert found(make_game(**values), slug=slug) == [fault]


def test_a_team_cannot_play_twice_at_once():
    others = {"home_team": "3", "start_at": datetime(2025, 10, 1, 23, 30, tzinfo=UTC)}
    fault = "AWY plays twice at once"
    names = "AWY at HOM on 2025-10-01 (1) and AWY at TBD on 2025-10-01 (2)"
    assert found(make_game(), make_game("2", **others)) == [f"at once: {names}: {fault}"]


@pytest.mark.parametrize(
    ("ours", "theirs", "fault"),
    [
        (
            [],
            [{}],
            "missing: AWY at HOM on 2025-10-01 (1): the feed lists it, and it is not stored",
        ),
        ([{}], [], "unlisted: AWY at HOM on 2025-10-01 (1): the feed does not list it"),
        (
            [{}],
            [{"status": "live", "home_score": 13}],
            "result: AWY at HOM on 2025-10-01 (1): "
            "status final, but live in the feed; home_score 20, but 13 in the feed",
        ),
        (
            [{"status": "scheduled"}],
            [{}],
            "result: AWY at HOM on 2025-10-01 (1): status scheduled, but final in the feed",
        ),
        (
            [{}],
            [{"day": date(2025, 10, 2)}],
            "day: AWY at HOM on 2025-10-01 (1): the feed has it on 2025-10-02",
        ),
    ],
)
def test_stored_games_are_those_of_a_fresh_answer(ours, theirs, fault):
    games = [make_game(**values) for values in ours]
    assert found(*games, answers=board(*(make_game(**values) for values in theirs))) == [fault]


# ---------------------------------------------------------------- recorded answers


@pytest.fixture
def recorded_games(recorded: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Every recorded game by league and id, as its last answer has it."""
    games: dict[str, dict[str, dict[str, Any]]] = {}
    for slug, body in recorded_boards(recorded):
        for game in parse.parse_scoreboard(body, BY_SLUG[slug]).games:
            values = game_values(game) | {"missing_since": None}
            games.setdefault(slug, {})[game.espn_id] = values
    return games


def recorded_boards(recorded: Path) -> Iterator[tuple[str, bytes]]:
    """Each recorded scoreboard with its league, older ones first where they are of a series."""
    for path in sorted(recorded.glob("*/*.json")):
        is_board = path.name.startswith(("scoreboard-", "series-"))
        if is_board and path.parent.name in BY_SLUG:
            yield path.parent.name, path.read_bytes()


def test_recorded_games_keep_the_rules_of_games_alone(recorded_games):
    checked = 0
    for slug, games in recorded_games.items():
        season = Season(BY_SLUG[slug], 0, games, {}, frozenset(), NOW)
        assert find_breaches(season, Answers()) == {}
        checked += sum(game["status"] == "final" for game in games.values())
    assert checked > 100


def test_a_recorded_final_on_penalties_has_a_winner_at_a_level_score(recorded):
    events = json.loads((recorded / "mixed" / "all.json").read_bytes())["events"]
    (event,) = [one for one in events if one["id"] == "633850"]
    (game,) = read_board(make_board(event), "epl").games
    assert found(game_values(game) | {"missing_since": None}, slug="epl") == []
    event["competitions"][0]["notes"] = []
    for side in event["competitions"][0]["competitors"]:
        side["winner"] = True
    (game,) = read_board(make_board(event), "epl").games
    assert "winner" in found(game_values(game) | {"missing_since": None}, slug="epl")[0]


# ---------------------------------------------------------------- summaries


def test_box_score_that_does_not_add_up_is_a_breach_of_a_game_with_a_result():
    games = {espn_id: make_game(espn_id, **more) for espn_id, more in (
        ("1", {}), ("2", {"status": "live", "day": date(2025, 10, 2)}), ("3", {})
    )}  # fmt: skip
    faults = {"1": ["one", "two", "three", "four", "five"], "2": ["one"]}
    season = Season(BY_SLUG["nfl"], 2025, games, {}, DAYS, NOW, faults)
    breaches = [one for one in find_breaches(season, Answers()).values() if one.rule == "box score"]
    (breach,) = breaches
    assert (breach.games, breach.days) == (("1",), ())
    assert breach.text.endswith(": one; two; three; and 2 more")
