"""A team's page: record, results, what comes, the season, the roster."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import BY_SLUG, season_of
from sportsapp.db.engine import db
from sportsapp.db.models import LeagueRow, Scoreboard, Team
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_teams
from sportsapp.sync.context import SyncContext
from sportsapp.web.labels import season_label
from tests.integration.conftest import DAY
from tests.integration.events import event
from tests.stored import mark_read


def rows(page: str, part: str) -> list[str]:
    """The ids of the games in one of the tables, in order."""
    return [line.partition('"')[0] for line in page.split(f'<tr id="{part}')[1:]]


def test_results_are_letters_and_the_teams_own_score_comes_first(client, synced):
    synced(
        "nfl", event("1", home=20, away=17), event("2", home=3, away=30), event("3", home=7, away=7)
    )
    home = client.get("/nfl/teams/ALP").text
    away = client.get("/nfl/teams/BET").text
    assert [text in home for text in ("W 20-17", "L 3-30", "T 7-7")] == [True] * 3
    assert [text in away for text in ("L 17-20", "W 30-3", "T 7-7")] == [True] * 3


def test_last_results_are_newest_first_and_next_games_in_order(client, synced):
    for offset in range(7):
        day = DAY + timedelta(days=offset)
        synced("nfl", event(str(offset), f"{day}T20:00Z", "post"), day=day)
    for offset in range(10, 17):
        day = game_day(utc_now()) + timedelta(days=offset)
        synced("nfl", event(str(offset), f"{day}T20:00Z", "pre"), day=day)
    page = client.get("/nfl/teams/ALP").text
    assert rows(page, "last") == ["6", "5", "4"]
    assert rows(page, "next") == ["10", "11", "12"]
    assert len(rows(page, "season")) == 14


def test_start_of_a_coming_game_can_be_read_by_machines(client, synced):
    synced("nfl", event("1", state="pre"))
    page = client.get("/nfl/teams/ALP").text
    assert '<time datetime="2026-01-15T20:00:00Z">3:00 PM</time>' in page


def test_postponed_game_is_neither_a_result_nor_a_next_game(client, synced):
    synced("mlb", event("1", state="postponed", home=0, away=0))
    page = client.get("/mlb/teams/ALP").text
    assert rows(page, "last") == rows(page, "next") == []
    assert rows(page, "season") == ["1"]
    assert "Postponed" in page
    assert "0-0" not in page


def test_overtime_is_said_beside_the_result_and_the_channel_beside_the_start(client, synced):
    over = event("1")
    over["competitions"][0]["status"]["type"] |= {"detail": "Final/OT"}
    synced("nfl", over, event("2", state="pre"))
    page = client.get("/nfl/teams/ALP").text
    assert "W 20-17 <small>Final/OT</small>" in page
    assert "3:00 PM</time> <small>TV One</small>" in page


def test_neutral_ground_is_said(client, synced):
    synced("nfl", event(neutralSite=True))
    page = client.get("/nfl/teams/BET").text
    assert 'vs <a href="/nfl/teams/ALP">Alpha</a> <small>neutral site</small>' in page


def test_opponents_are_links_to_their_pages(client, synced):
    synced("nfl", event())
    assert '<td>vs <a href="/nfl/teams/BET">Beta</a></td>' in client.get("/nfl/teams/ALP").text
    assert '<td>at <a href="/nfl/teams/ALP">Alpha</a></td>' in client.get("/nfl/teams/BET").text


def test_schedule_goes_by_the_months_of_the_reader(visitor, synced):
    for number, start in enumerate(("2025-12-30T20:00Z", "2026-01-01T01:00Z", "2026-01-15T20:00Z")):
        day = datetime.fromisoformat(start).date() - timedelta(days=number == 1)
        synced("nfl", event(str(number), start), day=day)
    months = '<th colspan="3" scope="rowgroup">([^<]+)|id="season([0-9])'
    for zone, second in (
        ("America/New_York", ["1", "January 2026"]),
        ("UTC", ["January 2026", "1"]),
    ):
        page = visitor.get("/nfl/teams/ALP", headers={"Cookie": f"zone={zone}"}).text
        found = [month or number for month, number in re.findall(months, page)]
        assert found == ["December 2025", "0", *second, "2"]


@pytest.mark.parametrize(
    ("said", "label"),
    [("2026-27 Regular Season", "2026-27"), ("2026", "2026"), ("", "2027"), ("Off Season", "2027")],
)
def test_season_is_named_as_its_league_names_it(said, label):
    assert season_label(LeagueRow(season_name=said, season_year=2027), 2027) == label


@pytest.mark.parametrize(
    ("said", "label"), [("2026-27 Regular Season", "2025-26"), ("2027", "2026"), ("", "2026")]
)
def test_last_season_keeps_its_name_when_the_next_one_is_named(said, label):
    assert season_label(LeagueRow(season_name=said, season_year=2027), 2026) == label


def test_century_turns_in_a_season():
    assert season_label(LeagueRow(season_name="2000-01", season_year=2001), 2000) == "1999-00"


def test_roster_is_in_groups_with_names_for_people(app, client, feed):
    feed.say("nfl", {"sports": [{"leagues": [{"teams": [{"team": TEAM}]}]}]}, kind="teams")
    groups = {
        "specialTeam": "Kim Kicker",
        "offense": "Quinn Back",
        "injuredReserveOrOut": "Ira Out",
    }
    athletes = [
        {"position": group, "items": [{"id": str(n), "fullName": name, "jersey": "7"}]}
        for n, (group, name) in enumerate(groups.items())
    ]
    feed.say("nfl", {"athletes": athletes}, kind="roster")
    sync_teams(SyncContext(services_of(app).feed_client, db.session, utc_now()), [BY_SLUG["nfl"]])
    page = client.get("/nfl/teams/ALP/roster").text
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == ["Offense", "Special teams", "Injured reserve or out"]  # who plays is first
    assert all(name in page for name in groups.values())
    assert not any(name in client.get("/nfl/teams/ALP").text for name in groups.values())


def test_schedule_and_roster_are_tabs_of_each_other(client, synced):
    synced("nfl", event())
    for path, text in (("/nfl/teams/ALP", "Schedule"), ("/nfl/teams/ALP/roster", "Roster")):
        tabs = client.get(path).text.partition('<nav class="tabs" aria-label="Alpha">')[2]
        links = re.findall('<a href="([^"]+)"([^>]*)>([^<]+)', tabs.partition("</nav>")[0])
        assert [link[::2] for link in links] == [
            ("/nfl/teams/ALP", "Schedule"),
            ("/nfl/teams/ALP/roster", "Roster"),
        ]
        assert [name for _, current, name in links if current] == [text]


def test_team_without_players_says_so(client, synced):
    synced("nfl", event())
    assert "No roster yet." in client.get("/nfl/teams/ALP/roster").text


@pytest.mark.parametrize("address", ["NFL/teams/ALP", "nfl/teams/alp"])
def test_roster_in_other_case_leads_to_the_one_address(client, synced, address):
    synced("nfl", event())
    answer = client.get(f"/{address}/roster")
    assert (answer.status_code, answer.location) == (301, "/nfl/teams/ALP/roster")
    assert client.get("/nfl/teams/XXX/roster").status_code == 404


TEAM = {"id": "1", "abbreviation": "ALP", "displayName": "Alpha"}


def test_team_without_games_says_so(app, visitor, feed):
    feed.say("nfl", {"sports": [{"leagues": [{"teams": [{"team": TEAM}]}]}]}, kind="teams")
    sync_teams(SyncContext(services_of(app).feed_client, db.session, utc_now()), [BY_SLUG["nfl"]])
    mark_read("nfl", *season_of(BY_SLUG["nfl"], game_day(utc_now())))
    assert "No games of this season yet." in visitor.get("/nfl/teams/ALP").text


@pytest.mark.parametrize("path", ["/NFL/teams/ALP", "/nfl/teams/alp", "/Nfl/teams/Alp"])
def test_other_case_leads_to_the_one_address(client, synced, path):
    synced("nfl", event())
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (301, "/nfl/teams/ALP")


@pytest.mark.parametrize("name", ["XXX", "A" * 5000, "..%2f..", "'"])
def test_unknown_team_is_a_page_that_leads_back(client, synced, name):
    synced("nfl", event())
    for kind in ("", ".ics"):
        answer = client.get(f"/nfl/teams/{name}{kind}")
        assert answer.status_code == 404
        assert 'href="/"' in answer.text


def test_record_is_told_only_to_those_who_see_scores(visitor, synced, app):
    synced("nfl", event())
    db.session.query(Team).update({Team.record: "9-1"})
    db.session.commit()
    assert "<small>9-1</small>" in visitor.get("/nfl/teams/ALP").text
    assert "9-1" not in visitor.get("/nfl/teams/ALP", headers={"Cookie": "scores=hide"}).text


@pytest.mark.parametrize(
    ("position", "group", "text"),
    [
        (1, "NFC East", "1st in NFC East"),
        (2, "", "2nd in NFL"),
        (3, "West", "3rd in West"),
        (11, "West", "11th in West"),
        (112, "West", "112th in West"),
        (22, "West", "22nd in West"),
    ],
)
def test_place_in_the_table_is_told_only_to_those_who_see_scores(
    visitor, synced, position, group, text
):
    synced("nfl", event())
    assert " in NFL" not in visitor.get("/nfl/teams/ALP").text
    db.session.query(Team).update({Team.standing_position: position, Team.standing_group: group})
    db.session.commit()
    for path in ("/nfl/teams/ALP", "/nfl/teams/ALP/roster"):
        assert f'<p class="asof">{text}</p>' in visitor.get(path).text
        assert text not in visitor.get(path, headers={"Cookie": "scores=hide"}).text


def in_season(number: int, kind: int = 2, **fields: Any) -> dict[str, Any]:
    """A game of the running season, on a day of its own."""
    made = event(str(number), f"2026-01-{number + 1:02}T20:00Z", **fields)
    return made | {"season": {"year": 2026, "type": kind}}


def play(synced, slug: str, *games: dict[str, Any]) -> str:
    """Store these games, and every day of the season up to yesterday; the team's page."""
    for game in games:
        at = datetime.fromisoformat(game["date"])
        synced(slug, game, day=at.date(), at=at + timedelta(days=2))
    db.session.query(LeagueRow).update({LeagueRow.season_year: 2026})
    db.session.commit()
    first, _ = season_of(BY_SLUG[slug], game_day(utc_now()))
    mark_read(slug, first, game_day(utc_now()) - timedelta(days=1))
    return f"/{slug}/teams"


@pytest.mark.usefixtures("clock")
def test_records_at_home_and_away_are_of_the_regular_season(visitor, synced):
    teams = play(
        synced,
        "nfl",
        in_season(1, kind=1),
        in_season(2),
        in_season(3, home=3, away=9),
        in_season(4, home=7, away=7),
        in_season(5, neutralSite=True),
        in_season(6),
    )
    assert '<p class="asof">home 2-1-1</p>' in visitor.get(f"{teams}/ALP").text
    assert '<p class="asof">away 1-2-1</p>' in visitor.get(f"{teams}/BET").text
    assert "2-1-1" not in visitor.get(f"{teams}/ALP", headers={"Cookie": "scores=hide"}).text


@pytest.mark.usefixtures("clock")
def test_records_are_left_out_while_a_day_of_the_season_is_unread(visitor, synced):
    teams = play(synced, "nfl", in_season(2))
    assert "home 1-0" in visitor.get(f"{teams}/ALP").text
    db.session.query(Scoreboard).filter_by(day=date(2025, 10, 1)).delete()
    db.session.query(LeagueRow).update({LeagueRow.changed_at: utc_now()})
    db.session.commit()
    assert "home 1-0" not in visitor.get(f"{teams}/ALP?again").text


@pytest.mark.usefixtures("clock")
def test_losses_after_regulation_come_last_in_hockey(visitor, synced):
    extra = in_season(4, home=1, away=2)
    extra["competitions"][0]["status"]["period"] = 4
    teams = play(synced, "nhl", in_season(2), in_season(3), in_season(5), extra)
    assert "home 3-0-1" in visitor.get(f"{teams}/ALP").text


# ---------------------------------------------------------------- a game that is not over


LIVE = "20-17 <small>9:03 - 3rd</small>"


@pytest.mark.parametrize(("team", "text"), [("ALP", LIVE), ("BET", LIVE.replace("20-17", "17-20"))])
def test_live_game_has_its_score_the_teams_own_first(client, synced, team, text):
    synced("nfl", event(start=f"{game_day(utc_now())}T20:00Z", state="in"))
    page = client.get(f"/nfl/teams/{team}").text
    assert page.count(text) == 1
    assert rows(page, "next") == []


def test_live_game_is_a_card_before_all_tables(client, synced):
    at = f"{game_day(utc_now())}T20:00Z"
    synced("nfl", event("1", start=at, state="in"), event("2", start=at))
    page = client.get("/nfl/teams/ALP").text
    assert re.findall('<li class="g in" id="([^"]+)"', page) == ["nfl1"]
    assert page.index('<li class="g in"') < page.index("<table")
    assert page.count('<span class="s">') == 2


def test_game_that_was_broken_off_has_its_score(client, synced):
    broken = event(state="postponed")
    broken["competitions"][0]["status"]["type"] |= {
        "name": "STATUS_SUSPENDED",
        "detail": "Suspended, Top 7th",
    }
    synced("mlb", broken)
    assert "20-17 <small>Suspended, Top 7th</small>" in client.get("/mlb/teams/ALP").text


def test_score_of_a_live_game_is_shown_only_to_those_who_see_scores(visitor, synced):
    synced("nfl", event(state="in"))
    page = visitor.get("/nfl/teams/ALP", headers={"Cookie": "scores=hide"}).text
    assert "20-17" not in page
    assert "3rd Quarter" not in page
    assert 'Live <a href="/nfl/games/401?reveal=401">Show' in page


def test_parts_of_a_season_are_lists_of_their_own(client, synced):
    for number, kind in ((1, 1), (2, 2), (3, 3)):
        game = event(str(number), f"2026-01-1{number}T20:00Z")
        day = DAY.replace(day=10 + number)
        at = datetime(2026, 1, 10 + number, 23, tzinfo=UTC)
        synced("nfl", game | {"season": {"year": 2026, "type": kind}}, day=day, at=at)
    page = client.get("/nfl/teams/ALP").text
    assert [rows(page, part) for part in ("preseason", "season", "postseason")] == [
        ["1"],
        ["2"],
        ["3"],
    ]
    headings = re.findall(r'<h2 id="\w*season">([^<]*)', page)
    assert headings == ["Preseason 2026", "Season 2026", "Postseason 2026"]
    assert rows(page, "last") == ["3", "2", "1"]
    last = page.partition('id="of-last"')[2].partition("</section>")[0]
    assert last.count("<small>preseason</small>") == 1
    assert last.index("<small>preseason</small>") > last.index('id="last1"')
