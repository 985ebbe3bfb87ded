"""Events on their way to subscribers: signed, sent, repeated."""
