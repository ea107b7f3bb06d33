"""The floor of our pages: the same bytes and headers, constant, from the same web server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_page = json.loads(Path(os.environ["BENCH_PAGE"]).read_text())
BODY = bytes.fromhex(_page["body"])
HEADERS = [*_page["headers"].items(), ("content-length", str(len(BODY)))]
UNCHANGED = [pair for pair in HEADERS if not pair[0].startswith("content-")]


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer anything with the page, and a conditional request with 304."""
    if "HTTP_IF_NONE_MATCH" in environ:
        start_response("304 NOT MODIFIED", UNCHANGED)
        return [b""]
    start_response("200 OK", HEADERS)
    return [BODY]
