"""Pages of somebody who hides scores: nothing tells a result until it is asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, url_for

from sportsapp.core.summary import PlayerLineRecord, StatTableRecord, TeamBoxRecord
from tests.integration.events import event
from tests.stored import store_box

HIDES = {"Cookie": "scores=hide"}
EVENING = datetime(2026, 1, 16, 0, tzinfo=UTC)  # the feed's records are of then
# What addresses need to show the game. A new page needs at most a row here.
ARGUMENTS = {
    "league_name": "nfl", "day_text": "2026-01-15", "espn_id": "401", "address": "ALP",
    "month_text": "2026-01", "table": "all",
    "season": 2026, "season_type": 2, "week": 1,
}  # fmt: skip
QUERIES = {"teams.search": {"q": "alpha"}, "calendars.teams": {"teams": "nfl-1"}}
NOT_PAGES = re.compile(r"/(admin|api|static|healthz|readyz|metrics)\b|.*\.png$")
PATHS = ("/nfl/2026-01-15", "/nfl/games/401", "/nfl/teams/ALP", "/live", "/nfl/weeks/2026/2/1")


def game(
    state: str = "post", detail: str = "Final/OT", name: str = "", **more: Any
) -> dict[str, Any]:
    """A game in its week, with everything that could tell how it went."""
    made = event(state=state, home=41, away=38, **more)
    made |= {"season": {"year": 2026, "type": 2}, "week": {"number": 1}}
    competition = made["competitions"][0]
    kind = competition["status"]["type"]
    kind["detail"] = detail
    if name:
        kind |= {"name": name, "completed": False}
    competition["series"] = {"type": "playoff", "summary": "ALP leads series 2-0"}
    for side in competition["competitors"]:
        side["winner"] = side["homeAway"] == "home"
    return made


def pages(app: Flask) -> set[str]:
    """The address of every page, calendar and feed there is, with scores hidden in the query."""
    with app.test_request_context():
        return {
            url_for(
                rule.endpoint,
                **{name: ARGUMENTS[name] for name in rule.arguments},
                **QUERIES.get(rule.endpoint, {}),
                scores="hide",
            )
            for rule in app.url_map.iter_rules()
            if "GET" in rule.methods and not NOT_PAGES.match(rule.rule)
        } | {"/2026-01-15?scores=hide"}


def test_no_page_that_there_is_forgets_hidden_scores(app, visitor, synced, clock):
    made = game()
    for side, score in zip(made["competitions"][0]["competitors"], ("197", "183"), strict=True):
        side["score"] = score
    synced("nfl", made, at=EVENING)
    line = PlayerLineRecord("401", "Ann", "", "", False, "", ("197",))
    table = StatTableRecord("", ("PTS",), ("points",), (line,), ())
    store_box("401", TeamBoxRecord("home", "1", (), (table,), ()))
    telling = re.compile(r"\b(197|183)\b")
    answers = {path: visitor.get(path, headers=HIDES) for path in sorted(pages(app))}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        answers, 200
    )
    assert [path for path, answer in answers.items() if telling.search(answer.text)] == []
    shown = [path for path in answers if telling.search(visitor.get(path.partition("?")[0]).text)]
    assert len(shown) > 5


def words_of(page: str) -> str:
    return page.partition("<b>")[2].partition("</b>")[0]


@pytest.mark.parametrize(
    ("state", "detail"), [("post", "Final/OT"), ("in", "4:00 - OT"), ("pre", "Scheduled")]
)
@pytest.mark.parametrize("path", PATHS)
def test_no_page_tells_score_winner_record_series_or_extra_time(
    visitor, synced, path, state, detail
):
    synced("nfl", game(state, detail), at=EVENING)
    page = visitor.get(path, headers=HIDES).text
    for telling in (
        ">41<",
        ">38<",
        "41-38",
        "38-41",
        "3-1",
        "OT",
        'class="r w"',
        "side w",
        "leads",
        "data-say",
        'class="s"',
    ):
        assert telling not in page


def test_what_is_hidden_is_there_for_others(visitor, synced):
    synced("nfl", game(), at=EVENING)
    page = visitor.get("/nfl/games/401").text
    assert all(part in page for part in (">41<", ">38<", "3-1", "Final/OT", "side w", "leads"))


@pytest.mark.parametrize(
    ("state", "detail", "name", "words"),
    [
        ("post", "Final/OT", "", "Final"),
        ("in", "4:00 - OT", "", "Live"),
        ("in", "Rain Delay, Top 12th", "STATUS_RAIN_DELAY", "Live"),
        ("post", "Suspended", "STATUS_SUSPENDED", "Suspended"),
        ("post", "Bottom 12th", "STATUS_SUSPENDED", "Suspended"),
        ("post", "Forfeit", "STATUS_FORFEIT", "Forfeit"),
        ("post", "Postponed", "STATUS_POSTPONED", "Postponed"),
        ("post", "Canceled", "STATUS_CANCELED", "Canceled"),
    ],
)
def test_state_is_told_without_its_period(visitor, synced, state, detail, name, words):
    synced("nfl", game(state, detail, name))
    assert words_of(visitor.get("/nfl/2026-01-15", headers=HIDES).text) == words


@pytest.mark.parametrize("name", ["STATUS_POSTPONED", "STATUS_CANCELED"])
def test_game_that_was_not_played_has_nothing_to_reveal(visitor, synced, name):
    synced("nfl", game("post", "", name))
    assert "Show score" not in visitor.get("/nfl/2026-01-15", headers=HIDES).text


def test_games_are_revealed_one_by_one_and_stay_so(visitor, synced):
    games = [game() | {"id": str(number)} for number in (1, 2, 3)]
    synced("nfl", *games)
    page = visitor.get("/nfl/2026-01-15", headers=HIDES).text
    assert page.count('class="s"') == 0
    assert 'href="?reveal=2#nfl2"' in page
    page = visitor.get("/nfl/2026-01-15?reveal=2", headers=HIDES).text
    assert page.count('class="s"') == 2
    assert 'href="?reveal=2.3#nfl3"' in page
    page = visitor.get("/nfl/2026-01-15?reveal=2.3", headers=HIDES).text
    assert page.count('class="s"') == 4


def test_games_link_to_their_result_from_the_team_page(visitor, synced):
    synced("nfl", game())
    page = visitor.get("/nfl/teams/ALP", headers=HIDES).text
    assert '<a href="/nfl/games/401?reveal=401">Show' in page
    assert ">41<" in visitor.get("/nfl/games/401?reveal=401", headers=HIDES).text


def test_reveal_takes_no_markup(visitor, synced):
    synced("nfl", game())
    page = visitor.get('/nfl/2026-01-15?reveal="><script>.401x', headers=HIDES).text
    assert "<script>." not in page
    assert "reveal=401x.401#" in page


def test_timeline_is_for_those_who_see_the_score(visitor, synced):
    def pages_of_the_game() -> list[bool]:
        paths = {"": HIDES, "?reveal=401": HIDES, "?scores=show": {}}
        pages = [visitor.get(f"/nfl/games/401{path}", headers=paths[path]) for path in paths]
        return ["Timeline" in page.text for page in pages]

    synced("nfl", event(state="in", home=0, away=7), at=EVENING)
    synced("nfl", event(state="in", home=3, away=7), at=EVENING + timedelta(minutes=1))
    assert pages_of_the_game() == [False, True, True]
    synced("nfl", event(state="postponed"), at=EVENING + timedelta(minutes=2))
    assert pages_of_the_game() == [False, True, True]  # though no score is hidden any more
