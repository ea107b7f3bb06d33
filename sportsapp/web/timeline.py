"""A game's timeline: its score events in words, for those who may see its score."""

from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from sportsapp.core.records import EventKind
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, ScoreEvent
from sportsapp.web.labels import ordinal, period_label, short_name
from sportsapp.web.spoilers import is_revealed

MOST_EVENTS = 200


class Entry(NamedTuple):
    """What one reading of the feed showed: in words, and the last of its events."""

    text: str
    last: ScoreEvent


def timeline_of(game: Game) -> list[Entry]:
    """The game's newest readings with events, newest first; none where its score is hidden."""
    if not is_revealed(game):
        return []
    events = queries.events_of(db.session, game.id, MOST_EVENTS)
    readings = [list(reading) for _, reading in groupby(events, attrgetter("read_at"))]
    return [
        Entry(", ".join(event_label(game, event) for event in reversed(reading)), reading[0])
        for reading in readings
    ]


def event_label(game: Game, event: ScoreEvent) -> str:
    """``Bears +7``, ``lead: Bears``, ``end of 1st quarter``, ``OT begins``."""
    team = short_name(game.home_team if event.side == "home" else game.away_team)
    match event.kind:
        case EventKind.SCORE:
            return f"{team} +{event.points}"
        case EventKind.START if event.period > 1 or event.away_score or event.home_score:
            return "first reading"
        case EventKind.LEAD:
            return f"lead: {team}"
        case EventKind.CLOSE:
            return "close and late"
        case EventKind.PERIOD_END:
            return f"end of {period_words(game, event.period)}"
        case EventKind.OVERTIME:
            return f"{period_words(game, game.league.periods + 1)} begins"
        case EventKind.TAKEN_BACK if event.side:
            return f"corrected: {team} {event.points}"
        case EventKind.TAKEN_BACK:
            return "taken back"
    return event.kind


def period_words(game: Game, period: int) -> str:
    """``4th quarter``, ``10th inning``, ``OT``."""
    label = period_label(game, period)
    return f"{ordinal(period)} {game.league.period_name}" if label.isdigit() else label
