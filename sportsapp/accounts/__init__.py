"""Who may sign in to the panel: the accounts, and the sessions of those who did."""
