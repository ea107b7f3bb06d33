"""The type of what the feed sends."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]
