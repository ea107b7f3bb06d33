"""Two hosts of the feed over real HTTP: which one is asked, when the other, who remembers it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from sportsapp.core.errors import FeedError, FeedRefusedError, FeedUnavailableError, PayloadError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.feed import parse
from sportsapp.feed.client import KINDS, FeedClient, RetryPolicy
from sportsapp.feed.hosts import FIRST_WAIT, LONGEST_WAIT, FeedHosts
from sportsapp.monitoring.metrics import Metrics, exposition
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.integration.events import board, event
from tests.loopback import LoopbackFeed, serving

NFL, NBA = BY_SLUG["nfl"], BY_SLUG["nba"]
DAY = date(2026, 10, 4)
MINUTE = timedelta(minutes=1)
POLICY = RetryPolicy(connect=2, read=0.3, deadline=2, retries=2, first_wait=0.01, longest_wait=8)


@dataclass
class TwoHosts:
    """A client of two hosts, and a clock that a test moves."""

    first: LoopbackFeed
    second: LoopbackFeed
    client: FeedClient
    now: datetime = datetime(2026, 10, 4, 12, tzinfo=UTC)
    waits: list[float] = field(default_factory=list)

    def ask(self, kind: str = "day") -> str:
        """Make a request of this kind; which hosts were asked for it, in order: "12"."""
        before = self.seen()
        calls: dict[str, Callable[[], Any]] = {
            "day": lambda: self.client.scoreboard(NFL, DAY),
            "month": lambda: self.client.month(NFL, DAY),
            "summary": lambda: self.client.summary(NFL, "401"),
            "teams": lambda: self.client.teams(NFL),
            "roster": lambda: self.client.roster(NFL, "12"),
            "standings": lambda: self.client.standings(NFL),
        }
        try:
            calls[kind]()
        finally:
            after = self.seen()
            self.asked = "1" * (after[0] - before[0]) + "2" * (after[1] - before[1])
        return self.asked

    def seen(self) -> tuple[int, int]:
        return len(self.first.requests), len(self.second.requests)

    def pass_time(self, span: timedelta) -> None:
        self.now += span


@pytest.fixture
def hosts(feed: LoopbackFeed) -> Iterator[TwoHosts]:
    second = LoopbackFeed()
    with serving(second) as second.url:
        for each in (feed, second):
            for kind in ("summary", "teams", "roster", "standings"):
                each.say("nfl", {}, kind=kind)
        waits: list[float] = []
        client = FeedClient(
            f"{feed.url},{second.url}", "tests", retry_policy=POLICY, sleep=waits.append
        )
        two = TwoHosts(feed, second, client, waits=waits)
        client.hosts = FeedHosts(client.hosts.urls, clock=lambda: two.now)
        yield two
        client.close()


def slow(_request: Request) -> Response:
    """An answer that comes after every time-out."""
    time.sleep(1)
    return Response("{}")


REFUSALS = {
    "403": Response("no", 403),
    "400": Response("no", 400),
    "404": Response("no", 404),
    "500": Response("no", 500),
    "HTML": Response("<html>Back soon</html>", mimetype="text/html"),
    "empty": Response(b""),
    "null": Response("null"),
    "time-out": slow,
    "too large": Response(b"x" * 10_000_001),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_second_host_is_asked_at_once_when_the_first_refuses_and_stays(hosts, refusal):
    hosts.first.say("nfl", REFUSALS[refusal])
    assert hosts.ask() == "12"
    assert hosts.waits == []
    assert hosts.ask() == "2"


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://feed.invalid"])
def test_second_host_is_asked_when_the_first_cannot_be_reached(feed, address):
    client = FeedClient(f"{address},{feed.url}", "tests", retry_policy=POLICY)
    for _ in range(2):
        assert client.scoreboard(NFL, DAY).host == feed.url
    assert len(feed.requests) == 2
    client.close()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_request_goes_its_own_way(hosts, kind):
    path = {"day": "scoreboard", "month": "scoreboard"}.get(kind, kind)
    dates = {"day": "20261004", "month": "202610"}.get(kind, "")
    hosts.first.say("nfl", Response("no", 403), kind=path, dates=dates)
    assert hosts.ask(kind) == "12"
    others = set(KINDS) - {kind}
    assert {other: hosts.ask(other) for other in others} == dict.fromkeys(others, "1")
    assert hosts.ask(kind) == "2"
    assert list(hosts.client.hosts.moved()) == [kind]


def test_redirect_to_another_host_is_no_failover(hosts):
    hosts.first.say("nfl", Response(status=302, headers={"Location": "http://elsewhere.invalid/"}))
    with pytest.raises(FeedRefusedError, match="elsewhere"):
        hosts.ask()
    assert hosts.asked == "1"


def test_limit_of_requests_is_no_failover(hosts):
    hosts.first.say("nfl", Response("slow down", 429))
    with pytest.raises(FeedUnavailableError, match="429"):
        hosts.ask()
    assert hosts.asked == "111"


@pytest.mark.parametrize(
    ("first", "second", "asked", "error"),
    [
        ("403", "403", "12", FeedRefusedError),
        ("500", "500", "112", FeedUnavailableError),
        ("500", "403", "112", FeedUnavailableError),
        ("403", "500", "12", FeedRefusedError),
        ("500", "400", "112", FeedUnavailableError),
    ],
)
def test_no_request_has_more_attempts_than_with_one_host(hosts, first, second, asked, error):
    counted: list[str] = []
    hosts.client.count_outcome = counted.append
    hosts.first.say("nfl", REFUSALS[first])
    hosts.second.say("nfl", REFUSALS[second])
    for _ in range(3):
        with pytest.raises(error, match=hosts.first.url) as caught:
            hosts.ask()
        assert hosts.asked == asked
        assert caught.value.status == int(first)
    assert len(counted) == 3 * len(asked)
    assert hosts.client.hosts.moved() == {}


@pytest.mark.parametrize(("first", "second"), [("403", "400"), ("400", "403")])
def test_host_that_refuses_just_this_request_decides(hosts, first, second):
    hosts.first.say("nfl", REFUSALS[first])
    hosts.second.say("nfl", REFUSALS[second])
    with pytest.raises(FeedRefusedError) as caught:
        hosts.ask()
    assert caught.value.status == 400


def test_body_that_no_host_has_as_json_is_handed_on_as_it_came(hosts):
    hosts.first.say("nfl", b"<html>first</html>")
    hosts.second.say("nfl", b"<html>second</html>")
    assert hosts.client.scoreboard(NFL, DAY).body == b"<html>first</html>"
    assert hosts.seen() == (1, 1)


def test_one_address_alone_has_no_second_host(feed):
    client = FeedClient(feed.url, "tests", retry_policy=POLICY)
    feed.fail("nfl", 403)
    with pytest.raises(FeedRefusedError):
        client.scoreboard(NFL, DAY)
    assert len(feed.requests) == 1
    client.close()


def test_ceiling_of_requests_counts_both_hosts(hosts):
    paced: list[tuple[int, int]] = []
    hosts.client.rate_limiter = SimpleNamespace(wait=lambda: paced.append(hosts.seen()))
    hosts.first.say("nfl", REFUSALS["403"])
    hosts.ask()
    assert paced == [(0, 0), (1, 0)]


def test_each_host_is_given_its_own_name_and_password(hosts):
    urls = (hosts.first.url, hosts.second.url)
    named = ",".join(url.replace("//", f"//{n}:pass@") for n, url in enumerate(urls))
    client = FeedClient(named, "tests", retry_policy=POLICY)
    hosts.first.say("nfl", REFUSALS["403"])
    client.scoreboard(NFL, DAY)
    client.close()
    names = [each.requests[0].authorization.username for each in (hosts.first, hosts.second)]
    assert names == ["0", "1"]
    assert client.hosts.urls == urls


# ---------------------------------------------------------------- going back


def test_first_host_is_tried_again_with_growing_patience(hosts):
    hosts.first.say("nfl", REFUSALS["403"])
    hosts.ask()
    tried = []
    for minute in range(1, 300):
        hosts.pass_time(MINUTE)
        if hosts.ask() != "2":
            assert hosts.asked == "12"
            tried.append(minute)
    assert tried == [5, 15, 35, 75, 135, 195, 255]
    hosts.first.say("nfl", {"events": []})
    hosts.pass_time(LONGEST_WAIT)
    assert [hosts.ask(), hosts.ask()] == ["1", "1"]
    assert hosts.client.hosts.moved() == {}


def test_first_host_that_fails_again_soon_is_left_for_longer(hosts):
    for wait in (FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT):
        hosts.first.say("nfl", REFUSALS["403"])
        assert hosts.ask() == "12"
        hosts.first.say("nfl", {"events": []})
        hosts.pass_time(wait - timedelta(seconds=1))
        assert hosts.ask() == "2"
        hosts.pass_time(timedelta(seconds=1))
        assert hosts.ask() == "1"
    hosts.pass_time(LONGEST_WAIT)
    hosts.first.say("nfl", REFUSALS["403"])
    hosts.ask()
    hosts.first.say("nfl", {"events": []})
    hosts.pass_time(FIRST_WAIT)
    assert hosts.ask() == "1"


def test_failed_second_host_leads_back_to_the_first_at_once(hosts):
    hosts.first.say("nfl", REFUSALS["403"])
    hosts.ask()
    hosts.first.say("nfl", {"events": []})
    hosts.second.say("nfl", REFUSALS["500"])
    hosts.ask()
    assert hosts.asked == "12"
    assert hosts.ask() == "1"


def test_day_that_the_feed_does_not_have_moves_nothing(hosts):
    for each in (hosts.first, hosts.second):
        each.say("nfl", REFUSALS["400"], dates="20261004")
    with pytest.raises(FeedRefusedError, match="400"):
        hosts.ask()
    hosts.client.scoreboard(NFL, DAY + timedelta(days=1))
    assert hosts.seen() == (2, 1)


def test_clock_that_was_ahead_does_not_keep_the_first_host_away(hosts):
    hosts.pass_time(timedelta(days=365))
    hosts.first.say("nfl", REFUSALS["403"])
    hosts.ask()
    hosts.pass_time(-timedelta(days=365))
    hosts.first.say("nfl", {"events": []})
    assert hosts.ask() == "1"


# ---------------------------------------------------------------- answers that cannot be read


def test_five_answers_in_a_row_that_cannot_be_read_lead_to_the_second_host(hosts):
    def parsed() -> str:
        before = hosts.seen()
        try:
            hosts.client.scoreboard(NFL, DAY).parsed(parse.parse_scoreboard, NFL)
        except PayloadError:
            return "unreadable"
        return "1" if hosts.seen()[0] > before[0] else "2"

    bad, good = b'{"events": 5}', {"events": []}
    hosts.first.say("nfl", bad)
    assert [parsed() for _ in range(4)] == ["unreadable"] * 4
    hosts.first.say("nfl", good)
    assert parsed() == "1"
    hosts.first.say("nfl", bad)
    assert [parsed() for _ in range(7)] == [*["unreadable"] * 5, "2", "2"]
    hosts.pass_time(FIRST_WAIT)
    assert [parsed() for _ in range(3)] == ["unreadable", "2", "2"]
    hosts.pass_time(FIRST_WAIT)
    assert parsed() == "2"
    hosts.first.say("nfl", good)
    hosts.pass_time(FIRST_WAIT)
    assert [parsed(), parsed()] == ["1", "1"]


def test_unreadable_scoreboards_of_a_sync_lead_to_the_second_host(app, hosts):
    hosts.first.say("nfl", b'{"events": 5}')
    hosts.second.say("nfl", board(event("1", "2026-10-04T17:00Z", "in")))
    context = SyncContext(
        hosts.client, services_of(app).sync_context(None, print).session, hosts.now
    )
    for _ in range(5):
        with pytest.raises(FeedError):
            sync_day(context, NFL, DAY)
    assert sync_day(context, NFL, DAY).synced == 1


# ---------------------------------------------------------------- what an operator reads


def test_operator_reads_which_host_answers(app, panel, runner, hosts):
    parts = services_of(app)
    object.__setattr__(parts, "feed_client", hosts.client)
    page = panel.get("/admin/")
    assert f"All requests go to {hosts.first.url}." in page
    hosts.first.say("nfl", REFUSALS["403"])
    hosts.ask()
    page = panel.get("/admin/")
    assert f"All requests but these go to {hosts.first.url}:" in page
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert f"day: {hosts.second.url} since 2026-10-04 12:00:00 UTC" in text
    assert "refused us with 403" in text
    assert "tried again at 2026-10-04 12:05:00 UTC" in text
    done = runner.invoke(args=["doctor"])
    (line,) = [each for each in done.output.splitlines() if " answers requests " in each]
    assert f"{hosts.second.url} answers requests (day) since 2026-10-04 12:00 UTC" in line
    assert "refused us with 403" in line
    assert f"-> {hosts.first.url} is tried again at 12:05 UTC" in line
    assert line.startswith("ok ")
    assert f"ok       feed        {hosts.second.url} answers\n" in done.output


def test_metrics_name_the_host_of_each_kind_of_request(app, hosts):
    hosts.first.say("nfl", REFUSALS["403"])
    hosts.ask()
    parts, counter = services_of(app), SimpleNamespace(counts=dict)
    metrics = Metrics(parts.settings, parts.queues, counter, hosts.client.hosts, hosts.now)
    text = exposition(list(metrics.collect()), "")[0].decode()
    found = re.findall(r'feed_host{host="(.*)",kind="(.*)"} ([\d.]+)', text)
    urls = (hosts.first.url, hosts.second.url)
    assert {(kind, urls.index(host) + 1) for host, kind, value in found if float(value)} == {
        ("day", 2), ("month", 1), ("roster", 1), ("standings", 1), ("summary", 1),
        ("teams", 1),
    }  # fmt: skip
    assert len(found) == 2 * len(KINDS)


def test_doctor_names_the_host_that_fails(app, runner, hosts):
    object.__setattr__(services_of(app), "feed_client", hosts.client)
    for each in (hosts.first, hosts.second):
        each.say("nfl", REFUSALS["403"])
    refuses = f"{hosts.first.url}, which is not ESPN's, refuses us for the NFL: 403"
    assert refuses in runner.invoke(args=["doctor"]).output
