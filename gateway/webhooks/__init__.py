"""Events: what providers tell us, verified and kept, and what we tell on, signed and repeated."""
