"""The target that an address leads to. An address holds passwords and tokens: it is a secret."""

from urllib.parse import urlsplit

from sportsapp.core.errors import NotifyError, TargetError
from sportsapp.core.public_addresses import public_only
from sportsapp.core.sealing import push_key, unseal
from sportsapp.core.settings import Settings
from sportsapp.db.models import BROWSER, Subscription
from sportsapp.notify.message import Message, Target
from sportsapp.notify.schemes import KINDS, SERVICES
from sportsapp.notify.webhook import WebhookTarget


class PublicTarget:
    """A target that is sent to only while its host has a public address."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def send(self, message: Message) -> None:
        """Send it as the target itself does. Raises NotifyError."""
        with public_only() as refused:
            try:
                self.target.send(message)
            except NotifyError:
                if not refused:
                    raise
                text = "its host has no public address, which only NOTIFY_PRIVATE=1 allows"
                raise NotifyError(text) from None


def target_of(subscription: Subscription, settings: Settings, secret_key: str) -> Target:
    """Where a subscription's messages are sent. Raises SealError and TargetError."""
    address = unseal(subscription.address, secret_key)
    if subscription.kind != BROWSER:
        return open_target(address, allow_private=settings.notify_private)
    # Its libraries are large, too: see below.
    from sportsapp.notify.push import PushTarget

    target = PushTarget(address, push_key(secret_key), settings.espn_contact_url)
    return target if settings.notify_private else PublicTarget(target)


def open_target(url: str, *, allow_private: bool) -> Target:
    """The target of this address. Nothing is connected to before its ``send``.

    Without ``allow_private`` every ``send`` connects to public addresses alone. Raises TargetError,
    whose message never contains the address.
    """
    kind = kind_of(url)
    try:
        target = _open(kind, url)
    except ValueError as error:
        if isinstance(error, TargetError):
            raise
        raise TargetError("the address cannot be read: its host or port is wrong") from None
    return target if allow_private else PublicTarget(target)


def open_service(url: str, *, allow_private: bool) -> Target:
    """The same for an address of a service such as ntfy: a webhook or MQTT is none."""
    if url.partition("://")[0].lower() not in SERVICES:
        raise TargetError(f"it has to begin with one of these and ://: {', '.join(SERVICES)}")
    return open_target(url, allow_private=allow_private)


def kind_of(url: str) -> str:
    """``webhook``, ``mqtt`` or the service's name, such as ``ntfy``: what may be shown of it.

    Raises TargetError when its scheme is not offered.
    """
    scheme = url.partition("://")[0].lower()
    if scheme not in KINDS:
        offered = ", ".join(sorted(KINDS))
        raise TargetError(f"the address has to begin with one of these and ://: {offered}")
    return KINDS[scheme]


def _open(kind: str, url: str) -> Target:
    if not url.isprintable() or " " in url:
        raise TargetError("the address contains a blank or a character that is not printable")
    if kind in SERVICES.values():
        # Apprise is large: it is loaded where there is such an address, and nowhere else.
        from sportsapp.notify.services import ServiceTarget

        return ServiceTarget(kind, url)
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0:
        raise TargetError("the address has no host, or no port that can be reached")
    if kind == "mqtt":
        from sportsapp.notify.mqtt import MqttTarget

        return MqttTarget(url)
    return WebhookTarget(url)
