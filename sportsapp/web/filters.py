"""What templates need: games in words, times in the visitor's zone, addresses of assets."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flask import Flask, request, url_for
from markupsafe import Markup

from sportsapp.core.clock import iso_utc
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.records import State, Status
from sportsapp.db.models import Game
from sportsapp.db.queries import AnyGame, AnyTeam
from sportsapp.web.games import team_name
from sportsapp.web.page import code_version
from sportsapp.web.preferences import preferences
from sportsapp.web.teams import ending, result_of

CALLED_OFF = (Status.POSTPONED, Status.CANCELLED, Status.SUSPENDED, Status.FORFEIT)
NEVER_PLAYED = (Status.POSTPONED, Status.CANCELLED)
SHOOTOUT_WORDS = frozenset({"SO", "SHOOTOUT", "PEN", "PENS", "PENALTIES"})
NO_COLOR = ("eef1f5", "14181f")
MOST_REVEALED = 30
LONGEST_ADDRESS = 500


def init_app(app: Flask) -> None:
    """Register filters and tests."""
    app.jinja_env.filters.update(
        iso=iso_utc,
        clock=clock,
        full_time=full_time,
        long_day=long_day,
        short_day=short_day,
        state_words=state_words,
        situation=situation_words,
        spoken=spoken,
        periods=periods,
        period_label=period_label,
        team_name=team_name,
        side_name=side_name,
        short_name=short_name,
        chip=chip,
        result_of=result_of,
        ending=ending,
        reveal_address=reveal_address,
    )
    app.jinja_env.globals.update(
        asset=asset, current=current, here=here, share=share, NEVER_PLAYED=NEVER_PLAYED
    )
    app.jinja_env.tests.update(hidden=is_hidden, told=is_told)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


# ---------------------------------------------------------------- addresses


def asset(name: str) -> str:
    """A static file's address; it changes with the file, so browsers may keep it for good."""
    return url_for("static", filename=name, v=code_version())


def current(path: str, *beginnings: str) -> Markup:
    """Marks a menu's link that leads to this very page, or to what this page is a part of."""
    if request.path == path:
        return Markup(' aria-current="page"')
    return Markup(' aria-current="true"') if request.path.startswith(beginnings) else Markup("")


def here() -> str:
    """This page's own path and query; the home page's for an address that is too long."""
    address = request.full_path.rstrip("?")
    return address if len(address) <= LONGEST_ADDRESS else "/"


def share(title: str, text: str) -> Markup:
    """Canonical link and text-only Open Graph for a page."""
    return Markup(
        '<link rel="canonical" href="{url}">\n<meta name="description" content="{text}">\n'
        '<meta property="og:title" content="{title}">\n'
        '<meta property="og:type" content="website">\n'
        '<meta property="og:url" content="{url}">\n'
        '<meta property="og:description" content="{text}">'
    ).format(url=request.base_url, title=title, text=text)


# ---------------------------------------------------------------- times, in the visitor's zone


def clock(moment: datetime) -> str:
    """``7:30 PM``."""
    return moment.astimezone(preferences().tzinfo).strftime("%I:%M %p").lstrip("0")


def full_time(moment: datetime) -> str:
    """``Sun, Sep 11, 1:00 PM EDT``."""
    local = moment.astimezone(preferences().tzinfo)
    return f"{local:%a, %b} {local.day}, {clock(moment)} {local:%Z}"


def long_day(day: date) -> str:
    """``Sunday, September 11, 2022``."""
    return f"{day:%A, %B} {day.day}, {day.year}"


def short_day(day: date) -> str:
    """``Sun, Sep 11``."""
    return f"{day:%a, %b} {day.day}"


# ---------------------------------------------------------------- how a game stands


def is_told(game: AnyGame) -> bool:
    """Whether this visitor may see what tells results: all do who do not hide scores."""
    return not preferences().hides_scores or game.espn_id in _revealed()


def is_hidden(game: AnyGame) -> bool:
    """Whether there is something to see of this game that the visitor has not asked for."""
    is_bare = game.state == State.PRE or game.status in NEVER_PLAYED
    return not is_bare and not is_told(game)


def reveal_address(game: AnyGame) -> str:
    """This page with this game's score shown, beside those that are shown already."""
    names = [*_revealed(), game.espn_id][-MOST_REVEALED:]
    return f"?reveal={'.'.join(names)}#{game.league.slug}{game.espn_id}"


def _revealed() -> list[str]:
    names = request.args.get("reveal", "").split(".")
    return [name for name in names if name.isalnum()][:MOST_REVEALED]


def state_words(game: AnyGame) -> str:
    """How a game stands, in the feed's own words where it has begun."""
    if game.state == State.PRE and game.status == Status.SCHEDULED:
        return clock(game.start_at) if game.time_set else "Time not set"
    if is_hidden(game):
        return _bare_words(game)
    if game.status in CALLED_OFF and game.status[:6] not in game.detail.lower():  # one l or two
        return ", ".join(part for part in (game.status.capitalize(), game.detail) if part)
    return game.detail or game.status.capitalize()


def _bare_words(game: AnyGame) -> str:
    """How a game stands without its period: extra ones tell that it was close."""
    if game.status in CALLED_OFF:
        return game.status.capitalize()
    return "Live" if game.state == State.IN else "Final"


def situation_words(game: Game) -> str:
    """What is going on in a live game: down and distance, or outs, count and runners."""
    now = game.situation
    if not now or game.state != State.IN:
        return ""
    words = [now.get("down_distance", "")]
    if "outs" in now:
        words.append(f"{now['outs']} out")
    if "balls" in now and "strikes" in now:
        words.append(f"count {now['balls']}-{now['strikes']}")
    if "bases" in now:
        words.append(_runners(now["bases"]))
    if now.get("red_zone"):
        words.append("red zone")
    return ", ".join(word for word in words if word)


def _runners(bases: list[int]) -> str:
    names = {1: "1st", 2: "2nd", 3: "3rd"}
    if not bases:
        return "bases empty"
    if len(bases) == 3:
        return "bases loaded"
    return f"runner{'s' if len(bases) > 1 else ''} on {' and '.join(names[b] for b in bases)}"


def spoken(game: AnyGame) -> str:
    """What a listener should hear when it changes: score and state, not the clock."""
    if game.state == State.PRE or is_hidden(game):
        return ""
    status = {State.IN: "live", State.POST: "final"}.get(State(game.state), game.status)
    if game.status not in (Status.LIVE, Status.FINAL):
        status = game.status
    sides = ((game.away_team, game.away_score), (game.home_team, game.home_score))
    scores = ", ".join(f"{short_name(team)} {score}" for team, score in sides if score is not None)
    return f"{scores}, {status}" if scores else ""


# ---------------------------------------------------------------- the line score


def periods(game: Game) -> range:
    """The periods a line score shows: all of regulation, and more as they are played."""
    played = max(len(game.home_linescores), len(game.away_linescores))
    return range(1, max(BY_SLUG[game.league.slug].periods, played) + 1)


def period_label(game: Game, period: int) -> str:
    """The heading of a period: its number, OT, 2OT, or SO where the game ended in one."""
    league = BY_SLUG[game.league.slug]
    if period <= league.periods or not league.overtime_name:
        return str(period)
    extra = period - league.periods
    if extra > league.overtimes and _went_to_shootout(game):
        return league.shootout_name
    return league.overtime_name if extra == 1 else f"{extra}{league.overtime_name}"


def _went_to_shootout(game: Any) -> bool:
    words = re.split("[^A-Z]+", game.detail.upper())
    return not SHOOTOUT_WORDS.isdisjoint(words)


# ---------------------------------------------------------------- teams


def side_name(game: AnyGame) -> str:
    """``Beta at Alpha``; ``vs`` on neutral ground."""
    word = "vs" if game.neutral_site else "at"
    return f"{team_name(game.away_team)} {word} {team_name(game.home_team)}"


def short_name(team: AnyTeam | None) -> str:
    """A side's name without its city; TBD while nobody knows who it will be."""
    return team.short_name if team else "TBD"


def chip(team: AnyTeam | None) -> str:
    """A team's colour and the text colour that can be read on it, as CSS."""
    return _paint(team.color if team else "")


@lru_cache(maxsize=1024)
def _paint(color: str) -> str:
    background, ink = (color, _ink_on(color)) if color else NO_COLOR
    return f"--c:#{background};--i:#{ink}"


def _ink_on(color: str) -> str:
    """Black or white, whichever has more contrast on this colour (always 4.5 to 1 at least)."""
    luminance = _luminance(color)
    return "000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "fff"


def _luminance(color: str) -> float:
    """Relative luminance as WCAG defines it, 0 to 1."""
    parts = [int(color[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
