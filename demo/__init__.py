"""A feed that behaves like ESPN's JSON API: for `make demo`, tests and benchmarks.

It shares no code with the rest of the application, or it would prove nothing. Teams are real,
players and results are made up; all of it follows from the date and a digest, so that every
process tells the same story. Read from the ground up:

    chance        draws that fall the same way every time
    leagues       the leagues                 teams       their clubs
    fixtures      a planned game              outcomes    how it ends
    pairings      who meets whom              regular     the days of the others
    football      the NFL's weeks             playoffs    brackets and series
    tables        standings                   seasons     whole seasons, kept
    wording       the feed's phrases          script      a game minute by minute
    players       rosters                     situations  downs, counts, last plays
    polls         who is ranked
    events        one game as JSON            scoreboards, pages, standings   the answers
    changes       what the feed changed in 2026
    faults        what tests can break        app, server          the addresses, on a socket
"""

from demo.app import create_demo_feed
from demo.faults import DemoState
from demo.server import running_feed

__all__ = ["DemoState", "create_demo_feed", "running_feed"]
