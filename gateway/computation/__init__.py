"""How much may be computed, where, and whose turn it is."""
