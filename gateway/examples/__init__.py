"""Golden examples: read, played, and what they prove."""
