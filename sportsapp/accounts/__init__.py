"""Who may sign in to the panel: ``accounts`` and ``passwords``; who has: ``sessions``; who
did what: ``activity``."""
