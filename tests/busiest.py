"""The busiest possible day: 58 games of four leagues, with everything that a card shows."""

from __future__ import annotations

from datetime import date
from typing import Any

from demo.teams import teams_of
from tests.integration.events import event

GAMES = {"nfl": 16, "nba": 15, "mlb": 15, "nhl": 12}
STATE_OF = ["in", "pre", "post"]
NETWORKS = ["ESPN, ABC", "FOX", "NBC, Peacock", "Utah Sports Net, Toronto Sports Net", "Apple TV+"]


def busiest_boards(day: date) -> dict[str, list[dict[str, Any]]]:
    """The day's events by league: a third live, a third to come, a third final."""
    return {
        slug: [busy_event(slug, n, f"{day}T20:{n:02}Z") for n in range(count)]
        for slug, count in GAMES.items()
    }


def busy_event(slug: str, number: int, start: str) -> dict[str, Any]:
    """A game with everything that a card shows, between teams that no other game has."""
    state = STATE_OF[number % 3]
    game = event(
        f"{slug}{number}", start, state, home=3 + number * 7 % 40, away=2 + number * 5 % 33
    )
    competition = game["competitions"][0]
    clubs = list(teams_of(slug).values())
    for side, club in zip(
        competition["competitors"], clubs[2 * number : 2 * number + 2], strict=True
    ):
        side["team"] = {
            "id": club.id,
            "abbreviation": club.abbreviation,
            "color": club.color,
            "displayName": f"{club.location} {club.name}",
            "shortDisplayName": club.name,
        }
        side["records"] = [{"type": "total", "summary": f"{number * 3 % 50}-{number * 7 % 41}"}]
        side["winner"] = state == "post" and side["homeAway"] == "home"
    competition["broadcasts"] = [{"market": "national", "names": [NETWORKS[number % 5]]}]
    competition["notes"] = (
        [{"headline": f"Rivalry Week - Game {number}"}] if number % 4 == 0 else []
    )
    if state == "in":
        detail = f"{number % 12}:{number * 13 % 60:02} - {1 + number % 4}th Quarter"
        competition["status"]["type"] = competition["status"]["type"] | {"detail": detail}
    return game
