"""The syncs: fetch from the feed, plan what changes, store it.

``table`` lists the syncs for tasks and commands. ``scoreboards`` decides which days to poll (live
days, the schedule) and polls them, ``backfill`` polls ranges, ``catalogue`` leagues, standings,
teams and rosters. ``plan`` holds the rules, with the modules that it imports, and is pure;
``load`` reads what an answer may change, ``store`` writes, ``watch`` handles a league's feed
errors, and ``context`` is what each sync is handed. ``auditor`` checks stored seasons by the rules
of ``audit``, which is pure too.
"""
