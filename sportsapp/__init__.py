"""Sports Game Tracker: live NFL, NBA, MLB and NHL scores in a Flask app of your own.

One way through: fetch, plan, store. A module imports only from lower floors::

    floor 9  app.py, wsgi.py, huey_config.py   the doors: development, web server, consumer
    floor 8  factory                           create_app: the one place where parts are joined
    floor 7  commands, web, api, admin, logs   what people and programs ask
    floor 6  tasks                             what Huey runs: one service call each
    floor 5  control, activity, sync.service   what people do to runs; what the panel asks; the
             sync.watch, sync.store,           syncs, what follows from their errors, writing;
             readiness, metrics                what watchers ask
    floor 4  queries, ledger, alerts,          reads for pages and services; the record of task
             accounts, transfer                runs; who is told; admin accounts; a database's copy
    floor 3  models, migrations, prepared,     the tables, and the ways between versions; what each
             data_version                      run and each kept page asks of the database
    floor 2  database, queue, throttle,        the database, the two queues, the feed's pace,
             limits, espn.client               visitors' limits, and the only HTTP to the feed
    floor 1  espn.parse, sync.plan, settings,  pure: JSON to records, records to changes;
             clock, processes, security,       the settings; the clock; process lifetimes; what
             broker, messages, schedules       holds at every door; what queues say to Redis, what
                                               messages look like, when tasks are due
    floor 0  records, leagues, errors,         what the feed said; the table of leagues; our errors;
             redis_urls, log_context           REDIS_URL; whom a line of the log is about
    beside   lean                              what is kept out of memory
             demo                              a feed that behaves like ESPN's; shares no code
"""
