"""``python -m bench.feed``: the four scoreboards over HTTP, gzipped as the real feed sends them.

Prints its port and serves the same scoreboards for every day, until its standard input ends.
"""

from __future__ import annotations

import gzip
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.boards import four_boards
from sportsapp.core.leagues import BY_SLUG


class _Scoreboards(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: dict[str, bytes]

    def do_GET(self) -> None:
        body = self.answers[self.path.split("/")[6]]
        self.send_response(200)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main() -> None:
    """Serve until the parent closes our standard input."""
    boards = four_boards()
    _Scoreboards.answers = {
        BY_SLUG[slug].feed_slug: gzip.compress(body, 6) for slug, body in boards.items()
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Scoreboards)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
