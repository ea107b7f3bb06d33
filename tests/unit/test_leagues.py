"""The table of leagues, and finding a league in it."""

from __future__ import annotations

import pytest

from sportsapp.core.errors import UnknownLeagueError
from sportsapp.core.leagues import ALL_LEAGUES, BY_SLUG, find_league
from tests.loopback import PATHS


def test_slugs_are_unique_and_lower_case():
    slugs = [league.slug for league in ALL_LEAGUES]
    assert slugs == [slug.lower() for slug in slugs]
    assert list(BY_SLUG) == slugs
    assert {"nfl", "nba", "mlb", "nhl", "wnba", "ncaaf", "ncaam", "ncaaw", "mls", "epl"} <= set(
        slugs
    )


def test_each_row_leads_to_an_address_of_its_own_in_the_feed():
    assert {league.slug: f"{league.sport}/{league.feed_slug}" for league in ALL_LEAGUES} == PATHS


def slugs_of(wanted) -> list[str]:
    return [league.slug for league in ALL_LEAGUES if wanted(league)]


def test_only_baseball_has_no_clock_and_only_football_goes_by_weeks():
    assert slugs_of(lambda league: not league.clock_runs) == ["mlb"]
    assert slugs_of(lambda league: league.by_week) == ["nfl", "ncaaf"]
    assert slugs_of(lambda league: league.rounds) == ["nfl", "ncaaf"]


def test_only_soccer_counts_up_and_draws_and_plays_two_overtimes_before_a_shootout():
    soccer = slugs_of(lambda one: one.sport == "soccer")
    assert {"mls", "epl"} <= set(soccer)
    for differs in (
        lambda one: one.clock_stops,
        lambda one: one.draws,
        lambda one: one.overtimes == 2,
        lambda one: one.shootout_name == "PEN",
    ):
        assert slugs_of(differs) == soccer
    for league in map(BY_SLUG.get, soccer):
        assert len(league.clock_stops) == league.periods + league.overtimes


def test_only_colleges_are_divisions_of_something_larger():
    assert {league.slug: league.group for league in ALL_LEAGUES if league.group} == {
        "ncaaf": 80, "ncaam": 50, "ncaaw": 50,
    }  # fmt: skip
    assert slugs_of(lambda league: league.named_by_place) == ["ncaaf", "ncaam", "ncaaw"]
    assert slugs_of(lambda league: not league.month_fits) == ["ncaam", "ncaaw"]


@pytest.mark.parametrize(
    ("slug", "periods", "name"),
    [("wnba", 4, "quarter"), ("ncaaf", 4, "quarter"), ("ncaam", 2, "half"),
     ("ncaaw", 4, "quarter"), ("mls", 2, "half"), ("epl", 2, "half")],
)  # fmt: skip
def test_games_are_divided_as_their_sport_divides_them(slug, periods, name):
    assert (BY_SLUG[slug].periods, BY_SLUG[slug].period_name) == (periods, name)


@pytest.mark.parametrize("name", ["nba", "NBA", "Nba", " nba "])
def test_league_is_found_in_any_case(name):
    league = find_league(name)
    assert league is BY_SLUG["nba"]
    assert league.label == "NBA"


@pytest.mark.parametrize("name", ["", "xfl", "nba2", "n b a", "nb\u0430"])  # a Cyrillic a
def test_unknown_league_lists_the_known_ones(name):
    with pytest.raises(UnknownLeagueError, match=r"known are NFL, NBA, .*, MLS, EPL") as caught:
        find_league(name)
    assert caught.value.name == name
    assert caught.value.known == tuple(league.label for league in ALL_LEAGUES)


def test_league_that_is_not_followed_is_unknown():
    assert find_league("NHL", ("nhl", "mlb")).slug == "nhl"
    with pytest.raises(LookupError, match="known are NHL, MLB"):
        find_league("NBA", ("nhl", "mlb"))
    with pytest.raises(UnknownLeagueError):
        find_league("xfl", ("xfl",))
