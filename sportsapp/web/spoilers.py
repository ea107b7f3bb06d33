"""Hidden scores: which results this visitor may see, and the address that reveals one more."""

from flask import request

from sportsapp.core.records import State, Status
from sportsapp.db.queries import AnyGame
from sportsapp.web.preferences import preferences

NEVER_PLAYED = (Status.POSTPONED, Status.CANCELLED)
MOST_REVEALED = 30


def is_revealed(game: AnyGame) -> bool:
    """Whether this visitor may see what gives away the result, such as the teams' records."""
    return not preferences().hides_scores or game.espn_id in _revealed_ids()


def is_hidden(game: AnyGame) -> bool:
    """Whether the game has a score that this visitor has not asked to see."""
    has_score = game.state != State.PRE and game.status not in NEVER_PLAYED
    return has_score and not is_revealed(game)


def reveal_address(game: AnyGame) -> str:
    """The address of this page with the game's score shown, beside those shown already."""
    ids = [*_revealed_ids(), game.espn_id][-MOST_REVEALED:]
    return f"?reveal={'.'.join(ids)}#{game.league.slug}{game.espn_id}"


def _revealed_ids() -> list[str]:
    ids = request.args.get("reveal", "").split(".")
    return [espn_id for espn_id in ids if espn_id.isalnum()][:MOST_REVEALED]
