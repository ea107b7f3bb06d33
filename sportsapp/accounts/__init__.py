"""Who may sign in to the panel: ``accounts``, ``passwords`` and ``passkeys``; who has:
``sessions``; who did what: ``activity``."""
