"""The database: engine, models, queries, migrations, copies."""
