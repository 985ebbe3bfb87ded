"""The values that travel between the stages, and what can go wrong with them. Nothing here does anything."""
