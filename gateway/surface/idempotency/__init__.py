"""Writes that a caller may repeat, and what became of those in doubt."""
