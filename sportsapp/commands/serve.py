"""`flask serve`: the web server, by hand or as a part of `flask up`.

Waitress reads a request whole before a thread gets it, and sends what a visitor has not taken yet
when the thread has ended: no thread waits for a visitor. Connections with unfinished requests are
closed here, so that they do not use up what there is (docs/decisions/web-server.md).
"""

import logging
import resource
import signal
import socket
import time
from collections.abc import Iterable
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import click
from flask.cli import ScriptInfo, pass_script_info
from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import (
    HTTPRequestParser,
    ParsingError,
    TransferEncodingNotImplemented,
)
from waitress.task import WSGITask

from sportsapp.commands.shell import bind, fail, make_instance
from sportsapp.core.errors import SettingsError
from sportsapp.http.threads import WEB_THREADS
from sportsapp.services import services_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CONNECTIONS = 4000
OTHER_DESCRIPTORS = 256
REQUEST_SECONDS = 10
"""In which a request has to be whole; the first one on a connection from its beginning."""
ANSWER_SECONDS = 30
"""In which a visitor has to take an answer."""
IDLE_SECONDS = 130
"""For which a connection waits for its next request: longer than in nginx (60 s) and Caddy (120 s).
Only they know whether a request is on its way, so they are the ones who close."""
STOP_SECONDS = 5
"""In which the requests that are there are answered after a stop signal."""
OPTIONS = {
    "threads": WEB_THREADS,
    "asyncore_use_poll": True,  # select() fails from 1,024 descriptors on
    "backlog": 4096,
    "inbuf_overflow": 16 * 1024,  # of a body in memory: the rest is in a temporary file
    "max_request_header_size": 32 * 1024,
    "clear_untrusted_proxy_headers": False,  # TRUSTED_PROXIES decides
}
log = logging.getLogger("sportsapp.web")


@click.command("serve")
@click.option("--host", help="Listen on this address, not on HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="Listen on this port, not on PORT.")
@pass_script_info
def serve_command(info: ScriptInfo, host: str | None, port: int | None) -> None:
    """Start the web server alone. Ctrl-C stops it."""
    app = info.load_app()
    settings, queue = services_of(app).settings, services_of(app).queues[0]
    with app.app_context():
        make_instance()
    queue.exit_if_foreign()
    try:
        listener = bind(host or settings.host, port or settings.port)
    except SettingsError as error:
        fail(str(error))
    serve(app, listener, app.config["MAX_CONTENT_LENGTH"])


def serve(app: "WSGIApplication", listener: socket.socket, body_limit: int) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is there, for STOP_SECONDS at most.

    ``body_limit`` is the largest body of a request, in bytes.
    """
    limit = connection_limit()
    logging.getLogger("waitress").setLevel(logging.WARNING)  # a line for each visitor who leaves
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # warns of each that has to wait
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        map=sockets,
        sockets=[listener],
        connection_limit=limit,
        max_request_body_size=body_limit + 1,
        **OPTIONS,
    )
    server.channel_class = Channel
    stopped: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        server.pull_trigger()  # ends the wait for the sockets

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    look_at = 0.0
    while not stopped:
        wasyncore.loop(1, use_poll=True, map=sockets, count=1)
        if time.monotonic() > look_at or len(sockets) >= limit:
            close_late(server.active_channels.values(), limit)
            look_at = time.monotonic() + 1
    wasyncore.dispatcher.close(server)  # not server.close, which stops the threads' trigger, too
    deadline = time.monotonic() + STOP_SECONDS
    while server.active_channels and time.monotonic() < deadline:
        for channel in server.active_channels.values():
            channel.close_when_flushed |= not channel.requests
        wasyncore.loop(0.1, use_poll=True, map=sockets, count=1)


def connection_limit() -> int:
    """How many connections there can be: a body or answer in a file takes a second descriptor."""
    wanted = 2 * CONNECTIONS + OTHER_DESCRIPTORS
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return (most - OTHER_DESCRIPTORS) // 2


class OneRequest(HTTPRequestParser):
    """A request. Who sends the next one before the answer to this gets no other on this connection.

    Otherwise one connection could order more answers than are kept for a visitor, which a thread
    would wait for.
    """

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.completed and not self.empty and consumed < len(data):
            self.headers["CONNECTION"] = "close"
            return len(data)
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # a Content-Length of 5,000 digits, an address like http://[
            raise ParsingError("The head of the request is malformed") from error
        if self.chunked:  # the main thread would work for each byte of small chunks
            raise TransferEncodingNotImplemented("A body comes with its length, not in chunks")


class Answer(WSGITask):
    """The answer to a request. Logged at LOG_LEVEL=DEBUG."""

    def set_close_on_finish(self) -> None:
        """Keep the connection after a 304 or 204, which have no length, and need none."""
        closes = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or closes or self.version == "1.0":
            super().set_close_on_finish()

    def finish(self) -> None:
        super().finish()
        self.channel.wait(IDLE_SECONDS)
        request = self.request
        log.debug("%s %s %s", request.command, request.request_uri, self.status)


class Channel(HTTPChannel):
    """A connection, which is closed when it waits for its visitor for too long."""

    parser_class, task_class = OneRequest, Answer

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.wait(REQUEST_SECONDS)
        super().__init__(*arguments, **options)

    def wait(self, seconds: float) -> None:
        self.since, self.seconds = time.monotonic(), seconds

    def late_at(self) -> float:
        """When it is closed, if no request is being answered then."""
        return self.since + (ANSWER_SECONDS if self.total_outbufs_len else self.seconds)

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.wait(REQUEST_SECONDS)
        return bool(super().received(data))


def close_late(channels: Iterable[Channel], limit: int) -> None:
    """Close what has waited too long, and when there are too many connections, what is next."""
    channels = list(channels)
    excess = len(channels) - limit * 3 // 4
    waiting = sorted((one for one in channels if not one.requests), key=methodcaller("late_at"))
    for place, channel in enumerate(waiting):
        if place < excess or channel.late_at() < time.monotonic():
            channel.handle_close()  # not when it can be written to, which may never be
