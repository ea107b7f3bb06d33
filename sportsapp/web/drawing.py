"""The picture of a game that chats and social sites show beside a link to its page.

It is drawn with a font of our own and opens no picture, so nothing that is sent can be decompressed
here. One is drawn at a time, and those drawn last are kept by what they show.
"""

import io
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from unicodedata import normalize

from PIL import Image, ImageDraw, ImageFont
from werkzeug.exceptions import ServiceUnavailable

FONT = Path(__file__).with_name("font") / "DejaVuSans-Bold-Latin.ttf"
WIDTH, HEIGHT, MARGIN = 1200, 630, 72
GROUND, INK, SOFT, MARK = "#0d1f3c", "#ffffff", "#aab6ca", "#ffb81c"
ROWS = (180, 330)
SMALLEST = 28
LONGEST = 80
MOST_KEPT = 64
"""Pictures in memory, of some 40 kB each."""
WAIT_SECONDS = 0.3

_drawing = threading.Lock()


@dataclass(frozen=True)
class Side:
    """A team's line: its name, its colour as ``#rrggbb``, its score or nothing, and if it lost."""

    name: str
    color: str
    score: str
    has_lost: bool


@dataclass(frozen=True)
class Scene:
    """All that a picture shows: equal ones are one picture."""

    heading: str
    sides: tuple[Side, Side]
    state: str
    is_live: bool


@lru_cache(maxsize=MOST_KEPT)
def picture_of(scene: Scene) -> bytes:
    """A PNG, 1200 x 630. Raises ServiceUnavailable when others are being drawn for too long."""
    if not _drawing.acquire(timeout=WAIT_SECONDS):
        raise ServiceUnavailable("Other pictures are being drawn.", retry_after=1)
    try:
        return _draw(scene)
    finally:
        _drawing.release()


def _draw(scene: Scene) -> bytes:
    image = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    draw = ImageDraw.Draw(image)
    room = WIDTH - 2 * MARGIN
    _write(draw, (MARGIN, 90), scene.heading, 40, room, fill=SOFT)
    for side, top in zip(scene.sides, ROWS, strict=True):
        middle, ink = top + 55, SOFT if side.has_lost else INK
        draw.rounded_rectangle((MARGIN, top, MARGIN + 24, top + 110), 6, side.color, "#888888")
        taken = _write(draw, (WIDTH - MARGIN, middle), side.score, 100, 260, anchor="rm", fill=ink)
        _write(draw, (MARGIN + 60, middle), side.name, 68, room - 100 - taken, fill=ink)
    _write(draw, (MARGIN, 530), scene.state, 48, 640, fill=MARK if scene.is_live else INK)
    _write(draw, (WIDTH - MARGIN, 534), "Sports Game Tracker", 28, 400, anchor="rm", fill=SOFT)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    size: int,
    room: float,
    *,
    fill: str,
    anchor: str = "lm",
) -> float:
    """Write a line as large as ``size`` and ``room`` allow, cut off where it must be; its width."""
    line = normalize("NFC", " ".join(text[:LONGEST].split()))
    while size > SMALLEST and _font(size).getlength(line) > room:
        size -= 4
    font = _font(size)
    if font.getlength(line) > room:
        while line and font.getlength(f"{line}…") > room:
            line = line[:-1]
        line += "…"
    draw.text(place, line, fill, font, anchor)
    return font.getlength(line)


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)
