"""The database: engine and column types, models, queries, migrations, copies."""
