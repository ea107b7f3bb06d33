"""What is wrong, and who is notified: checks, alerts, readiness, metrics."""
