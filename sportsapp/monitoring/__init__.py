"""What is wrong, and who is notified: checks, alerts, webhook, readiness, metrics."""
