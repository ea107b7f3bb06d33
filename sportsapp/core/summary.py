"""Frozen records of one game's summary: feed/parse makes them, the database keeps them.

Texts are cleaned as those of ``records``. A side is "home" or "away", and empty where the feed does
not tell. In JSON they are arrays, so that a stored game is small: a field is only ever added at the
end, with a default, and any other change takes a new VERSION.
"""

import zlib

import msgspec

VERSION = 1
"""Of the records as they are stored. What was stored with another one is read anew."""

SIDES = ("away", "home")
"""In the order in which box scores list the teams."""

LEVEL = 4
"""Of zlib: takes half the time of the usual one, and a tenth more room."""


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """Base of the records here."""


class StatRecord(Stored, frozen=True):
    """One figure of a team: the feed's name and label of it, and the text it shows.

    ``group`` is batting, pitching or such, empty where the feed has no groups.
    """

    group: str
    name: str
    label: str
    value: str


class PlayerLineRecord(Stored, frozen=True):
    """A player's line in a table; ``stats`` go by the table's labels, and may be empty.

    ``note`` is why he did not play, or what was decided with him ("W, 1-0").
    """

    espn_id: str
    name: str
    jersey: str
    position: str
    is_starter: bool
    note: str
    stats: tuple[str, ...]


class StatTableRecord(Stored, frozen=True):
    """A table of a team's players, in the feed's order.

    ``name`` is passing, batting, goalies or such, empty for a team's only table. ``labels`` are
    the columns as the feed shows them, ``keys`` their names; ``totals`` may be empty.
    """

    name: str
    labels: tuple[str, ...]
    keys: tuple[str, ...]
    players: tuple[PlayerLineRecord, ...]
    totals: tuple[str, ...]


class TeamBoxRecord(Stored, frozen=True):
    """A team's part of the box score. Before the start its ``stats`` are those of the season.

    ``notes`` are what the feed adds in words, such as who hit the home runs.
    """

    side: str
    team_id: str
    stats: tuple[StatRecord, ...]
    tables: tuple[StatTableRecord, ...]
    notes: tuple[StatRecord, ...]


class PlayRecord(Stored, frozen=True):
    """A play, in baseball an at-bat or what happens between two.

    ``clock`` is the feed's text. The scores are those after the play, None where the feed has none.
    ``players`` are the ids of those involved, the first one first. ``pitches`` are those of an
    at-bat, in words.
    """

    espn_id: str
    period: int
    clock: str
    kind: str
    text: str
    side: str
    away_score: int | None
    home_score: int | None
    is_scoring: bool
    players: tuple[str, ...] = ()
    pitches: tuple[str, ...] = ()


class PlayGroupRecord(Stored, frozen=True):
    """Plays in a row: a drive (football), a half inning (baseball), else a period.

    ``title`` is the feed's text ("1st Quarter", "Top 1st Inning", "3 plays, 37 yards, 1:06"),
    ``result`` how a drive ended, ``side`` who had the ball or batted.
    """

    period: int
    title: str
    side: str
    result: str
    plays: tuple[PlayRecord, ...]


class ChanceRecord(Stored, frozen=True):
    """The share, 0 to 1, of the home side's chance to win after a play."""

    play_id: str
    home: float


class OfficialRecord(Stored, frozen=True):
    """A referee or umpire."""

    name: str
    position: str


class InjuryRecord(Stored, frozen=True):
    """An injured player of a side at the time of reading; ``detail`` is "Knee - ACL" or such."""

    side: str
    espn_id: str
    name: str
    position: str
    status: str
    detail: str


class MeetingRecord(Stored, frozen=True):
    """A game of the same two teams. Scores are None before it; ``date`` is the feed's text."""

    espn_id: str
    date: str
    state: str
    away_id: str
    home_id: str
    away_score: int | None
    home_score: int | None


class SeriesRecord(Stored, frozen=True):
    """Meetings of the two teams, and how they stand ("BUF leads series 2-0")."""

    title: str
    summary: str
    meetings: tuple[MeetingRecord, ...]


class LineupPlayerRecord(Stored, frozen=True):
    """A player of a lineup (soccer)."""

    espn_id: str
    name: str
    jersey: str
    position: str
    is_starter: bool
    came_on: bool
    went_off: bool


class LineupRecord(Stored, frozen=True):
    """A side's lineup; ``formation`` is "4-3-3" or such."""

    side: str
    formation: str
    players: tuple[LineupPlayerRecord, ...]


class SideRecord(Stored, frozen=True):
    """A side as the summary's header has it. ``score`` is None before the start."""

    team_id: str
    score: int | None
    linescores: tuple[int | None, ...]


class SummaryRecord(Stored, frozen=True):
    """One summary, of one moment.

    ``state``, ``is_completed``, ``detail`` and the sides are the header's, which runs ahead of the
    plays while a game is live: never mix the two without saying so. ``scoring`` are the plays that
    scored, in order; ``groups`` all plays; ``weather`` is one line. ``errors`` has a line for each
    part that could not be read.
    """

    espn_id: str
    state: str
    is_completed: bool
    detail: str
    away: SideRecord
    home: SideRecord
    box: tuple[TeamBoxRecord, ...] = ()
    scoring: tuple[PlayRecord, ...] = ()
    groups: tuple[PlayGroupRecord, ...] = ()
    chances: tuple[ChanceRecord, ...] = ()
    officials: tuple[OfficialRecord, ...] = ()
    weather: str = ""
    attendance: int | None = None
    injuries: tuple[InjuryRecord, ...] = ()
    series: tuple[SeriesRecord, ...] = ()
    lineups: tuple[LineupRecord, ...] = ()
    errors: tuple[str, ...] = ()


def pack(summary: SummaryRecord) -> bytes:
    """A summary as it is stored: compressed JSON, a thirtieth of the feed's or less."""
    return zlib.compress(msgspec.json.encode(summary), LEVEL)


def unpack(document: bytes) -> SummaryRecord:
    """A summary that was stored with this VERSION."""
    return _decoder.decode(zlib.decompress(document))


_decoder = msgspec.json.Decoder(SummaryRecord)
