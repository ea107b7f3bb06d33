"""What the tests of targets share: a server that keeps requests, a sending, and a refused one."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from sportsapp.core.errors import NotifyError
from sportsapp.notify.message import Message
from sportsapp.notify.targets import open_target


class KeepingServer:
    """A WSGI app that keeps its requests and answers with ``answer``; ``url`` is set by tests."""

    def __init__(self) -> None:
        self.url = ""
        self.answer = Response("{}", mimetype="application/json")
        self.requests: list[Request] = []

    @property
    def host(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        request.get_data()
        self.requests.append(request)
        return self.answer(environ, start_response)

    def posted(self) -> dict[str, Any]:
        """The body of the last request."""
        return json.loads(self.requests[-1].get_data())


@dataclass(frozen=True)
class Sender:
    """Sends ``message`` where no other one is given; no error matches ``hidden``."""

    message: Message
    hidden: str

    def send(self, url: str, message: Message | None = None, *, allow_private: bool = True) -> None:
        """Send to the target of this address."""
        open_target(url, allow_private=allow_private).send(message or self.message)

    def refusal(self, url: str, **options: bool) -> str:
        """The error of a sending, which names nothing of the address."""
        with pytest.raises(NotifyError) as refused:
            self.send(url, **options)
        text = str(refused.value)
        assert not re.search(self.hidden, text)
        return text
