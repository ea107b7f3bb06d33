"""Text of strangers (visitors, the feed, a library's error) for a log or a terminal.

Whatever is not a printable character is written as an escape such as ``\\n``: a line end would
begin a line that looks like ours, and an escape sequence would steer the reader's terminal.
"""


def printable(text: str) -> str:
    """The text as one line: control, format and separator characters are written as escapes.

    Line ends (U+0085, U+2028 and U+2029 too), bidi controls and lone surrogates are among them.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def printable_lines(text: str) -> list[str]:
    """The lines of a traceback, or of another text, each printable and behind ``| ``.

    The mark keeps them apart from log lines, whatever an exception's text contains.
    """
    return [f"| {printable(line)}" for line in text.rstrip("\n").split("\n")]
