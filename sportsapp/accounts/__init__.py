"""Who may sign in to the panel."""
