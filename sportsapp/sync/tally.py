"""What a sync did to each league: one line in the log for each, "NFL: 16 games read, 2 changed"."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sportsapp.core.clock import iso_utc

logger = logging.getLogger(__name__)


@dataclass
class Tally:
    """Counts by league, under its label, and which leagues are read again after they had failed.

    ``counts`` has for each kind of rows (games, teams) how many were read and how many changed.
    ``well`` has since when a league had failed.
    """

    counts: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    well: dict[str, datetime] = field(default_factory=dict)

    def add(self, league: str, kind: str, read: int, changed: int = 0) -> None:
        """Count rows of a league."""
        count = self.counts.setdefault(league, {}).setdefault(kind, [0, 0])
        count[0] += read
        count[1] += changed

    def note_poll(self, row: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Note whether these values, which were committed, ended a failure of the league's row."""
        if row["failing_since"] and not values.get("failing_since", row["failing_since"]):
            self.well[row["slug"].upper()] = row["failing_since"]

    def log(self, *, is_quiet: bool, part: str = "") -> None:
        """Log a line for each league, and begin anew.

        A sync that ``is_quiet`` logs nothing of a league of which nothing has changed. ``part`` is
        what of the league was read, such as a day.
        """
        for league, kinds in self.counts.items():
            if is_quiet and not any(changed for _, changed in kinds.values()):
                continue
            texts = (
                f"{read:,} {kind.removesuffix('s') if read == 1 else kind} read, {new:,} changed"
                for kind, (read, new) in kinds.items()
            )
            logger.info("%s: %s", f"{league} {part}".rstrip(), "; ".join(texts))
        for league, since in self.well.items():
            logger.warning("%s is well again: it had failed since %s", league, iso_utc(since))
        self.counts.clear()
        self.well.clear()
