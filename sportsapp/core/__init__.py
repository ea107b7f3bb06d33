"""What the rest stands on: settings, errors, clock, leagues, records, logs, processes."""
