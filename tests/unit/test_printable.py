"""Text of strangers becomes one line of printable characters, and stays readable."""

from __future__ import annotations

import sys

import pytest

from sportsapp.core.printable import printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Montréal 2 : 1 Zürich", "Montréal 2 : 1 Zürich"),
        ("a\nb\r\nc\td", r"a\nb\r\nc\td"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\x85b\u2028c\u2029d\x0be\x0cf", r"a\x85b\u2028c\u2029d\x0be\x0cf"),
        ("gpj.\u202eexe\u2066x\u200f", r"gpj.\u202eexe\u2066x\u200f"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("half a \ud83d pair", r"half a \ud83d pair"),
        (r"C:\new", r"C:\new"),
    ],
)
def test_what_is_not_printable_is_an_escape(text, shown):
    assert printable(text) == shown


def test_no_character_begins_a_line_or_steers_a_terminal():
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    shown = printable(everything)
    assert shown.isprintable()
    assert len(shown.splitlines()) == 1
    shown.encode()  # it can be written to a file in UTF-8


def test_lines_of_a_traceback_keep_their_ends_behind_a_mark():
    text = 'Traceback:\n  File "x"\nValueError: a\n2026 INFO b\u2028c\n'
    assert printable_lines(text) == [
        "| Traceback:",
        '|   File "x"',
        "| ValueError: a",
        r"| 2026 INFO b\u2028c",
    ]
