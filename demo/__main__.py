"""`python -m demo`: serve the demo feed until told to stop."""

import argparse
import errno
import os
import signal
import sys
from types import FrameType

from demo.app import create_demo_feed
from demo.changes import CHANGES, IN_FORCE
from demo.server import address_of, open_server


def main(arguments: list[str] | None = None) -> int:
    """Serve the feed; returns the exit status: 0 after a signal, 1 when it cannot listen."""
    options = read_options(arguments)
    app = create_demo_feed(options.speed, changes=IN_FORCE | set(options.change))
    try:
        server = open_server(app, options.host, options.port)
    except (OSError, OverflowError) as error:
        place = f"{options.host}:{options.port}"
        print(f"demo feed: cannot listen on {place}: {reason_of(error)}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with server:
        print(f"demo feed on {address_of(server)}", file=sys.stderr, flush=True)
        server.serve_forever()
    return 0


def reason_of(error: Exception) -> str:
    """Return what is wrong in a few words, and what helps when the port is taken."""
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return "the port is taken; choose another with --port, or 0 for any"
    return os.strerror(number) if number and number > 0 else str(error)


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="A feed that behaves like ESPN's."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5060, help="0 picks a free one")
    parser.add_argument(
        "--speed", type=positive, default=1.0, help="how many times faster games run"
    )
    parser.add_argument(
        "--change",
        action="append",
        default=[],
        choices=list(CHANGES),
        help="what the feed changed in 2026, to be in force; may be repeated",
    )
    return parser.parse_args(arguments)


def positive(text: str) -> float:
    speed = float(text)
    if not 0 < speed < float("inf"):
        raise ValueError(text)
    return speed


def stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
