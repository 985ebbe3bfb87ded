"""A mapping's parts, compiled."""
