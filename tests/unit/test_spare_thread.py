"""One thread is kept for requests that wait for nothing; a check is made once for all callers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from sportsapp.http import kept, threads
from sportsapp.http.headers import HEADERS
from sportsapp.http.kept import KeptAnswer
from sportsapp.http.threads import MOST_AT_WORK, SpareThread

CLUB = "https://club.example.org"


class SlowSite:
    """An app whose pages under /slow wait until they may go on."""

    def __init__(self) -> None:
        self.go_on, self.entered = threading.Event(), threading.Semaphore(0)
        self.client = Client(SpareThread(self.app, [CLUB]))

    @Request.application
    def app(self, request: Request) -> Response:
        self.entered.release()
        if request.path.startswith("/slow"):
            self.go_on.wait(10)
        return Response("here it is")

    def get(self, path: str = "/") -> int:
        return self.client.get(path).status_code


@pytest.fixture
def site(monkeypatch) -> Iterator[SlowSite]:
    """A site on which all threads but one wait."""
    monkeypatch.setattr(threads, "MOMENT", 0.1)
    site = SlowSite()
    with ThreadPoolExecutor(MOST_AT_WORK) as pool:
        for _ in range(MOST_AT_WORK):
            pool.submit(site.get, "/slow")
            assert site.entered.acquire(timeout=5)
        yield site
        site.go_on.set()


def test_request_that_would_take_the_last_thread_is_refused(site, monkeypatch):
    assert site.get() == 503
    monkeypatch.setattr(threads, "MOMENT", 60)  # the next ones are refused at once
    refused = site.client.get("/nfl")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.text == threads.BUSY
    assert HEADERS.items() <= dict(refused.headers).items()
    assert "Refresh" not in refused.headers
    wall, frame = (site.client.get(path).headers for path in ("/tv", "/embed/nfl"))
    assert (wall["Refresh"], frame["Refresh"]) == ("1", "1")
    assert "frame-ancestors 'none'" in wall["Content-Security-Policy"]
    assert f"frame-ancestors {CLUB}" in frame["Content-Security-Policy"]
    error = site.client.get("/api/v1/leagues").json["error"]
    assert error == {"code": "unavailable", "message": threads.BUSY}
    assert [site.get(path) for path in ("/healthz", "/static/style.css")] == [200, 200]


def test_request_waits_a_moment_for_its_place(site, monkeypatch):
    monkeypatch.setattr(threads, "MOMENT", 60)
    threading.Timer(0.1, site.go_on.set).start()
    assert site.get() == 200


def test_place_of_a_request_that_ended_goes_to_the_one_that_waits(site, monkeypatch):
    monkeypatch.setattr(threads, "MOMENT", 60)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(site.get)
        site.go_on.set()
        assert waiting.result(5) == 200
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: site.get(), range(400))) == [200] * 400


def test_nobody_is_refused_any_more_once_a_request_was_quick(site):
    assert site.get() == 503
    site.go_on.set()
    assert site.entered.acquire(blocking=False) is False
    while site.get() != 200:
        pass
    site.go_on.clear()
    threading.Timer(0.05, site.go_on.set).start()
    with ThreadPoolExecutor(MOST_AT_WORK + 1) as pool:
        paths = ["/slow"] * (MOST_AT_WORK + 1)
        assert list(pool.map(site.get, paths)) == [200] * len(paths)


def test_app_that_raises_gives_its_place_back():
    def fails(_environ, _start_response):
        raise ZeroDivisionError

    client = Client(SpareThread(fails))
    for _ in range(MOST_AT_WORK + 1):
        with pytest.raises(ZeroDivisionError):
            client.get("/")


# ---------------------------------------------------------------- answers that are kept


def test_answer_is_kept_for_a_second(monkeypatch):
    answer, numbers = KeptAnswer[int](), iter(range(9))
    assert [answer.get(lambda: next(numbers)) for _ in range(3)] == [0, 0, 0]
    monkeypatch.setattr(kept, "KEEP_SECONDS", 0)
    assert answer.get(lambda: next(numbers)) == 1


def test_callers_get_the_last_answer_while_one_makes_the_next(monkeypatch):
    monkeypatch.setattr(kept, "KEEP_SECONDS", 0)
    answer, begun, go_on = KeptAnswer[str](), threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        go_on.wait(5)
        return "new"

    answer.get(lambda: "old")
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(answer.get, slow)
        assert begun.wait(5)
        assert [answer.get(slow) for _ in range(3)] == ["old"] * 3
        monkeypatch.setattr(kept, "RECENT_SECONDS", 0)
        monkeypatch.setattr(kept, "WAIT_SECONDS", 0.01)
        with pytest.raises(ServiceUnavailable):
            answer.get(slow)
        go_on.set()
        assert making.result(5) == "new"


def test_check_that_raises_is_made_again():
    answer = KeptAnswer[int]()
    with pytest.raises(ZeroDivisionError):
        answer.get(lambda: 1 // 0)
    assert answer.get(lambda: 5) == 5
