"""Field tables, compiled."""
