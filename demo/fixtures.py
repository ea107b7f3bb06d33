"""A planned game, its id, and the times of day it can start at."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from demo.leagues import LEAGUES, DemoLeague
from demo.teams import DemoTeam

EASTERN = ZoneInfo("America/New_York")
PACIFIC = ZoneInfo("America/Los_Angeles")
PRESEASON, REGULAR, POSTSEASON, OFFSEASON = 1, 2, 3, 4
FIRST_ID = 401_000_000
IDS_A_SEASON = 12_000
IDS_A_LEAGUE = 3_000
YEARS = range(1950, 2151)
NEWS = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Round:
    """A playoff round: ESPN's type of the competition, its title, and how many games at most."""

    id: str
    abbreviation: str
    title: str
    best_of: int


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """One planned game, known by its identity.

    `start` is UTC; `day` is the Eastern date that the feed files the game under.
    `fate` is played, postponed or cancelled. `wins` are the series' wins of (home, away) before
    this game. Times say what the feed knows: the note from `note_from`, the teams from
    `known_from` (TBD until then), the start and the need for the game from `sure_from`; the game
    is listed from `shown_from` until `shown_until`.
    """

    league: DemoLeague
    season: int
    kind: int
    index: int
    day: date
    start: datetime
    home: DemoTeam
    away: DemoTeam
    week: int = 0
    round: Round | None = None
    number: int = 0
    wins: tuple[int, int] = (0, 0)
    note: str = ""
    note_from: datetime | None = None
    fate: str = "played"
    covers: bool = False
    host: DemoTeam | None = None
    known_from: datetime | None = None
    shown_from: datetime | None = None
    shown_until: datetime | None = None
    sure_from: datetime | None = None

    @property
    def id(self) -> str:
        season = (self.season - 2000) * IDS_A_SEASON
        return str(FIRST_ID + season + self.league.offset + self.index)

    @property
    def called_off_at(self) -> datetime:
        """When a postponement or cancellation becomes known: three hours before the start."""
        return self.start - NEWS

    def shown(self, now: datetime) -> bool:
        return not (
            (self.shown_from and now < self.shown_from)
            or (self.shown_until and now >= self.shown_until)
        )


def season_of_id(event_id: str) -> tuple[DemoLeague, int] | None:
    """Return the league and season that an event id belongs to, or None when it is none of ours."""
    if not event_id.isdecimal() or len(event_id) > 9:
        return None
    for league in LEAGUES.values():
        season, index = divmod(int(event_id) - FIRST_ID - league.offset, IDS_A_SEASON)
        if index < IDS_A_LEAGUE and season + 2000 in YEARS:
            return league, season + 2000
    return None


def eastern(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the UTC time at which clocks in New York show this hour on this day."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=EASTERN)
    return local.astimezone(UTC)


def pacific_midnight(day: date) -> datetime:
    """Return the UTC time of midnight in Los Angeles: how the feed's calendars mark a day."""
    local = datetime(day.year, day.month, day.day, tzinfo=PACIFIC)
    return local.astimezone(UTC)


def eastern_day(when: datetime) -> date:
    """Return the date in New York at this time."""
    return when.astimezone(EASTERN).date()


def weekday_on_or_after(day: date, weekday: int) -> date:
    """Return the first such weekday (0 is Monday) from this day on."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)
