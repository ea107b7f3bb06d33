"""Who may sign in to the panel: ``accounts``, and ``sessions`` of who is signed in."""
