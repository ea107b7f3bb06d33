"""What a message says of what happened in games, with and without scores. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sportsapp.core.clock import iso_utc
from sportsapp.core.records import EventKind
from sportsapp.db.models import Game, ScoreEvent, Team
from sportsapp.notify.message import Message

MOST_GAMES = 20
"""So many games a folded message tells of; of the others it says how many there are."""
OF_KIND: dict[str, str] = {
    EventKind.START: "The game has started",
    EventKind.CLOSE: "Close and late",
    EventKind.OVERTIME: "Overtime begins",
    EventKind.DELAYED: "Delayed",
    EventKind.SUSPENDED: "Suspended",
    EventKind.RESUMED: "Play goes on",
    EventKind.POSTPONED: "Postponed",
    EventKind.CANCELLED: "Cancelled",
    EventKind.RESCHEDULED: "To be played after all",
    EventKind.FINAL: "Final",
}
HIDDEN: dict[str, str] = {
    EventKind.SCORE: "The score has changed",
    EventKind.LEAD: "The lead has changed",
    EventKind.PERIOD_END: "A period has ended",
    EventKind.OVERTIME: "Close and late",
    EventKind.TAKEN_BACK: "The score was corrected",
}
"""The words that tell no score, where the others would."""
LIVE = "live"
STATES = ("delayed", "suspended", "postponed", "cancelled", "rescheduled", "final")
"""The kinds of events that say how a game stands; after others it is live."""
ENDED = ("Final", "FT")
"""How the detail of a game begins that is corrected after its end."""


class GameEvent(NamedTuple):
    """A score event and its game, whose league and teams must be loaded."""

    event: ScoreEvent
    game: Game


def message_of(events: Sequence[GameEvent], *, hides_scores: bool) -> Message:
    """What one reading of one game showed."""
    _, game = events[0]
    words = [_words(event, game, hides_scores) for event, _ in events]
    if game.league.clock_runs and events[-1].event.kind not in (EventKind.FINAL, EventKind.START):
        words += [] if hides_scores else [events[-1].event.detail]
    body = ", ".join(dict.fromkeys(filter(None, words)))
    return Message(_title(events[-1], hides_scores), body, _documents(events, hides_scores))


def folded(events: Sequence[GameEvent], *, hides_scores: bool) -> Message:
    """What many readings showed: of each game where it stood at last."""
    last = {one.game.id: one for one in events}
    lines = [
        f"{_title(one, hides_scores)}: {_words(one.event, one.game, hides_scores)}"
        for one in list(last.values())[-MOST_GAMES:]
    ]
    if more := len(last) - len(lines):
        lines.insert(0, f"{more} more {'game' if more == 1 else 'games'}")
    count = f"{len(events)} {'event' if len(events) == 1 else 'events'}"
    title = f"{count} since {iso_utc(events[0].event.read_at)[11:16]} UTC"
    return Message(title, "\n".join(lines), _documents(events, hides_scores))


def _title(one: GameEvent, hides_scores: bool) -> str:
    event, game = one
    away, home = _name(game.away_team), _name(game.home_team)
    if hides_scores or event.away_score is None or event.home_score is None:
        return f"{away} at {home}"
    return f"{away} {event.away_score}, {home} {event.home_score}"


def _words(event: ScoreEvent, game: Game, hides_scores: bool) -> str:
    if hides_scores and event.kind in HIDDEN:
        return HIDDEN[event.kind]
    team = _name(game.home_team if event.side == "home" else game.away_team)
    match event.kind:
        case EventKind.SCORE:
            return f"{team} +{event.points}"
        case EventKind.LEAD:
            return f"{team} lead"
        case EventKind.PERIOD_END:
            return f"End of {game.league.period_name} {event.period}"
        case EventKind.TAKEN_BACK if event.side:
            return f"Correction: {team} {event.points}"
        case EventKind.TAKEN_BACK:
            return "Put back to an earlier point"
    return OF_KIND[event.kind]


def state_after(event: ScoreEvent) -> str:
    """How the game stands after an event: ``live``, ``final`` or another one of STATES."""
    if event.detail.startswith(ENDED):
        return EventKind.FINAL
    return event.kind if event.kind in STATES else LIVE


def _name(team: Team | None) -> str:
    return team.short_name if team else "TBD"


def _documents(events: Sequence[GameEvent], hides_scores: bool) -> list[dict[str, Any]]:
    return [_document(event, game, hides_scores) for event, game in events]


def _document(event: ScoreEvent, game: Game, hides_scores: bool) -> dict[str, Any]:
    """An event as ``notify.message.Message`` describes it."""

    def side(team: Team | None, score: int | None) -> dict[str, Any] | None:
        if team is None:
            return None
        names = {"abbreviation": team.abbreviation, "name": team.display_name}
        return names | {"score": None if hides_scores else score}

    is_overtime = event.kind == EventKind.OVERTIME
    return {
        "id": event.id,
        "kind": EventKind.CLOSE if hides_scores and is_overtime else event.kind,
        "league": game.league.slug,
        "game": game.espn_id,
        "state": state_after(event),
        "side": None if hides_scores else event.side,
        "points": None if hides_scores else event.points,
        "period": None if hides_scores else event.period,
        "detail": "" if hides_scores else event.detail,
        "read_at": iso_utc(event.read_at),
        "home": side(game.home_team, event.home_score),
        "away": side(game.away_team, event.away_score),
    }
