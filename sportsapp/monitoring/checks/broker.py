"""Checks of the broker: it answers, takes what it is given, and keeps it."""

from collections.abc import Iterator

from sportsapp.core.errors import BrokerUnavailableError, ForeignBrokerError
from sportsapp.core.settings import public_url
from sportsapp.monitoring.checks.check import Finding, Look, check, ok, warn, wrong
from sportsapp.monitoring.checks.texts import short
from sportsapp.queue.broker import broker_info, probe


@check("broker", "cannot be reached, or refuses commands", unready=True)
def check_broker(look: Look) -> Iterator[Finding]:
    """The broker answers, is this database's, and takes a write."""
    settings = look.settings
    place = public_url(settings.broker)
    do = "correct REDIS_URL, or start the broker it names"
    if settings.broker_is_embedded:
        place = str(settings.broker_socket)
        do = "start it with `flask up`, or `flask broker` where consumers are started by hand"
    try:
        probe(look.queues[0].reader)
        waiting = sum(queue.depth() for queue in look.queues)
    except ForeignBrokerError as error:
        yield wrong(str(error), "correct REDIS_URL, or run `flask broker adopt` after a move")
    except BrokerUnavailableError as error:
        if "the broker refuses" in str(error):
            do = "make room: see its memory (maxmemory) and its disk; it has to be a primary"
        yield wrong(f"{place}: {short(error)}", do)
    else:
        yield ok(f"{place} answers; {waiting} messages wait")


@check("policy", "the broker may drop or forget what waits", needs=("broker",))
def check_policy(look: Look) -> Iterator[Finding]:
    """The broker drops no key when its memory is full, and keeps a file of what it has.

    What it forgets waits in the ledger, and is queued again after half a minute.
    """
    try:
        info = broker_info(look.queues[0].reader)
    except BrokerUnavailableError as error:  # some that are rented out answer no INFO
        yield ok(f"it does not say: {short(error)}")
        return
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield warn(
            f"it drops keys when its memory is full (maxmemory-policy {policy})",
            "set maxmemory-policy noeviction: what it drops is queued again, but late",
            subject="maxmemory-policy",
        )
    if not info.get("aof_enabled", 1):
        yield warn(
            "it forgets what waits when it restarts (appendonly no)",
            "set appendonly yes: what it forgets is queued again, but late",
            subject="appendonly",
        )
    if policy == "noeviction" and info.get("aof_enabled", 1):
        yield ok("it drops nothing, and keeps a file of what it has")
