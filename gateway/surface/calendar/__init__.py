"""Calendar feeds for calendar programmes."""
