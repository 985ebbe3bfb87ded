"""A provider played from its own mapping and examples: credentials checked, state kept, answers in its own dialect."""
