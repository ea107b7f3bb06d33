"""Messages to services such as ntfy, Discord and mail, through Apprise.

Of Apprise's 200 services those are offered that speak HTTP or SMTP and were looked at: none that
does something on this host (syslog, D-Bus, files). Only the one module that a message needs is
loaded. Apprise logs addresses, so its log goes nowhere.
"""

import logging
import pkgutil
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import apprise
from apprise.exception import AppriseException
from urllib3.exceptions import InsecureRequestWarning

from sportsapp.core.errors import NotifyError, TargetError
from sportsapp.notify.message import Message
from sportsapp.notify.posting import in_words

NAME = "Sports Game Tracker"
PART_SECONDS = 1
PARAMETERS = """auth bcc cc channel from group level name priority reply silent smtp sound tags
    thread to token topic verify volume"""
"""What may follow a ``?``. Others read files, change the text, wait for long or try again."""

logging.getLogger("apprise").addHandler(logging.NullHandler())
logging.getLogger("apprise").propagate = False


def as_it_is(text: str) -> str:
    """The text, for services that show plain text or escape markup."""
    return text


def without_markdown(text: str) -> str:
    """The text with a backslash before what Markdown has a use for."""
    return re.sub(r"([\\`*_~\[\]<#|])", r"\\\1", text)


@dataclass(frozen=True, slots=True)
class Service:
    """A service: its class in Apprise, what it is given, what it must have in its address."""

    plugin: str
    format: str = "text"
    escape: Callable[[str], str] = as_it_is
    needs: str = ""


SERVICES = {
    "bark": Service("bark:NotifyBark", needs="targets"),
    "discord": Service("discord:NotifyDiscord", escape=without_markdown),
    "gotify": Service("gotify:NotifyGotify"),
    "mail": Service("email:NotifyEmail"),
    "matrix": Service("matrix:NotifyMatrix"),
    "mattermost": Service("mattermost:NotifyMattermost", escape=without_markdown),
    "ntfy": Service("ntfy:NotifyNtfy", needs="topics"),
    "prowl": Service("prowl:NotifyProwl"),
    "pushbullet": Service("pushbullet:NotifyPushBullet"),
    "pushover": Service("pushover:NotifyPushover"),
    "signal": Service("signal_api:NotifySignalAPI"),
    "slack": Service("slack:NotifySlack"),
    "telegram": Service("telegram:NotifyTelegram", format="html"),
}

# In this thread, at once, without redirects, pictures or a folder of its own.
ASSET = apprise.AppriseAsset(
    app_id=NAME,
    app_desc=NAME,
    app_url="",
    async_mode=False,
    http_redirects=False,
    image_url_logo="",
    image_url_mask="",
    interpret_emojis=False,
    service_timeout=0,
    storage_mode="memory",
)


class ServiceTarget:
    """An address as Apprise has it, of one of SERVICES. Raises TargetError."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind, self.url = kind, url
        self.service = SERVICES[kind]
        self._opened()

    def send(self, message: Message) -> None:
        """Send it as plain text, in several parts where the service takes no long ones."""
        result = self._notify(message)
        if not result:
            raise NotifyError(f"{self.kind} {_reason(result.logs())}")

    def _notify(self, message: Message) -> apprise.AppriseResult:
        # A plugin that has signed in signs out when nobody refers to it any more: when this ends.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureRequestWarning)  # names the host
            return apprise.Apprise(self._opened(), asset=ASSET).notify(
                title=self._text(" ".join(message.title.split())),
                body=self._text(message.body),
                body_format=apprise.NotifyFormat.TEXT,
            )

    def _text(self, text: str) -> str:
        # A name after an @ would call people. With a space of no width between, it calls nobody.
        return self.service.escape(re.sub(r"@(?=\S)", "@\u200b", text))

    def _opened(self) -> apprise.NotifyBase:
        plugin: Any = pkgutil.resolve_name(f"apprise.plugins.{self.service.plugin}")
        settings = {"asset": ASSET, "format": self.service.format, "overflow": "split"}
        try:
            parts = plugin.parse_url(self.url) or {"qsd": {}}
            if set(parts["qsd"]) - set(PARAMETERS.split()):
                raise TargetError(f"only these may follow a ?: {', '.join(PARAMETERS.split())}")
            opened: apprise.NotifyBase = plugin(**parts | settings)
        except (AppriseException, AttributeError, LookupError, TypeError):
            raise TargetError(f"this is no whole address of {self.kind}") from None
        if self.service.needs and not getattr(opened, self.service.needs):
            raise TargetError(f"the address of {self.kind} has no {self.service.needs[:-1]}")
        # Parts of a message may follow each other faster than Apprise allows: up to 5.5 s apart.
        opened.request_rate_per_sec = min(opened.request_rate_per_sec, PART_SECONDS)
        return opened


def _reason(entries: Any) -> str:
    """What went wrong. Of Apprise's words, which name addresses, the HTTP status alone is kept."""
    for entry in entries:
        if status := re.search(r"error=(\d{3})(?:\d\d)?\b", entry.message):  # ntfy's have five
            return f"answered {in_words(int(status[1]))}"
    return "cannot be reached, or did not take the message"
