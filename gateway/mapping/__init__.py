"""The language. No I/O, no clock, no randomness: text in, plans and values out."""
