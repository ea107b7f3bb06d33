"""The feed: the only HTTP (client) and the only JSON walking (parse)."""
