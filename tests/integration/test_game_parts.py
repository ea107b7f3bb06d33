"""The parts of a game's summary as pages: box score, plays, recap."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import Settings
from sportsapp.core.summary import (
    VERSION,
    LineupPlayerRecord,
    LineupRecord,
    MeetingRecord,
    PlayGroupRecord,
    PlayRecord,
    SeriesRecord,
    SideRecord,
    SummaryRecord,
    pack,
)
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Game, LeagueRow, SummaryRow
from sportsapp.feed.parse import parse_summary
from tests.conftest import RECORDED
from tests.integration.events import event

HIDES = {"Cookie": "scores=hide"}
READ_AT = datetime(2026, 1, 16, 0, 30, tzinfo=UTC)
NAMES = {
    "nba": "nba/summary-final-401585607",
    "nfl": "nfl/summary-final-401547417",
    "mlb": "mlb/summary-final-401472463",
    "nhl": "nhl/summary-final-401774292",
}


def recorded_summary(slug: str) -> SummaryRecord:
    body = Path(RECORDED, f"{NAMES[slug]}.json").read_bytes()
    return replace(parse_summary(body, BY_SLUG[slug]), espn_id="401")


def store(summary: SummaryRecord) -> None:
    """Put it beside the game; the league's pages are made again."""
    game_id = db.session.scalars(select(Game.id).where(Game.espn_id == "401")).one()
    db.session.rollback()
    row = {"game_id": game_id, "version": VERSION, "digest": "", "read_at": READ_AT}
    with write_connection() as connection:
        connection.execute(SummaryRow.__table__.delete())
        connection.execute(
            SummaryRow.__table__.insert().values(document=pack(summary), read_by_run=None, **row)
        )
        connection.execute(update(LeagueRow).values(changed_at=datetime.now(UTC)))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With soccer too."""
    return dataclasses.replace(settings, leagues=(*settings.leagues, "epl"))


@pytest.fixture
def shown(synced, visitor, recorded):
    """Stores a game and its recorded summary; returns what fetches its pages."""

    def put(slug: str, state: str = "post", **changes: Any) -> Any:
        summary = replace(recorded_summary(slug), **changes)
        score = {"away": summary.away.score, "home": summary.home.score}
        synced(slug, event(state=state, **score))
        store(summary)
        return lambda part="", **more: visitor.get(f"/{slug}/games/401{part}", **more).text

    return put


def tabs(page: str) -> list[str]:
    (bar,) = re.findall(r'<nav class="tabs" aria-label="Game">(.*?)</nav>', page, re.DOTALL)
    return re.findall(r'href="([^"]+)"', bar)


def columns(page: str, caption: str) -> list[str]:
    table = page.partition(f">{caption}</caption>")[2].partition("</thead>")[0]
    return re.findall(r"<abbr[^>]*>([^<]*)<", table)


def test_tabs_are_addresses_of_what_is_stored(shown):
    page = shown("nba")
    home = "/nba/games/401"
    every = [home, f"{home}/box", f"{home}/plays", f"{home}/recap"]
    assert [tabs(page(part)) for part in ("", "/box", "/plays", "/recap")] == [every] * 4
    assert f'<a href="{home}/plays" aria-current="page">' in page("/plays")
    store(replace(recorded_summary("nba"), groups=()))
    assert tabs(page("?again")) == [home, f"{home}/box", f"{home}/recap"]


def test_game_without_a_summary_has_no_tabs_and_says_so(synced, visitor):
    synced("nba", event())
    assert 'aria-label="Game"' not in visitor.get("/nba/games/401").text
    for part, name in (("box", "box score"), ("plays", "plays"), ("recap", "recap")):
        page = visitor.get(f"/nba/games/401/{part}")
        assert page.status_code == 200
        assert f"The {name} of this game has not been read from the feed." in page.text


def test_unknown_game_is_not_found_and_a_league_has_one_form(synced, visitor):
    synced("nba", event())
    assert visitor.get("/nba/games/402/box").status_code == 404
    moved = visitor.get("/NBA/games/401/plays")
    assert (moved.status_code, moved.location) == (301, "/nba/games/401/plays")


@pytest.mark.parametrize(
    ("slug", "caption", "first"),
    [
        ("nba", "Beta: players", ["PTS", "REB", "AST", "MIN", "FG"]),
        ("nfl", "Beta: passing", ["C/ATT", "YDS", "TD", "AVG"]),
        ("mlb", "Alpha: batting", ["AB", "R", "H", "RBI", "HR", "BB", "K", "H-AB"]),
        ("mlb", "Alpha: pitching", ["IP", "H", "R", "ER", "BB"]),
        ("nhl", "Beta: forwards", ["G", "A", "+/-", "S", "TOI", "PIM", "BS"]),
    ],
)
def test_important_columns_come_first_and_none_is_lost(shown, slug, caption, first):
    page = shown(slug)("/box")
    own = columns(page, caption)
    assert own[: len(first)] == first
    tables = [table for box in recorded_summary(slug).box for table in box.tables]
    assert sorted(own) in [sorted(table.labels) for table in tables]


def test_players_have_their_own_figures_and_the_team_its_totals(shown):
    page = shown("nba")("/box")
    row = page.partition('<a href="/nba/players/2489663">Kelly Olynyk')[2].partition("</tr>")[0]
    assert re.findall("<td>([^<]*)</td>", row)[:5] == ["11", "4", "3", "26", "5-8"]
    totals = page.partition("<tfoot>")[2].partition("</tr>")[0]
    assert re.findall("<td>([^<]*)</td>", totals)[:5] == ["96", "37", "23", "", "37-84"]
    assert page.count("<h1") == 1
    assert "Incomplete" not in page


def test_box_score_leads_to_its_parts_and_names_them_for_people(shown):
    page = shown("nhl")("/box")
    jump = page.partition('aria-label="On this page"')[2].partition("</nav>")[0]
    assert re.findall('href="#(.*?)">(.*?)<', jump) == [
        ("side1", "Beta"),
        ("side2", "Alpha"),
        ("teams", "Teams"),
    ]
    assert ">Defense</h3>" in page
    assert '<h1 id="nhl401">Box score: Beta\u00a05, Alpha\u00a03, Final</h1>' in page


def test_only_table_of_a_team_has_its_name_alone_and_says_who_did_not_play(shown):
    page = shown("nba")("/box")
    assert '<h3 id="t1-1" class="away">Players</h3>' in page
    assert "Did not play: coach&#39;s decision" in page


def test_what_does_not_add_up_is_called_incomplete(shown):
    page = shown("nba", scoring=())("/box")
    assert "Incomplete: what the feed has of this game does not add up." in page
    assert "The last play that scored made it 0-0, the score is 96-111" in page


def test_plays_are_in_order_after_the_game(shown):
    final = shown("nhl")("/plays")
    periods = ["1st period", "2nd period", "3rd period"]
    assert re.findall(r"<h2 id=\"g\d\">([^<]*)<", final) == periods
    assert re.findall('<a href="#g.">(.*?)<', final) == periods


def test_live_plays_are_newest_first(shown):
    page = shown("nhl", state="in", is_completed=False)("/plays")
    assert re.findall(r"<h2 id=\"(g\d)\">", page) == ["g3", "g2", "g1"]
    assert page.index("Game End") < page.index("End of 3rd Period")


def test_scoring_only_is_a_link_to_the_plays_that_scored(shown):
    page = shown("nfl")
    assert '<a href="/nfl/games/401/plays?scoring=1">Scoring only</a>' in page("/plays")
    only = page("/plays?scoring=1")
    assert 0 < only.count('<li class="scored">') == len(re.findall("<li[^>]*>(?:<span|<div)", only))
    assert "<b>BET 24, ALP 25</b>" in only


def test_chance_to_win_is_a_line_and_words(shown):
    fetch = shown("nfl")
    page = fetch("/plays")
    assert re.search(r'<polyline points="0,\d+ ', page)
    assert "The chance of Alpha to win was 8\u00a0% at its lowest." in page
    assert "Alpha from 62\u00a0% to 82\u00a0% (4th quarter, 0:57): Y.Koo 25 yard field goal" in page
    store(replace(recorded_summary("nfl"), chances=()))
    assert "Chance to win" not in fetch("/plays?again")


def test_recap_has_scores_officials_injuries_and_series(shown):
    page = shown("nhl")("/recap")
    assert '<h2 id="p1">1st period</h2>' in page
    assert "Injuries <small>as of Thu, Jan 15, 7:30 PM EST</small>" in page
    assert "Sam Bennett Goal (10) Wrist Shot" in page
    assert "<b>BET 5, ALP 3</b>" in page
    assert "<b>Linesman</b> Scott Cherrey" in page
    assert "FLA wins series 2-1" in page
    assert "Sean Walker" in page


def test_recap_names_the_meetings_and_links_those_that_are_stored(synced, visitor):
    def met(espn_id: str, date: str, away: int | None, home: int | None, state: str = "post"):
        return MeetingRecord(espn_id, date, state, "2", "1", away, home)

    between = [met(f"2{day}", f"2025-12-{day}T20:00Z", 1, 2) for day in range(10, 30)]
    meetings = (
        met("301", "2025-12-01T00:30Z", 96, 111),
        met("302", "2025-12-24T20:00Z", 17, 20),
        met("303", "soon", None, None),
        met("401", "2026-01-15T20:00Z", 17, 20),
        met("402", "2026-01-16T20:00Z", 7, 8),
        met("403", "2026-02-01T20:00Z", None, None, "pre"),
    )
    series = SeriesRecord("Season Series", "ALP leads 3-0", meetings)
    synced("nba", event("302", "2025-12-24T20:00Z"), event())
    side = SideRecord("", None, ())

    def stored(*series: SeriesRecord) -> None:
        store(SummaryRecord("401", "post", True, "", side, side, series=series))

    def listed(query: str = "", **more: Any) -> list[str]:
        page = visitor.get(f"/nba/games/401/recap{query}", **more).text
        part = page.partition('<ul class="plain meetings">')[2].partition("</ul>")[0]
        return [re.sub("</?(span|time|li)[^>]*>", "", row) for row in part.strip().splitlines()]

    stored(series, series)
    known = '<a href="/nba/games/302">Beta 17, Alpha 20, Final</a> Wed, Dec 24, 2025'
    assert listed() == [known, "Beta 96, Alpha 111 Sun, Nov 30, 2025"]
    assert listed("?reveal=401", headers=HIDES) == [
        '<a href="/nba/games/302">Beta at Alpha, Final</a> Wed, Dec 24, 2025',
        "Beta at Alpha Sun, Nov 30, 2025",
    ]
    stored(replace(series, meetings=tuple(between)))
    assert [row[-12:] for row in listed("?again")] == [
        f"Dec {day}, 2025" for day in range(29, 10, -1)
    ]


def test_recap_of_basketball_leads_to_the_plays_that_scored(shown):
    page = shown("nba")("/recap")
    assert '<a class="to" href="/nba/games/401/plays?scoring=1">All 108 scoring plays</a>' in page


def test_summary_of_another_moment_says_of_which(shown, synced):
    page = shown("nba", state="in", is_completed=False)
    assert "when the score was" not in page("/box")
    assert "As of Thu, Jan 15, 7:30 PM EST." in page("/box")
    store(replace(recorded_summary("nba"), is_completed=False, away=SideRecord("28", 99, ())))
    # the score of the plays counts, not the header's
    assert "when the score was" not in page("/box")
    synced("nba", event(state="in", away=98, home=111))
    assert "As of Thu, Jan 15, 7:30 PM EST, when the score was 96-111." in page("/box?2")
    synced("nba", event(away=98, home=111))
    assert "It is not the whole game." in page("/box?3")


def test_hidden_score_hides_every_part_until_it_is_revealed(shown):
    page = shown("nfl")
    assert 'aria-label="Game"' not in page(headers=HIDES)
    for part, telling in (("/box", "Ridder"), ("/plays", "Koo"), ("/recap", "Koo")):
        hidden = page(part, headers=HIDES)
        assert telling not in hidden
        assert not re.search(r"\b(24|25)\b", hidden.partition("<h1")[2].partition("</h1")[0])
        assert 'href="?reveal=401#nfl401">Show it</a>' in hidden
        shown_now = page(f"{part}?reveal=401", headers=HIDES)
        assert telling in shown_now
        assert 'href="/nfl/games/401/box?reveal=401"' in shown_now


def test_soccer_has_lineups_and_its_events(synced, visitor):
    def play(number: int, kind: str, text: str, side: str = "home") -> PlayRecord:
        is_goal = kind == "Goal"
        clock = f"{number}'" if number < 120 else ""
        period = 1 + number // 45 if clock else 0
        return PlayRecord(str(number), period, clock, kind, text, side, None, None, is_goal)

    goal = play(12, "Goal", "Ann scores.")
    first = goal, play(30, "Yellow Card", "Eve is shown the yellow card.", "away")
    second = (play(60, "Substitution", "Bea replaces Ann."),)
    kicks = play(121, "Scored", "Bea"), play(122, "Missed", "Cleo")
    on = LineupPlayerRecord("7", "Ann", "9", "F", is_starter=True, came_on=False, went_off=True)
    sub = LineupPlayerRecord("8", "Bea", "10", "F", is_starter=False, came_on=True, went_off=False)
    away = LineupPlayerRecord("9", "Eve", "1", "G", is_starter=True, came_on=False, went_off=False)
    summary = SummaryRecord(
        "401", "post", True, "FT", SideRecord("2", 0, ()), SideRecord("1", 1, ()), scoring=(goal,),
        groups=(
            PlayGroupRecord(1, "1st Half", "", "", first),
            PlayGroupRecord(2, "2nd Half", "", "", second),
            PlayGroupRecord(0, "Shootout", "home", "", kicks),
        ),
        lineups=(LineupRecord("home", "4-3-3", (on, sub)), LineupRecord("away", "4-4-2", (away,))),
    )  # fmt: skip
    synced("epl", event(away=0, home=1))
    store(summary)
    page = visitor.get("/epl/games/401/box").text
    assert "Alpha: lineup <small>4-3-3</small>" in page
    assert "Beta: lineup <small>4-4-2</small>" in page
    assert '<b>9</b> <a href="/epl/players/7">Ann</a> <small>F, went off</small>' in page
    assert '<b>10</b> <a href="/epl/players/8">Bea</a> <small>F, came on</small>' in page

    def shown(path: str) -> list[str]:
        page = visitor.get(f"/epl/games/401/{path}").text
        rows = re.findall(r"<h2 id=\"[gp]\d\">(.*?)</h2>|<li[^>]*>(<.*?)</li>", page)
        return [re.sub("(<[^>]+>| )+", " ", "".join(row)).strip() for row in rows]

    assert shown("plays") == [
        "1st half", "12&#39; Ann scores. Alpha", "30&#39; Eve is shown the yellow card.",
        "2nd half", "60&#39; Bea replaces Ann.",
        "Shootout Alpha", "Bea, scored", "Cleo, missed",
    ]  # fmt: skip
    for path in ("plays?scoring=1", "recap"):
        assert shown(path) == ["1st half", "12&#39; Ann scores. Alpha"]


# ---------------------------------------------------------------- the API


def test_api_has_the_box_score_in_the_feed_s_order(shown, visitor):
    shown("nba")
    answer = visitor.get("/api/v1/games/nba/401/box").json
    assert (answer["completed"], answer["faults"]) == (True, [])
    assert answer["read_at"] == "2026-01-16T00:30:00Z"
    away, home = answer["teams"]
    assert (away["side"], home["side"]) == ("away", "home")
    (table,) = away["tables"]
    assert table["labels"][:3] == ["MIN", "PTS", "FG"]
    assert table["players"][0]["name"] == "Kelly Olynyk"
    assert table["totals"][1] == "96"


def test_api_has_every_play_once_page_by_page(shown, visitor):
    shown("mlb")
    got, cursor = [], ""
    while cursor is not None:
        answer = visitor.get(f"/api/v1/games/mlb/401/plays?limit=40&cursor={cursor}").json
        got += answer["plays"]
        assert len(answer["plays"]) <= 40
        cursor = answer["next"]
    every = [play for group in recorded_summary("mlb").groups for play in group.plays]
    assert [play["espn_id"] for play in got] == [play.espn_id for play in every]
    assert got[-1]["group"] == "Top 9th Inning"
    assert any(play["pitches"] for play in got)


@pytest.mark.parametrize("part", ["box", "plays"])
def test_api_knows_no_summary_until_one_is_stored(synced, visitor, part):
    synced("nba", event())
    for espn_id, why in (("401", "is not stored"), ("402", "no NBA game has the id")):
        answer = visitor.get(f"/api/v1/games/nba/{espn_id}/{part}")
        assert answer.status_code == 404
        assert why in answer.json["error"]["message"]


def some_plays(*ids: str) -> SummaryRecord:
    def play(espn_id: str) -> PlayRecord:
        return PlayRecord(espn_id, 1, "", "Shot", "", "home", 0, 0, is_scoring=False)

    side, plays = SideRecord("1", 0, ()), tuple(map(play, ids))
    group = PlayGroupRecord(1, "1st Quarter", "", "", plays)
    return SummaryRecord("401", "in", False, "", side, side, groups=(group,))


@pytest.mark.parametrize(
    ("now", "follow"),
    [
        ("abcdef", "def"),
        ("acdef", "def"),  # one that was returned is taken back
        ("axbcdef", "def"),  # one comes in between
        ("abdef", "def"),  # the last that was returned is taken back
        ("abxdef", "xdef"),  # another one in its place
        ("a", ""),
        ("", ""),
    ],
)
def test_api_s_cursor_of_plays_stays_where_plays_come_and_go(synced, visitor, now, follow):
    synced("nba", event(state="in"))
    store(some_plays(*"abcd"))
    address = "/api/v1/games/nba/401/plays"
    cursor = visitor.get(f"{address}?limit=3").json["next"]
    store(some_plays(*now))
    got = visitor.get(f"{address}?cursor={cursor}").json
    assert ("".join(play["espn_id"] for play in got["plays"]), got["next"]) == (follow, None)


def test_api_refuses_a_cursor_that_is_none(shown, visitor):
    shown("nba")
    of_games = visitor.get("/api/v1/games?limit=1").json["next"] or "MjAyNiBuYmEgNDAx"
    for cursor in ("x", "-1", "9" * 20, of_games):
        assert visitor.get(f"/api/v1/games/nba/401/plays?cursor={cursor}").status_code == 400
