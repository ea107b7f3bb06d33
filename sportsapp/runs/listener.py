"""What the ledger reports to the rest of the project. The factory plugs in the alerts."""

from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError


class RunListener(Protocol):
    """Notified of how runs end, and at each heartbeat of a consumer's process.

    No method may raise because something cannot be reached: the run it is about has ended.
    """

    def run_failed(self, run_id: str) -> None:
        """This run of a queue has ended as FAILURE or TIMEOUT, without another retry."""

    def check_if_due(self) -> None:
        """Called at each heartbeat of a consumer's process: run the checks that are due."""

    def database_failed(self, error: SQLAlchemyError) -> None:
        """Called instead when the database did not take the heartbeat."""
