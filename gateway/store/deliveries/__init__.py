"""Who is told of events, and how far that has come."""
