"""The group ``flask tasks``, and what its reports and actions share."""

from sportsapp.commands.shell import OneLineGroup
from sportsapp.queue.broker import broker_errors
from sportsapp.services import services

tasks_group = OneLineGroup("tasks", help="What the tasks did, do and will do.")


def require_broker() -> None:
    """Raise BrokerUnavailableError, which ends the command, when the broker does not answer."""
    with broker_errors():
        services().queues[0].pending_count()
