"""What the rest stands on: ``settings``, ``errors``, ``clock``, ``leagues`` (the table of leagues),
``records`` (what the feed sent), ``logs`` and ``processes``.
"""
