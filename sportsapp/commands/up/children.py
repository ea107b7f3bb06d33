"""What `flask up` starts beside the broker: the demo feed, three consumers and the web server.

Consumers and web server are copies of this process on Linux, and programs of their own where a
fork of a loaded process is not safe (macOS). Broker and demo feed share nothing with us and are
always programs.
"""

import http.client
import runpy
import sys
from functools import partial
from typing import Any

from setproctitle import setproctitle

from sportsapp.commands.up.supervisor import FIRST, LAST, Child
from sportsapp.core.settings import Settings

WEB_SECONDS = 60.0
PROBE_SECONDS = 1.0
CONSUMERS = {
    "consumer": "huey_config.huey",
    "backfill": "huey_config.backfill_huey",
    "notify": "huey_config.notify_huey",
}
CONSUMER_OPTIONS = ["-k", "process", "-w", "2", "-g", "TERM", "-t", "8", "-m", "1", "-c", "1"]
CAN_COPY = sys.platform == "linux"
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # reached, not bound  # nosec B104


def demo_child(port: int, speed: float) -> Child:
    """The made-up feed on a port of this machine; ready when it answers a request."""
    options = f"--host 127.0.0.1 --port {port} --speed {speed:g}".split()
    argv = [sys.executable, "-m", "demo", *options]
    return Child(name="demo", argv=argv, stop_rank=LAST, ready=partial(_answers, "127.0.0.1", port))


def consumer_child(settings: Settings, name: str) -> Child:
    """One of CONSUMERS, with two workers and a scheduler."""
    arguments = [CONSUMERS[name], *CONSUMER_OPTIONS]
    title = f"huey_consumer {CONSUMERS[name]} ({settings.instance_path})"
    return _python_child(name, "huey.bin.huey_consumer", arguments, title)


def web_child(settings: Settings, address: str) -> Child:
    """The web server on this IP address; ready when it answers a request, whatever the status."""
    title = f"flask serve ({settings.instance_path})"
    ready = partial(_answers, LOOPBACK.get(address, address), settings.port)
    return _python_child("web", "flask", ["serve"], title, ready=ready, ready_seconds=WEB_SECONDS)


def _answers(host: str, port: int) -> bool:
    """Whether a web server answers a request there, whatever the status."""
    connection = http.client.HTTPConnection(host, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _python_child(
    name: str, module: str, arguments: list[str], title: str, **options: Any
) -> Child:
    """``python -m module arguments``, in a copy of this process where that can be."""
    return Child(
        name=name,
        argv=[sys.executable, "-m", module, *arguments],
        body=partial(_run_module, module, arguments, title) if CAN_COPY else None,
        stop_rank=FIRST,
        **options,
    )


def _run_module(module: str, arguments: list[str], title: str) -> None:
    """Do in this process what ``python -m module arguments`` would do in another."""
    setproctitle(title)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
