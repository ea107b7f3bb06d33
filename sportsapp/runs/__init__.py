"""The ledger of task runs: what every task did and does, whatever dies.

``ledger`` is what the queues call. Below it, by subject: ``rows`` (a run's row), ``attempts``
(claim, execute, end), ``progress`` (the current run), ``failures`` (resolved, dismissed), ``lines``
(of a run's log), ``local`` (runs of a shell), ``slots`` (of periodic tasks), ``batches`` and
``chains`` (of runs), ``pauses`` (of queues), ``consumers`` (heartbeats, and the end of a run that
nothing can interrupt), ``recovery`` and ``pruning``. ``reports`` and ``view`` only read.
"""
