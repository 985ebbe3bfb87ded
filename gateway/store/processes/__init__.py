"""Which gateways are at work on the store: their rows, and the lock beside a SQLite file."""
