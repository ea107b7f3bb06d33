"""JSON of the feed to records. Pure: bytes in, records out, no clock, no network.

A body that is not what its function expects raises PayloadError. Within a good body a broken
event, team, player or line becomes one line in the record's errors and the rest survives; an answer
has at most 50 such lines and one with the number of the others. Too large a body raises it, too. A
broken part that a game can do without (venue, leaders, line score, record, season) is left out
of its game; who plays, the score, the state and the date are what a game cannot do without.
"""

from sportsapp.feed.parse.scoreboard import parse_calendar, parse_scoreboard, parse_summary_day
from sportsapp.feed.parse.standings import parse_standings
from sportsapp.feed.parse.summary import parse_summary
from sportsapp.feed.parse.teams import parse_roster, parse_teams

__all__ = [
    "parse_calendar",
    "parse_roster",
    "parse_scoreboard",
    "parse_standings",
    "parse_summary",
    "parse_summary_day",
    "parse_teams",
]
