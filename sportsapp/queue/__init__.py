"""The three queues: ``huey`` is our Huey, ``consumer`` is what `huey_consumer` runs.

``tracker`` has what the queues need of the ledger, ``messages`` what a message holds, ``schedules``
when periodic tasks are due.
"""
