"""Pages as plain text for terminals: ``home.txt`` beside ``home.html``, with the same variables."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from flask import render_template, request

from sportsapp.core.printable import printable
from sportsapp.core.records import State
from sportsapp.core.summary import LineupPlayerRecord, PlayerLineRecord, PlayRecord
from sportsapp.db.models import Game
from sportsapp.db.queries import AnyGame
from sportsapp.http.representations import asks_for_text
from sportsapp.web import box, labels, plays
from sportsapp.web.spoilers import is_hidden, is_revealed
from sportsapp.web.timeline import Entry

GAP = "  "
BOLD, LIVE = "\x1b[1m", "\x1b[1;32m"
PLAIN = "\x1b[0m"


class Cell(NamedTuple):
    """A part of a line; ``style`` begins its colour, which a reader has to ask for."""

    text: str
    style: str = ""
    is_number: bool = False


def is_wanted() -> bool:
    """Whether the visitor asks for text."""
    return asks_for_text(request.environ)


def render_page(page: str, /, **values: object) -> str:
    """The page for the visitor: of ``home``, ``home.txt`` in a terminal."""
    return render_template(f"{page}.{'txt' if is_wanted() else 'html'}", **values)


def score_lines(games: Iterable[AnyGame]) -> str:
    """One line for each game: teams, score, state, and what else is known, in columns."""
    return columns([_game_cells(game) for game in games])


def line_score(game: Game) -> str:
    """The score by quarter, inning or period; hits and errors in baseball."""
    periods = labels.periods(game)
    heads = [labels.period_label(game, period) for period in periods]
    is_baseball = game.league.sport == "baseball"
    heads += ["R", "H", "E"] if is_baseball else ["Total"]
    rows = [[Cell("")] + [Cell(head, is_number=True) for head in heads]]
    away = game.away_linescores, game.away_score, game.away_hits, game.away_errors
    home = game.home_linescores, game.home_score, game.home_hits, game.home_errors
    for team, (scores, *totals) in ((game.away_team, away), (game.home_team, home)):
        values = [scores[n - 1] if n <= len(scores) else None for n in periods]
        values += totals if is_baseball else totals[:1]
        rows.append([Cell(labels.short_name(team)), *(_number(value) for value in values)])
    return columns(rows)


def leaders(game: Game) -> str:
    """Category, name and figures of each leader."""
    rows = []
    for categories, name, side, figures in box.leader_lines(game):
        team = game.home_team if side == "home" else game.away_team if side else None
        who = f"{name} ({team.abbreviation})" if team else name
        rows.append([Cell(categories), Cell(who), Cell(figures)])
    return columns(rows)


def timeline(entries: Iterable[Entry]) -> str:
    """When, what, and the score after it."""
    rows = []
    for text, last in entries:
        scores = _number(last.away_score), _number(last.home_score)
        rows.append(
            [Cell(labels.short_detail(last.detail)), *scores, Cell(text[:1].upper() + text[1:])]
        )
    return columns(rows)


def players(table: box.PlayerTable) -> str:
    """A table of a box score, and below it the players without figures."""
    rows = [[Cell("Player"), *(Cell(label, is_number=True) for label, _ in table.columns)]]
    for line, texts in table.rows:
        if line.stats:
            rows.append([Cell(_who(line)), *_figures(texts), Cell(box.why(line))])
    if table.totals:
        rows.append([Cell("Team"), *_figures(table.totals)])
    others = [line for line, _ in table.rows if not line.stats]
    return columns(rows) + columns([[Cell(_who(line)), Cell(box.why(line))] for line in others])


def figures(rows: Iterable[tuple[str, str, str]], game: Game) -> str:
    """What both teams did: what it is, the away and the home side's figure."""
    teams = [team.abbreviation if team else "TBD" for team in (game.away_team, game.home_team)]
    return columns(
        [[Cell(label), *_figures(values)] for label, *values in [("Figure", *teams), *rows]]
    )


def lineup(listed: Iterable[LineupPlayerRecord]) -> str:
    """Number, name and position of each player, and whether he came on or went off."""
    rows = []
    for player in listed:
        moves = "came on" if player.came_on else "", "went off" if player.went_off else ""
        number = Cell(player.jersey, is_number=True)
        rows.append([number, Cell(_who(player)), Cell(", ".join(filter(None, moves)))])
    return columns(rows)


def play_lines(shown: Iterable[PlayRecord], game: Game) -> str:
    """When, the score after it where somebody scored, and what."""
    return columns(
        [
            [
                Cell(play.clock, is_number=True),
                Cell(plays.score_after(game, play)),
                Cell(plays.play_words(play), BOLD if play.is_scoring else ""),
            ]
            for play in shown
        ]
    )


def on_a_line(text: str) -> str:
    """The feed's text, or a sentence of ours that a browser may not break, as part of a line."""
    return printable(text.replace("\u00a0", " "))


def columns(rows: Sequence[Sequence[Cell]]) -> str:
    """The rows as lines of text, each column as wide as its longest cell; numbers to the right.

    A column without any text is left out.
    The feed's texts cannot steer a terminal: what does not print is written as an escape.
    """
    rows = [
        [Cell(on_a_line(text), style, is_number) for text, style, is_number in row] for row in rows
    ]
    widths = [
        max(len(cell.text) for cell in column) for column in zip_longest(*rows, fillvalue=Cell(""))
    ]
    has_colour = request.args.get("color") == "1"
    lines = (
        GAP.join(
            _styled(cell, width, has_colour)
            for cell, width in zip(row, widths, strict=False)
            if width
        )
        for row in rows
    )
    return "".join(f"{GAP}{line.rstrip()}\n" for line in lines)


def _styled(cell: Cell, width: int, has_colour: bool) -> str:
    text = cell.text.rjust(width) if cell.is_number else cell.text.ljust(width)
    return f"{cell.style}{text}{PLAIN}" if cell.style and has_colour else text


def _who(player: PlayerLineRecord | LineupPlayerRecord) -> str:
    return ", ".join(filter(None, (player.name, player.position)))


def _figures(texts: Iterable[str]) -> list[Cell]:
    return [Cell(text, is_number=True) for text in texts]


def _number(value: int | None) -> Cell:
    return Cell("" if value is None else str(value), is_number=True)


def _game_cells(game: AnyGame) -> list[Cell]:
    """Away team and score, home team and score, state, the rest."""
    hides = is_hidden(game)
    day = labels.other_day(game)
    state = labels.short_state(game)
    winner = "" if hides else labels.winner_beyond_score(game)
    rest = [
        f"{winner} won" if winner else "",
        "" if hides else labels.situation_label(game),
        labels.red_cards_label(game),
        game.broadcast if game.state != State.POST else "",
        game.note,
        game.series if is_revealed(game) else "",
    ]
    return [
        Cell(labels.short_name(game.away_team), _weight(game.away_winner, hides)),
        _number(None if hides else game.away_score),
        Cell("vs" if game.neutral_site else "at"),
        Cell(labels.short_name(game.home_team), _weight(game.home_winner, hides)),
        _number(None if hides else game.home_score),
        Cell(f"{day}, {state}" if day else state, LIVE if game.state == State.IN else ""),
        Cell(", ".join(text for text in rest if text)),
    ]


def _weight(has_won: bool | None, hides: bool) -> str:
    return BOLD if has_won and not hides else ""
