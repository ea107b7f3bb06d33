"""One player: the lines of a season from the stored box scores, and how many of these there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.db.queries import AnyTeam, StoredLine
from sportsapp.web.box import column_order, words_of
from sportsapp.web.labels import OVER, part_label, season_label
from sportsapp.web.lookup import league_or_404, player_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.spoilers import is_revealed
from sportsapp.web.sums import Sum, sum_of

blueprint = Blueprint("players", __name__)


class LineTable(NamedTuple):
    """A player's lines in the tables of one name. A column is its label and meaning.

    ``counted`` are the games that ``sums`` are of; there are none while a score is hidden.
    """

    title: str
    columns: list[tuple[str, str]]
    rows: list[tuple[StoredLine, list[str]]]
    counted: int
    sums: list[Sum]


@blueprint.get("/<league_name>/players/<espn_id>")
def player(league_name: str, espn_id: str) -> ResponseReturnValue:
    """One player: teams, and by part of the season the tables of his lines, newest game first.

    Games of which the feed gives no season are shown only while there is none of a known one.
    """
    league = league_or_404(league_name)
    if league_name != league.slug:
        target = url_for("players.player", league_name=league.slug, espn_id=espn_id)
        return redirect(target, 301)
    player = player_or_404(league, espn_id)
    years = queries.seasons_of_player(db.session, league.slug, espn_id)
    season = season_or_404(years)

    def render(fresh: Freshness) -> str:
        lines = queries.lines_of_player(db.session, league.slug, espn_id, season)
        teams = teams_of(lines)
        parts: dict[str, list[StoredLine]] = {}
        for line in lines:
            parts.setdefault(part_label(line.game), []).append(line)
        return render_template(
            "player.html",
            league=league,
            player=player,
            fresh=fresh.watching([line.game for line in lines]),
            season=season,
            years={year: season_label(player.league_row, year) for year in years},
            known=[
                (team, *queries.box_scores_of_team(db.session, team, season))
                for team in teams.values()
            ],
            parts={part: tables_of(of_part, league.sport) for part, of_part in parts.items()},
            teams=teams,
            side_of=side_of,
            is_counted=is_counted,
        )

    return answer([league.slug], render)


def season_or_404(years: Sequence[int]) -> int | None:
    """The season that this address asks for, else the newest; None without any."""
    chosen = request.args.get("season", "")
    if not chosen:
        return years[0] if years else None
    if chosen not in map(str, years):
        abort(404, f"No box score of a season {chosen[:10]!r} has this player.")
    return int(chosen)


def side_of(line: StoredLine) -> AnyTeam | None:
    """The team for which the player was in that game, by its name of then."""
    return line.game.home_team if line.side == "home" else line.game.away_team


def is_counted(line: StoredLine) -> bool:
    """Whether a line has the figures of a whole game, and not those of a moment in it."""
    return line.is_current and line.game.status in OVER


def teams_of(lines: Sequence[StoredLine]) -> dict[str, Team]:
    """The teams for which the player was in these games, by the feed's id, the last one first."""
    names = [f"{line.game.league.slug}-{side.espn_id}" for line in lines if (side := side_of(line))]
    found = queries.teams_named(db.session, list(dict.fromkeys(names)))
    return {team.espn_id: team for team in found}


def tables_of(lines: Sequence[StoredLine], sport: str) -> list[LineTable]:
    """The tables of these lines in the order of the lines, the important columns first."""
    by_name: dict[str, list[StoredLine]] = {}
    for line in lines:
        by_name.setdefault(line.table, []).append(line)
    return [_table(name, of_table, sport) for name, of_table in by_name.items()]


def _table(name: str, lines: Sequence[StoredLine], sport: str) -> LineTable:
    labels = dict(column for line in lines for column in _columns(line))
    keys = [list(labels)[place] for place in column_order(name, list(labels), sport)]
    rows = [(line, _texts(line)) for line in lines]
    counted = [texts for line, texts in rows if texts and is_counted(line)]
    is_shown = all(is_revealed(line.game) for line in lines)
    return LineTable(
        words_of(name) or "Figures",
        [(labels[key], words_of(key)) for key in keys],
        [(line, [texts.get(key, "") for key in keys]) for line, texts in rows],
        len(counted) if is_shown else 0,
        [sum_of(key, [texts.get(key, "") for texts in counted]) for key in keys],
    )


def _texts(line: StoredLine) -> dict[str, str]:
    keys = (key for key, _ in _columns(line))
    return dict(zip(keys, line.stats, strict=False))


def _columns(line: StoredLine) -> list[tuple[str, str]]:
    """Key and label of each column; where the feed has no key, the label is one."""
    pairs = zip_longest(line.keys, line.labels, fillvalue="")
    return [(key or label, label) for key, label in pairs if label]
