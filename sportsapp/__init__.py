"""Sports Game Tracker: live NFL, NBA, MLB and NHL scores in a Flask app of your own.

One way through: fetch, plan, store. A folder imports only from lower floors::

    floor 9  factory       create_app: the one place where the parts are joined
    floor 8  web/          the score pages
             api/          the JSON API
             admin/        the panel
             commands/     `flask ...`; commands/up/ starts and stops all parts
    floor 7  tasks/        what Huey runs, one service call each; actions on runs
    floor 6  services      what the factory joined, typed
    floor 5  sync/         the syncs: fetch, plan (pure), store
    floor 4  monitoring/   checks, alerts, webhook, readiness, metrics
             notify/       messages about games, and the targets that they are sent to
    floor 3  runs/         the ledger: one row for every execution of a task
             accounts/     who may sign in
    floor 2  db/           engine, models, queries, migrations, copies
             feed/         the only HTTP to the feed; JSON to records (pure)
             queue/        our Huey, its consumer, messages and schedules
             http/         headers, limits, and the cache of the score pages
    floor 1  core/         settings, errors, clock, leagues, records, logs, processes

The doors stand beside the package: app.py (``flask ...``), wsgi.py (web server) and huey_config.py
(consumers). demo/ is a feed that behaves like ESPN's and shares no code with the package.
"""
