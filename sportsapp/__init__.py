"""Sports Game Tracker: live NFL, NBA, MLB and NHL scores in a Flask app of your own.

One way through: fetch, plan, store. A module imports only from lower floors::

    floor 9  app.py, wsgi.py, huey_config.py   the doors: development, web server, consumer
    floor 8  factory                           create_app: the one place where parts are joined
    floor 7  commands, web, api                what people and programs ask
    floor 6  tasks                             what Huey runs: one service call each
    floor 5  sync.service                      brings leagues, teams and games up to date
    floor 4  queries, ledger                   reads for pages and services; the record of task runs
    floor 3  models                            the tables
    floor 2  database, queue, throttle,        the database, the two queues, the feed's pace,
             espn.client                       and the only HTTP
    floor 1  espn.parse, sync.plan, settings,  pure: JSON to records, records to changes;
             clock                             the settings; the clock
    floor 0  records, leagues, errors          what the feed said; the table of leagues; our errors
    beside   demo                              a feed that behaves like ESPN's; shares no code
"""
