"""A game's box score, plays and recap as text for terminals."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.core.summary import (
    LineupPlayerRecord,
    LineupRecord,
    PlayerLineRecord,
    PlayGroupRecord,
    PlayRecord,
    SideRecord,
    StatRecord,
    StatTableRecord,
    SummaryRecord,
    TeamBoxRecord,
)
from sportsapp.http.page_cache import SHARED
from tests.integration.events import event
from tests.integration.test_game_parts import HIDES, recorded_summary, store
from tests.integration.test_text_pages import CURL, READ_AT, lines

PARTS = ("box", "plays", "recap")
BOX = """\
Box score: Beta 17, Alpha 20, Final
NBA, Thursday, January 15, 2026

Beta: players
  Player  PTS  MIN   FG
  Eve, G   17   36  7-9
  Team     17       7-9

Alpha: players
  Player      PTS  MIN    FG
  Ann Lee, F   20   31  9-10
  Bea, C        0    9   0-1
  Cleo  Did not play: coach's decision

Teams
  Figure    BET  ALP
  Rebounds    9   12

Updated Thu, Jan 15, 3:59 PM EST or later.
"""
PLAYS = """\
Plays: Beta 17, Alpha 20, Final
NBA, Thursday, January 15, 2026

1st quarter
  11:42                Eve misses a jumper
   9:01  BET 0, ALP 2  Ann Lee makes a layup

4th quarter
  58.1  BET 17, ALP 20  Eve makes a dunk

Updated Thu, Jan 15, 3:59 PM EST or later.
"""


def line(name: str, position: str, *stats: str, note: str = "") -> PlayerLineRecord:
    return PlayerLineRecord("9", name, "", position, False, note, stats)


def side_box(side: str, players: list[PlayerLineRecord], rebounds: str, *totals: str) -> Any:
    keys = ("minutes", "points", "fieldGoalsMade")
    table = StatTableRecord("", ("MIN", "PTS", "FG"), keys, tuple(players), totals)
    figure = StatRecord("", "totalRebounds", "Rebounds", rebounds)
    return TeamBoxRecord(side, "1", (figure,), (table,), ())


def play(number: int, period: int, clock: str, text: str, **more: Any) -> PlayRecord:
    values = {"kind": "Shot", "side": "home", "away_score": None, "home_score": None}
    values |= {"is_scoring": "away_score" in more} | more
    return PlayRecord(str(number), period, clock, text=text, **values)


SECOND = play(2, 1, "9:01", "Ann Lee makes a layup", away_score=0, home_score=2)
THIRD = play(3, 4, "58.1", "Eve makes a dunk", away_score=17, home_score=20)
GROUPS = (
    PlayGroupRecord(1, "1st Quarter", "", "", (play(1, 1, "11:42", "Eve misses a jumper"), SECOND)),
    PlayGroupRecord(4, "4th Quarter", "", "", (THIRD,)),
)
SUMMARY = SummaryRecord(
    "401", "post", True, "Final", SideRecord("2", 17, ()), SideRecord("1", 20, ()),
    box=(
        side_box("away", [line("Eve", "G", "36", "17", "7-9")], "9", "", "17", "7-9"),
        side_box("home", [
            line("Ann Lee", "F", "31", "20", "9-10"),
            line("Bea", "C", "9", "0", "0-1"),
            line("Cleo", "", note="COACH'S DECISION"),
        ], "12"),
    ),
    scoring=(SECOND, THIRD), groups=GROUPS,
)  # fmt: skip


@pytest.fixture
def texts(visitor, synced, clock):
    """Stores a game and its summary; returns what fetches its pages, for a terminal."""

    def put(summary: SummaryRecord = SUMMARY, slug: str = "nba", state: str = "post") -> Any:
        score = {"away": summary.away.score, "home": summary.home.score}
        synced(slug, event(state=state, **score), at=READ_AT)
        store(summary)

        def fetch(part: str, **headers: str) -> str:
            return visitor.get(f"/{slug}/games/401/{part}", headers=CURL | headers).text

        return fetch

    return put


def test_box_score_and_plays_in_columns(texts):
    fetch = texts()
    assert fetch("box") == BOX
    assert fetch("plays") == PLAYS


def test_docs_show_the_box_score_and_the_plays_of_a_terminal():
    examples = (PROJECT_ROOT / "docs" / "screens.md").read_text().split("```")
    shown = [text.removeprefix("text\n") for text in examples if text.startswith("text\n")]
    assert shown[2:] == [BOX, PLAYS]


def test_live_plays_are_newest_first_and_may_be_those_that_scored(texts):
    fetch = texts(replace(SUMMARY, is_completed=False), state="in")
    rows = lines(fetch("plays"))
    order = [row.split()[0] for row in rows if row.startswith("  ")]
    assert order == ["58.1", "9:01", "11:42"]
    assert [row for row in rows if row.endswith("quarter")] == ["4th quarter", "1st quarter"]
    assert rows[2] == "As of Thu, Jan 15, 7:30 PM EST."
    scoring = fetch("plays?scoring=1")
    assert "Eve makes a dunk" in scoring
    assert "Eve misses" not in scoring
    assert "\x1b[1mEve makes a dunk\x1b[0m" in fetch("plays?color=1")


def test_text_of_what_does_not_add_up_says_so(texts):
    box = texts(replace(SUMMARY, scoring=()))("box")
    fault = "The last play that scored made it 0-0, the score is 17-20"
    assert f"\n\nIncomplete: what the feed has of this game does not add up.\n  {fault}" in box


def test_lineups_and_what_the_feed_cannot_do_to_a_terminal(texts):
    def player(name: str, **more: bool) -> LineupPlayerRecord:
        moves = {"is_starter": True, "came_on": False, "went_off": False} | more
        return LineupPlayerRecord("7", name, "9", "F", **moves)

    players = player("Ann\x1b[2J", went_off=True), player("Be\u202ea", is_starter=False)
    odd = replace(GROUPS[0], title="1st\x07 Half")
    fetch = texts(
        replace(SUMMARY, lineups=(LineupRecord("home", "4-3-3", players),), groups=(odd,))
    )
    box = fetch("box")
    assert "Alpha: starting, 4-3-3\n  9  Ann\\x1b[2J, F  went off\n" in box
    assert "Alpha: bench\n  9  Be\\u202ea, F\n" in box
    assert "1st\\x07 Half\n" in fetch("plays")
    assert all(fetch(part).replace("\n", "").isprintable() for part in PARTS)


def test_text_of_a_part_is_for_its_visitor_alone_and_has_a_tag_of_its_own(texts, visitor):
    texts()
    for part in PARTS:
        path = f"/nba/games/401/{part}"
        html, text = visitor.get(path), visitor.get(path, headers=CURL)
        assert (html.mimetype, text.mimetype) == ("text/html", "text/plain")
        assert html.headers["ETag"] != text.headers["ETag"]
        assert html.headers["Vary"] == text.headers["Vary"] == "Accept-Encoding, Cookie"
        assert html.headers["Cache-Control"] == SHARED
        assert text.headers["Cache-Control"] == "private, no-cache"
        known = CURL | {"If-None-Match": text.headers["ETag"]}
        assert visitor.get(path, headers=known).status_code == 304


def test_hidden_scores_hide_every_part_in_a_terminal(texts):
    fetch = texts()
    for part, told in (
        ("box", "Ann"),
        ("plays", "layup"),
        ("recap", "All 2 scoring plays: /nba/games/401/plays?reveal=401&scoring=1"),
    ):
        hidden = fetch(part, **HIDES)
        assert "of this game would give away its score." in hidden
        assert not re.search(
            r"\b(17|20|Ann|Eve|layup|quarter|Incomplete)\b",
            hidden.partition(",")[2].replace("2026", ""),
        )
        assert told in fetch(f"{part}?reveal=401", **HIDES)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("pre", "This game has not begun: it has no {} yet."),
        ("postponed", "This game was not played: it has no {}."),
        ("post", "The {} of this game has not been read from the feed."),
    ],
)
def test_game_without_a_summary_says_why_there_is_none(visitor, synced, state, words):
    synced("nba", event(state=state, start="2099-01-15T20:00Z"), at=READ_AT)
    for part, name in zip(PARTS, ("box score", "plays", "recap"), strict=True):
        path = f"/nba/games/401/{part}"
        assert f">{words.format(name)}</p>" in visitor.get(path).text
        assert words.format(name) in lines(visitor.get(path, headers=CURL).text)
        if state != "post":  # what was not played gives nothing away
            assert words.format(name) in visitor.get(path, headers=CURL | HIDES).text


@pytest.mark.parametrize("slug", ["nba", "nfl", "mlb", "nhl"])
def test_recorded_game_has_everything_once_and_in_line(texts, recorded, slug):
    summary = recorded_summary(slug)
    fetch = texts(summary, slug)
    box, plays = fetch("box"), fetch("plays")
    tables = [block for block in box.split("\n\n") if "\n  Player" in block]
    assert len(tables) == sum(bool(table.players) for one in summary.box for table in one.tables)
    for table in tables:
        _, head, *rows = table.splitlines()
        ends = [found.end() for found in re.finditer(r"\S+( \S+)*", head)][1:]
        rows = [row for row in rows if "Did not play" not in row]
        assert [row for row in rows for end in ends if row[end : end + 2].strip()] == []
    every = [play.text for group in summary.groups for play in group.plays if play.text]
    shown = [row for row in plays.splitlines() if row.startswith("  ")]
    assert [text for text in every if not any(row.endswith(text) for row in shown)] == []
    assert len(shown) - len(every) in range(5)  # the chance to win
    for text in (box, plays, fetch("recap")):
        assert text.replace("\n", "").isprintable()
        assert not re.search("\n\n\n|\\\\x", text)
