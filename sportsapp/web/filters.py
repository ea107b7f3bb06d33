"""What templates call: filters, tests and functions, registered on the app."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain

from flask import Flask, g, request, url_for
from markupsafe import Markup

from sportsapp.core.clock import iso_utc
from sportsapp.db.queries import AnyTeam
from sportsapp.services import services
from sportsapp.web import box, browsers, labels, plays, spoilers, text
from sportsapp.web.page import code_version
from sportsapp.web.preferences import preferences

NO_COLOR = ("eef1f5", "14181f")
LONGEST_ADDRESS = 500
WIDEST = 3  # columns that a section takes beside others


def init_app(app: Flask) -> None:
    """Register filters, tests, functions and every page's variables."""
    app.jinja_env.filters.update(
        score_after=plays.score_after,
        play_words=plays.play_words,
        side_name=box.side_name,
        spans=spans,
        zip=zip,
        announcement=labels.announcement,
        chip=chip,
        clock=labels.clock,
        short_detail=labels.short_detail,
        unbroken=labels.unbroken,
        ending=labels.ending_label,
        full_time=labels.full_time,
        iso=iso_utc,
        leader_lines=box.leader_lines,
        long_day=labels.long_day,
        matchup=labels.matchup,
        month_name=labels.month_name,
        other_day=labels.other_day,
        part=labels.part_label,
        place=labels.place_label,
        period_label=labels.period_label,
        periods=labels.periods,
        red_cards=labels.red_cards_label,
        result=labels.result_label,
        reveal_address=spoilers.reveal_address,
        runners=labels.runners,
        sentence=labels.sentence,
        short_day=labels.short_day,
        short_name=labels.short_name,
        start=labels.start_of,
        short_state=labels.short_state,
        situation=labels.situation_label,
        state=labels.state_label,
        team_name=labels.team_name,
        timeouts=labels.timeouts_label,
        unknown_score=labels.unknown_score,
        why=box.why,
        winner=labels.winner_beyond_score,
        leaders_text=text.leaders,
        figures_text=text.figures,
        line_score=text.line_score,
        lineup_text=text.lineup,
        players_text=text.players,
        plays_text=text.play_lines,
        printable=text.on_a_line,
        score_lines=text.score_lines,
        timeline_text=text.timeline,
    )
    app.jinja_env.tests.update(hidden=spoilers.is_hidden, revealed=spoilers.is_revealed)
    app.jinja_env.globals.update(
        NEVER_PLAYED=spoilers.NEVER_PLAYED,
        asset=asset,
        current=current,
        here=here,
        preferences=preferences,
        push_key=browsers.key,
        share=share,
        week_label=labels.week_label,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(variables_of_every_page)


def variables_of_every_page() -> dict[str, object]:
    """The leagues of the menu, the visitor's preferences, and the ETag for the script."""
    etag = f'W/"{g.etag}"' if "etag" in g else ""
    return {
        "menu": services().leagues,
        "chosen": preferences(),
        "etag": etag,
    }


def asset(name: str) -> str:
    """A static file's address. It changes with the file, so that browsers may keep it for good."""
    return url_for("static", filename=name, v=code_version())


def current(path: str, *prefixes: str) -> Markup:
    """Marks a menu's link to this page, or to one that this page belongs to by its address."""
    if request.path == path:
        return Markup(' aria-current="page"')
    return Markup(' aria-current="true"') if request.path.startswith(prefixes) else Markup("")


def here() -> str:
    """This page's own path and query; the home page's for an address that is too long."""
    address = request.full_path.rstrip("?")
    return address if len(address) <= LONGEST_ADDRESS else "/"


def share(title: str, text: str, picture: str = "") -> Markup:
    """Canonical link, description and Open Graph for a page; ``picture`` is a full address."""
    tags = Markup(
        '<link rel="canonical" href="{url}">\n<meta name="description" content="{text}">\n'
        '<meta property="og:title" content="{title}">\n'
        '<meta property="og:type" content="website">\n'
        '<meta property="og:url" content="{url}">\n'
        '<meta property="og:description" content="{text}">'
    ).format(url=request.base_url, title=title, text=text)
    if not picture:
        return tags
    return tags + Markup(
        '\n<meta property="og:image" content="{picture}">\n'
        '<meta property="og:image:width" content="1200">\n'
        '<meta property="og:image:height" content="630">\n'
        '<meta property="og:image:alt" content="{text}">\n'
        '<meta name="twitter:card" content="summary_large_image">'
    ).format(picture=picture, text=text)


def chip(team: AnyTeam | None) -> str:
    """A team's colour, and black or white for readable text on it, as CSS variables."""
    return _chip_of(team.color if team else "")


@lru_cache(maxsize=1024)
def _chip_of(color: str) -> str:
    """A chip of this colour; its text is black or white, whichever has more contrast.

    The contrast is 4.5 to 1 at least, by the relative luminance that WCAG defines, 0 to 1.
    """
    background, text = NO_COLOR
    if color:
        parts = [int(color[n : n + 2], 16) / 255 for n in (0, 2, 4)]
        red, green, blue = (
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        )
        luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        background, text = color, "000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "fff"
    return f"--c:#{background};--i:#{text}"


def spans(counts: Iterable[int]) -> list[str]:
    """How many of four and of six columns each section takes, as CSS variables, by its cards.

    Sections of one card and more stand beside each other in their order. What a line has left is
    that section's which is alone on it or has cards for it.
    """
    known = list(counts)
    return [
        f"--four:{a};--six:{b}" for a, b in zip(_filled(known, 4), _filled(known, 6), strict=True)
    ]


def _filled(counts: Sequence[int], columns: int) -> list[int]:
    lines: list[list[int]] = [[]]
    for count in counts:
        wanted = min(max(count, 1), WIDEST)
        if sum(lines[-1]) + wanted > columns:
            lines.append([])
        lines[-1].append(wanted)
    for line in lines:
        if len(line) == 1 or WIDEST in line:
            line[line.index(max(line))] += columns - sum(line)
    return list(chain.from_iterable(lines))
