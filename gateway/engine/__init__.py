"""One call of a caller, from its arguments to its result."""
