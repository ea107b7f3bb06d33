"""Bringing the database up to date: what changes (plan, pure) and writing it (service)."""
