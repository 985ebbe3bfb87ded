"""Events for callers: fetched, streamed, and subscribed to."""
