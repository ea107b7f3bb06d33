"""The demo feed on a socket: for `python -m demo`, and for tests that need one."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JOIN_SECONDS = 5
POLL_SECONDS = 0.02


class QuietHandler(WSGIRequestHandler):
    """Speaks HTTP/1.1 as ESPN does, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def connection_dropped(
        self,
        error: BaseException,  # noqa: ARG002  werkzeug's signature
        environ: "WSGIEnvironment | None" = None,  # noqa: ARG002
    ) -> None:
        """Close the connection at once: this is how a fault that hangs up ends its answer."""
        self.close_connection = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: a feed that is polled all day would fill the terminal."""


def open_server(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """Return a threaded server that listens already; raises OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=128) as listener:
        real_port = listener.getsockname()[1]
        return make_server(
            host, real_port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
        )


def address_of(server: BaseWSGIServer) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"http://{host}:{server.port}"


@contextmanager
def running_feed(app: Flask, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the feed from a thread for the length of a `with`; gives its address."""
    server = open_server(app, host, port)
    thread = Thread(
        target=server.serve_forever, args=(POLL_SECONDS,), name="demo feed", daemon=True
    )
    thread.start()
    try:
        yield address_of(server)
    finally:
        app.extensions["demo"].mend()
        server.shutdown()
        server.server_close()
        thread.join(JOIN_SECONDS)
