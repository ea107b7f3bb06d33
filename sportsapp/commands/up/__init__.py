"""`flask up`: ``command`` is its story, ``children`` what it starts, ``supervisor`` how that runs.

``broker`` is the embedded broker, ``prepare`` what comes first for parts that are started by hand.
"""
