"""``flask tasks``: reports on what the tasks did, do and will do, and actions on runs.

Standard output is the answer, as JSON with ``--json``; everything else goes to standard error.
`active`, `logs`, `runs` and `show` read the ledger alone, so they work while the broker is away.
"""

from sportsapp.commands.tasks import actions, logs, reports, top
from sportsapp.commands.tasks.group import tasks_group

__all__ = ["actions", "logs", "reports", "tasks_group", "top"]
