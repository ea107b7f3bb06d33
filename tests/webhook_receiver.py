"""A receiver of messages about games on loopback."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.wrappers import Request, Response

from tests.loopback import serving

SECRET = "whsec_" + base64.b64encode(b"a key of just 24 letters").decode()
"""The part of its address that signs."""


class Receiver:
    """A web server that keeps what it is sent, and answers with ``status``."""

    def __init__(self) -> None:
        self.url, self.status = "", 200
        self.taken: list[dict] = []

    def __call__(self, environ, start_response):
        body = json.loads(Request(environ).get_data())
        if self.status == 200:
            self.taken.append(body)
        return Response("", status=self.status)(environ, start_response)

    def ids(self) -> list[int]:
        return [one["id"] for message in self.taken for one in message["events"]]


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    with serving(receiver) as url:
        receiver.url = f"{url}/hook#{SECRET}"
        yield receiver
