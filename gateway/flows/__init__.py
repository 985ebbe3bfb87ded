"""Many calls: what the gateway does by itself, without a caller waiting."""
