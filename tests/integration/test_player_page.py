"""A player's page: his lines of a season from the stored box scores, and how many these are."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update

from sportsapp.core.summary import (
    LineupPlayerRecord,
    LineupRecord,
    PlayerLineRecord,
    StatTableRecord,
    TeamBoxRecord,
)
from sportsapp.db.engine import db
from sportsapp.db.models import Game, LeagueRow, Player, PlayerLine, StatTable, Team
from tests.integration.events import event
from tests.stored import store_box

HIDES = {"Cookie": "scores=hide"}
COLUMNS = ("MIN", "PTS", "FG", "LONG"), ("minutes", "points", "made-tried", "longShot")


def line(*stats: str, espn_id: str = "7", note: str = "") -> PlayerLineRecord:
    return PlayerLineRecord(espn_id, "Ann <Lee>", "9", "G", True, note, stats)


def box(*lines: PlayerLineRecord, side: str = "home", name: str = "") -> TeamBoxRecord:
    return TeamBoxRecord(side, "", (), (StatTableRecord(name, *COLUMNS, lines, ()),), ())


def game(number: int, day: int, year: int = 2026, kind: int = 2, **more: Any) -> dict[str, Any]:
    start = f"2026-01-{day:02}T20:00Z"
    return event(str(number), start, **more) | {"season": {"year": year, "type": kind}}


def rows(page: str) -> list[list[str]]:
    """The texts of each row of the page's tables, without markup."""
    found = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found]
    return [[re.sub("<[^>]*>", "", text).strip() for text in row] for row in cells]


@pytest.fixture
def season(synced):
    """Four games of a season of which three have a box score; and one of the season before."""
    synced("nba", game(401, 10), game(402, 12), game(403, 14, home=9), game(404, 15))
    synced("nba", game(300, 1, 2025))
    store_box("401", box(line("20", "11", "5-8", "3")))
    store_box("402", box(line("30", "4", "1-9", "7")))
    store_box("403", box(line(note="DNP - Rest")))
    store_box("300", box(line("5", "2", "1-1", "1")))


def test_season_s_lines_newest_first_with_what_can_be_added_up(season, visitor):
    answer = visitor.get("/nba/players/7")
    page = answer.text
    assert "<title>Ann &lt;Lee&gt;, 2026 - " in page
    assert "<h1>Ann &lt;Lee&gt; <small>#9, G</small></h1>" in page
    assert '<a href="/nba/teams/ALP">Alpha</a>' in page
    head, *games, total, average = rows(page)
    assert head == ["Game", "Result", "PTS", "MIN", "FG", "LONG"]
    assert games == [
        ["Wed, Jan 14 vs Beta DNP - Rest", "L 9-17", "", "", "", ""],
        ["Mon, Jan 12 vs Beta", "W 20-17", "4", "30", "1-9", "7"],
        ["Sat, Jan 10 vs Beta", "W 20-17", "11", "20", "5-8", "3"],
    ]
    assert total == ["Total", "2 games", "15", "50", "6-17", ""]
    assert average == ["Per game", "", "7.5", "25.0", "3.0-8.5", ""]
    assert '<a href="/nba/games/402/box">vs Beta</a>' in page
    known = "3 of the 4 games of Alpha in 2026 that are over and known here have a box score."
    assert known in page
    assert answer.headers["ETag"]
    assert "Cookie" in answer.headers["Vary"]


def test_days_are_those_of_the_reader(season, visitor):
    page = visitor.get("/nba/players/7", headers={"Cookie": "zone=Asia/Tokyo"}).text
    assert [row[0][:11] for row in rows(page)[1:4]] == ["Thu, Jan 15", "Tue, Jan 13", "Sun, Jan 11"]


def test_other_season_is_a_link(season, visitor):
    page = visitor.get("/nba/players/7").text
    assert '<a href="?season=2026" aria-current="page">2026</a>' in page
    assert '<a href="?season=2025">2025</a>' in page
    old = visitor.get("/nba/players/7?season=2025").text
    assert [row[0] for row in rows(old)] == ["Game", "Thu, Jan 1 vs Beta", "Total", "Per game"]
    assert "1 of the 1 games of Alpha in 2025" in old
    for text in ("2024", "x", "02026", "1" * 99):
        assert visitor.get(f"/nba/players/7?season={text}").status_code == 404


def test_parts_of_a_season_and_tables_have_sums_of_their_own(synced, visitor):
    synced("nba", game(401, 10), game(402, 12, kind=3))
    store_box("401", box(line("1", "11", "5-8", "3")), box(line("1", "2", "0-0", "1"), name="x"))
    store_box("402", box(line("2", "4", "1-9", "7"), side="away"))
    page = visitor.get("/nba/players/7").text
    assert re.findall(r"<h2[^>]*>([^<]*)<", page) == ["Postseason 2026", "Season 2026"]
    assert [row[2] for row in rows(page) if row[0] == "Total"] == ["4", "11", "2"]
    # he was with both teams
    assert "at Alpha <small>for BET</small>" in page.replace("</a>", "")
    assert page.count("that are over and known here") == 2


def test_hidden_scores_hide_lines_and_sums(season, visitor):
    page = visitor.get("/nba/players/7", headers=HIDES).text
    assert [row[1:] for row in rows(page)[1:]] == [
        [f"Show {day}", "", "", "", ""] for day in ("Wed, Jan 14", "Mon, Jan 12", "Sat, Jan 10")
    ]
    assert "DNP" not in page
    assert '<a href="/nba/games/402/box?reveal=402">Show' in page
    one = visitor.get("/nba/players/7?reveal=402", headers=HIDES).text
    assert "1-9" in one
    assert "5-8" not in one
    assert "Total" not in one


def test_live_game_has_a_line_but_no_part_in_the_sums(synced, visitor):
    synced("nba", game(401, 10), game(402, 15, state="in"))
    for espn_id in ("401", "402"):
        store_box(espn_id, box(line("20", "11", "5-8", "3")))
    page = visitor.get("/nba/players/7").text
    assert re.search(r"vs Beta as of .+ E[DS]T$", rows(page)[1][0])
    assert rows(page)[1][1:] == ["9:03 - 3rd", "11", "20", "5-8", "3"]
    assert rows(page)[-2][1:] == ["1 game", "11", "20", "5-8", ""]
    assert re.search("1 of the . games .* known here has a box score", page)


def test_final_that_was_last_read_before_its_end_has_no_part_in_the_sums(synced, visitor):
    synced("nba", game(401, 10), game(402, 15))
    store_box("401", box(line("20", "11", "5-8", "3")))
    store_box("402", box(line("9", "6", "3-3", "3")), read_at=datetime(2026, 1, 15, 21, tzinfo=UTC))
    page = visitor.get("/nba/players/7").text
    assert rows(page)[1][0] == "Thu, Jan 15 vs Beta as of Thu, Jan 15, 4:00 PM EST"
    assert rows(page)[2][0] == "Sat, Jan 10 vs Beta"
    assert rows(page)[-2][1:] == ["1 game", "11", "20", "5-8", ""]
    assert "1 of the 2 games of Alpha in 2026 that are over and known here has a box score" in page
    assert "as of Thu" not in visitor.get("/nba/players/7", headers=HIDES).text
    store_box("402", box(line("30", "9", "4-9", "3")))
    page = visitor.get("/nba/players/7?again").text
    assert rows(page)[-2][1:] == ["2 games", "20", "50", "9-17", ""]
    assert "as of Thu" not in page


def test_unknown_player_is_not_found_and_a_league_has_one_form(season, visitor):
    for path in ("/nba/players/8", "/nfl/players/7", "/nba/players/7'", "/nba/players/é"):
        assert visitor.get(path).status_code == 404
    moved = visitor.get("/NBA/players/7")
    assert (moved.status_code, moved.location) == (301, "/nba/players/7")


def test_player_of_a_roster_has_a_page_before_his_first_line(synced, visitor):
    synced("nba", game(401, 10))
    team = db.session.scalars(select(Team).where(Team.abbreviation == "ALP")).one()
    values = dict.fromkeys(("position_name", "roster_group", "status", "height", "weight"), "")
    db.session.add(
        Player(
            league_id=team.league_id, team_id=team.id, espn_id="8", name="Bo", jersey="1",
            position="F", created_at=team.created_at, updated_at=team.updated_at, **values,
        )
    )  # fmt: skip
    db.session.execute(update(LeagueRow).values(changed_at=datetime.now(UTC)))
    db.session.commit()
    roster = visitor.get("/nba/teams/ALP/roster").text
    assert '<a href="/nba/players/8">Bo</a>' in roster
    page = visitor.get("/nba/players/8").text
    assert "<h1>Bo <small>#1, F</small></h1>" in page
    assert '<a href="/nba/teams/ALP">Alpha</a>' in page
    assert "No box score that is stored here has this player." in page


def test_lineups_are_lines_without_figures(synced, visitor):
    synced("nba", game(401, 10))
    on = LineupPlayerRecord("7", "Ann", "9", "F", is_starter=True, came_on=False, went_off=True)
    sub = LineupPlayerRecord("8", "Bea", "10", "F", is_starter=False, came_on=True, went_off=False)
    store_box("401", lineups=[LineupRecord("home", "4-3-3", (on, sub))])
    assert "Started, went off" in visitor.get("/nba/players/7").text
    page = visitor.get("/nba/players/8").text
    assert rows(page)[1] == ["Sat, Jan 10 vs Beta Came on", "W 20-17"]
    assert "Total" not in page


# ---------------------------------------------------------------- what is stored


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_lines_of_another_reading_replace_those_before(synced):
    synced("nba", game(401, 10))
    twice = line("1", "2", "3-4", "5")
    store_box("401", box(twice, twice, line(espn_id="8"), line(espn_id="")))
    assert (count(PlayerLine), count(StatTable)) == (2, 1)
    store_box("401", box(line("9", "9", "9-9", "9")))
    assert db.session.scalars(select(PlayerLine.stats)).all() == [["9", "9", "9-9", "9"]]
    assert count(StatTable) == 1
    db.session.rollback()
    synced("nfl", game(500, 10))
    store_box("500", box(line()))
    assert count(StatTable) == 2  # each league has its own
    assert count(Game) == 2
