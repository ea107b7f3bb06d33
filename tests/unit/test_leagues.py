"""The table of leagues, and finding a league in it."""

from __future__ import annotations

import pytest

from sportsapp.errors import UnknownLeagueError
from sportsapp.leagues import ALL_LEAGUES, BY_SLUG, find_league


def test_slugs_are_unique_and_lower_case():
    slugs = [league.slug for league in ALL_LEAGUES]
    assert slugs == ["nfl", "nba", "mlb", "nhl"]
    assert list(BY_SLUG) == slugs


def test_each_row_leads_to_an_address_of_its_own_in_the_feed():
    assert {(league.sport, league.feed_slug) for league in ALL_LEAGUES} == {
        ("football", "nfl"), ("basketball", "nba"), ("baseball", "mlb"), ("hockey", "nhl"),
    }  # fmt: skip


def test_only_baseball_has_no_clock_and_only_football_goes_by_weeks():
    assert [league.slug for league in ALL_LEAGUES if not league.clock_runs] == ["mlb"]
    assert [league.slug for league in ALL_LEAGUES if league.by_week] == ["nfl"]


@pytest.mark.parametrize("name", ["nba", "NBA", "Nba", " nba "])
def test_league_is_found_in_any_case(name):
    league = find_league(name)
    assert league is BY_SLUG["nba"]
    assert league.label == "NBA"


@pytest.mark.parametrize("name", ["", "xfl", "nba2", "n b a", "nb\u0430"])  # a Cyrillic a
def test_unknown_league_lists_the_known_ones(name):
    with pytest.raises(UnknownLeagueError, match="known are NFL, NBA, MLB, NHL") as caught:
        find_league(name)
    assert caught.value.name == name
    assert caught.value.known == ("NFL", "NBA", "MLB", "NHL")


def test_league_that_is_not_followed_is_unknown():
    assert find_league("NHL", ("nhl", "mlb")).slug == "nhl"
    with pytest.raises(LookupError, match="known are NHL, MLB"):
        find_league("NBA", ("nhl", "mlb"))
    with pytest.raises(UnknownLeagueError):
        find_league("xfl", ("xfl",))
