"""A receiver of alerts and heartbeats on loopback, which records them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.loopback import serving


@dataclass
class Receiver:
    """``messages`` are the posted bodies, ``pings`` the paths of GET, ``status`` the answer."""

    url: str = ""
    status: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)
    pings: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The texts of the messages, oldest first."""
        return [message["text"] for message in self.messages]

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.method == "POST":
            self.messages.append(request.get_json())
        else:
            self.pings.append(request.path)
        headers = {"Location": f"{self.url}/elsewhere"} if self.status == 302 else {}
        return Response("ok", self.status, headers)(environ, start_response)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a receiver until the block ends."""
    receiver = Receiver()
    with serving(receiver) as url:
        receiver.url = url
        yield receiver
