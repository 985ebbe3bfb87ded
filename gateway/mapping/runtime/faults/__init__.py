"""Whose fault it is that a value cannot be used, and how that is told."""
