"""What the ledger reports to the rest of the project. The factory plugs in the alerts."""

from typing import Any, Protocol


class RunListener(Protocol):
    """Notified of how runs end, and at each heartbeat of a consumer's process.

    No method may raise because something cannot be reached: the run it is about has ended.
    """

    def run_succeeded(self, task: str, args: dict[str, Any]) -> None:
        """A run of this task with these arguments has ended as SUCCESS."""

    def run_failed(self, run_id: str) -> None:
        """This run of a queue has ended as FAILURE or TIMEOUT, without another retry."""

    def check_if_due(self) -> None:
        """Called at each heartbeat of a consumer's process: run the periodic checks if due."""
