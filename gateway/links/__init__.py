"""Links: what a club has free, sold on a marketplace that calls us."""
