"""A coverage-guided search for an answer that breaks the parser: ``make fuzz``.

Atheris records which branches an input reaches, and mutates the inputs that reach new ones. It
starts with answers of the feed: our samples, and recorded ones if they are beside the project. A
crash is an exception other than PayloadError, or a record that the database could not store.

    python -m tests.fuzz_parse FOLDER -max_total_time=600

FOLDER gets new inputs, counts in ``figures.json``, and the inputs that broke the parser as
``crash-*``.
"""

from __future__ import annotations

import json
import random
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(
    include=["sportsapp.feed", "sportsapp.core.clock", "sportsapp.core.records"]
):
    from sportsapp.core.errors import PayloadError
    from sportsapp.core.leagues import BY_SLUG
    from sportsapp.feed import parse

from tests.answers import SAMPLE_NAMES, sample
from tests.conftest import RECORDED
from tests.unit.test_parse_mutations import (
    HOSTILE,
    assert_storable,
    places,
    recorded_documents,
    with_value,
    without,
)

KINDS = ("scoreboard", "teams", "roster", "standings", "calendar")
SLUGS = tuple(BY_SLUG)
WRITE_EVERY = 5_000  # runs; libFuzzer ends the process itself, so nothing can be written then
SEED_BYTES = 30_000
SUMMARY = {"runs": 0, "read": 0, "refused": 0, "games": 0, "left out": 0}


def read(kind: str, slug: str, body: bytes) -> Any:
    """The parser's result for a body."""
    if kind == "roster":
        return parse.parse_roster(body)
    if kind == "calendar":
        return parse.parse_calendar(body)
    readers = {
        "scoreboard": parse.parse_scoreboard,
        "teams": parse.parse_teams,
        "standings": parse.parse_standings,
    }
    return readers[kind](body, BY_SLUG[slug])


def try_one(data: bytes) -> None:
    """Parse one input; its first byte selects the kind of answer and the league."""
    if len(data) < 2:
        return
    kind, slug = KINDS[data[0] % len(KINDS)], SLUGS[data[0] // len(KINDS) % len(SLUGS)]
    SUMMARY["runs"] += 1
    if SUMMARY["runs"] % WRITE_EVERY == 0:
        (Path(sys.argv[1]) / "figures.json").write_text(json.dumps(SUMMARY))
    try:
        record = read(kind, slug, data[1:])
    except PayloadError:
        SUMMARY["refused"] += 1
        return
    SUMMARY["read"] += 1
    if kind == "scoreboard":
        SUMMARY["games"] += len(record.games)
        SUMMARY["left out"] += len(record.errors)
    if kind != "calendar":
        assert_storable(record)


def change(data: bytes, max_size: int, seed: int) -> bytes:
    """Mutate an input: half of the time as JSON, so that it stays valid, else its bytes."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    if data and chance.random() < 0.5:
        with suppress(ValueError, RecursionError):
            document = json.loads(data[1:])
            path = chance.choice(list(places(document)))
            if chance.random() < 0.3:
                document = without(document, path)
            else:
                document = with_value(document, path, chance.choice(HOSTILE))
            return (data[:1] + json.dumps(document).encode())[:max_size]
    changed: bytes = atheris.Mutate(data, max_size)
    return changed


def seeds(folder: Path) -> None:
    """Write the inputs to start with; scoreboards are split into one event each."""
    answers = []
    for name in SAMPLE_NAMES:
        document = sample(name)
        for event in document.get("events", [None]):
            part = document if event is None else document | {"events": [event]}
            answers.append((name, part))
    answers += recorded_documents(RECORDED) if RECORDED.is_dir() else []
    for n, (name, document) in enumerate(answers):
        slug, kind = name.split("-")[:2]
        first = KINDS.index(kind) + len(KINDS) * SLUGS.index(slug)
        body = json.dumps(document, separators=(",", ":")).encode()
        if len(body) < SEED_BYTES:
            (folder / f"seed-{n:03}").write_bytes(bytes([first]) + body)
            if kind == "scoreboard":
                (folder / f"seed-{n:03}c").write_bytes(
                    bytes([first - first % len(KINDS) + 4]) + body
                )


def main() -> None:
    """Search until libFuzzer's limits are reached."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    seeds(folder)
    options = [f"-artifact_prefix={folder}/", f"-max_len={SEED_BYTES}", "-timeout=10"]
    atheris.Setup([sys.argv[0], *options, *sys.argv[1:]], try_one, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
