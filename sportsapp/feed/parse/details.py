"""The parts that a game can do without: venue, channels, notes, situation, players, weather.

Each gives its empty value when the feed has none or a broken one.
"""

from typing import Any

from msgspec import Raw, UnsetType

from sportsapp.core.records import State
from sportsapp.feed.parse.document import clean_text, optional, parse_score
from sportsapp.feed.parse.teams import abbreviation
from sportsapp.feed.shapes import (
    AthleteShape,
    BroadcastShape,
    CompetitionShape,
    CompetitorShape,
    EventShape,
    FeaturedShape,
    HeadlineShape,
    LeaderCategoryShape,
    NoteShape,
    PlayShape,
    SeriesShape,
    SeriesSideShape,
    SituationShape,
    StatusShape,
    VenueShape,
    WeatherShape,
)

ATTENDANCE_LIMIT = 1_000_000
LEADERS_LIMIT = 3
RED_CARDS_LIMIT = 9

Pair = tuple[object, object]
NOBODY_BATS = {"mid", "middle", "end"}
OF_THE_BATTER = ("balls", "strikes", "outs", "bases")
NOTHING = {"0", "0.0"}
OF_THE_SEASON = "PerGame"
NO_GOALS: Pair = (None, None)
FEATURED = {
    "probableStartingPitcher": "Probable pitcher",
    "probableStartingGoalie": "Probable goalie",
    "winningPitcher": "Winning pitcher",
    "losingPitcher": "Losing pitcher",
    "savingPitcher": "Save",
    "winningGoalie": "Winning goalie",
    "losingGoalie": "Losing goalie",
    "firstStar": "First star",
    "secondStar": "Second star",
    "thirdStar": "Third star",
}


def venue_and_city(competition: CompetitionShape) -> tuple[str, str]:
    """The venue's name, and its "City, State"."""
    venue = optional(competition.venue, VenueShape)
    if venue is None:
        return "", ""
    parts: list[str] = []
    if venue.address:
        parts = [clean_text(venue.address.city, 80), clean_text(venue.address.state, 40)]
    return clean_text(venue.full_name), ", ".join(part for part in parts if part)


def attendance(competition: CompetitionShape) -> int | None:
    """Spectators. The feed gives 0 where it does not know."""
    number = optional(competition.attendance, float)
    return int(number) if number and 0 < number < ATTENDANCE_LIMIT else None


def broadcast(competition: CompetitionShape) -> str:
    """Channels: the national ones, else the feed's short text, else the local ones."""
    stations = optional(competition.broadcasts, list[BroadcastShape]) or []
    national = [name for group in stations if group.market == "national" for name in group.names]
    local = [name for group in stations for name in group.names]
    return (
        clean_text(", ".join(dict.fromkeys(national)), 120)
        or clean_text(optional(competition.broadcast, str), 120)
        or clean_text(", ".join(local), 120)
    )


# ---------------------------------------------------------------- notes and series


def note_and_series(
    competition: CompetitionShape, home: CompetitorShape, away: CompetitorShape, has_score: bool
) -> tuple[str, str]:
    """The headline, and how a series or a tie over two games stands.

    In a tie over two games, or after a shootout, the headline may reveal who goes through. It
    then belongs to the series, and figures that it already has are not added again.
    """
    notes = optional(competition.notes, list[NoteShape]) or []
    headline = next((text for note in notes if (text := clean_text(note.headline))), "")
    series = optional(competition.series, SeriesShape)
    summary = clean_text(series.summary) if series else ""
    aggregate = _aggregate_goals(series, away, home)
    penalties = (away.shootout_score, home.shootout_score) if has_score else NO_GOALS
    if aggregate == penalties == NO_GOALS:
        return headline, summary
    parts = [summary, headline]
    if "aggrega" not in headline.lower():
        parts.append(_goals_text("Aggregate", away, home, aggregate))
    if "penalti" not in headline.lower():
        parts.append(_goals_text("Penalties", away, home, penalties))
    return "", clean_text("; ".join(part for part in parts if part))


def _aggregate_goals(
    series: SeriesShape | None, away: CompetitorShape, home: CompetitorShape
) -> Pair:
    """Goals over both games; the feed has them with the competitors or with the series."""
    goals = away.aggregate_score, home.aggregate_score
    if series is None or goals != NO_GOALS:
        return goals
    sides = optional(series.competitors, list[SeriesSideShape]) or []
    by_team = {clean_text(side.id): side.aggregate_score for side in sides}
    return by_team.get(clean_text(away.team.id)), by_team.get(clean_text(home.team.id))


def _goals_text(label: str, away: CompetitorShape, home: CompetitorShape, goals: Pair) -> str:
    """Text such as "Aggregate LA 3, NSH 2"; empty unless both figures are sound."""
    try:
        away_goals, home_goals = (parse_score(figure) for figure in goals)
    except ValueError:
        return ""
    if away_goals is None or home_goals is None:
        return ""
    names = [abbreviation(side.team.abbreviation) or "TBD" for side in (away, home)]
    return f"{label} {names[0]} {away_goals}, {names[1]} {home_goals}"


# ---------------------------------------------------------------- situation and leaders


def situation(competition: CompetitionShape, detail: str) -> dict[str, Any]:
    """Down and distance, or balls, strikes, outs and bases; the last play. Only what is known.

    Between innings, by ``detail``, the feed has zeros for a batter that there is not.
    """
    now = optional(competition.situation, SituationShape)
    if now is None:
        return {}
    bases = (now.on_first, now.on_second, now.on_third)
    occupied = [n for n, taken in enumerate(bases, 1) if taken]
    facts: dict[str, Any] = {
        "down_distance": clean_text(now.down_distance_text, 80),
        "possession": clean_text(now.possession, 40),
        "red_zone": now.is_red_zone,
        "home_timeouts": now.home_timeouts,
        "away_timeouts": now.away_timeouts,
        "balls": now.balls,
        "strikes": now.strikes,
        "outs": now.outs,
        "bases": None if set(bases) == {None} else occupied,
        "last_play": clean_text(now.last_play.text) if now.last_play else "",
    }
    if not NOBODY_BATS.isdisjoint(detail.lower().split()):
        facts |= dict.fromkeys(OF_THE_BATTER)
    return {name: fact for name, fact in facts.items() if fact not in (None, "")}


def red_cards(
    competition: CompetitionShape, home: CompetitorShape, away: CompetitorShape
) -> dict[str, int]:
    """How many red cards each side has, without those that have none."""
    plays = optional(competition.details, list[PlayShape]) or []
    shown = [clean_text(play.team.id) for play in plays if play.red_card and play.team]
    sides = {"home_red_cards": home, "away_red_cards": away}
    counts = {name: shown.count(clean_text(side.team.id)) for name, side in sides.items()}
    return {name: min(count, RED_CARDS_LIMIT) for name, count in counts.items() if count}


def leaders(
    competition: CompetitionShape, home: CompetitorShape, away: CompetitorShape, has_begun: bool
) -> tuple[dict[str, str], ...]:
    """Leading players. The NFL has them with the game, the other leagues with each side.

    Where both have them, those of the game only repeat some of the sides'. Once the game has
    begun, averages of the season that the feed still has are left out.
    """
    sides = {clean_text(home.team.id): "home", clean_text(away.team.id): "away"}
    of_sides = [
        *_leader_rows(away.leaders, "away", sides, has_begun),
        *_leader_rows(home.leaders, "home", sides, has_begun),
    ]
    return tuple(of_sides or _leader_rows(competition.leaders, "", sides, has_begun))


def _leader_rows(
    raw: Raw | UnsetType, side: str, sides: dict[str, str], has_begun: bool
) -> list[dict[str, str]]:
    """The first leader of each of the first categories; without a ``side``, by the team's id.

    Nobody leads a category in which there is nothing yet.
    """
    rows = []
    for category in (optional(raw, list[LeaderCategoryShape]) or [])[:LEADERS_LIMIT]:
        leader = category.leaders[0] if category.leaders else None
        if leader is None or leader.athlete is None:
            continue
        figure = clean_text(leader.display_value, 80)
        if not figure.strip("-") or NOTHING & {clean_text(leader.value), figure}:
            continue
        if has_begun and clean_text(category.name).endswith(OF_THE_SEASON):
            continue
        team_id = clean_text(leader.team.id) if leader.team else ""
        label = clean_text(category.short_display_name, 20)
        name = clean_text(leader.athlete.display_name, 80)
        row = {
            "side": side or sides.get(team_id, ""),
            "category": label or clean_text(category.abbreviation, 20),
            "name": name or clean_text(leader.athlete.full_name, 80),
            "value": figure,
        }
        rows.append(row)
    return rows


# ---------------------------------------------------------------- about the game


def about(
    event: EventShape,
    competition: CompetitionShape,
    status: StatusShape,
    sides: tuple[CompetitorShape, CompetitorShape],
    state: State,
) -> dict[str, Any]:
    """Weather, the recap's headline, and players: probable starters, or who decided the game.

    ``sides`` are home and away. Only what is known, and what fits the state of the game.
    """
    headlines = optional(competition.headlines, list[HeadlineShape]) or []
    recaps = [clean_text(one.short_link_text) for one in headlines if one.type == "Recap"]
    home, away = sides
    by_id = {clean_text(home.team.id): "home", clean_text(away.team.id): "away"}
    players = {
        State.PRE: [
            *_players(away.probables, "away", by_id),
            *_players(home.probables, "home", by_id),
        ],
        State.POST: _players(status.featured_athletes, "", by_id),
    }
    facts: dict[str, Any] = {
        "weather": weather(event.weather) if state is not State.POST else "",
        "headline": next(filter(None, recaps), "") if state is State.POST else "",
        "players": players.get(state),
    }
    return {name: fact for name, fact in facts.items() if fact}


def weather(raw: Raw | UnsetType) -> str:
    """Text such as "Mostly sunny, 80 °F"."""
    shape = optional(raw, WeatherShape) or WeatherShape()
    words = [clean_text(text, 60) for text in (shape.display_value, shape.condition_id)]
    degrees = f"{shape.temperature} °F" if shape.temperature is not None else ""
    sky = next((text for text in words if text and not text.isdecimal()), "")
    return ", ".join(text for text in (sky, degrees) if text)


def _players(raw: Raw | UnsetType, side: str, sides: dict[str, str]) -> list[dict[str, str]]:
    """The featured players that we have a word for; without a ``side``, by the team's id."""
    rows = []
    for player in optional(raw, list[FeaturedShape]) or []:
        athlete = player.athlete or AthleteShape()
        team_id = clean_text(player.team.id) if player.team else ""
        row = {
            "side": side or sides.get(team_id, ""),
            "category": FEATURED.get(clean_text(player.name), ""),
            "name": clean_text(athlete.display_name or athlete.full_name, 80),
            "value": clean_text(player.record, 40).strip("()"),
        }
        if row["category"] and row["name"]:
            rows.append(row)
    return rows
