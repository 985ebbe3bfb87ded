"""What is wrong with a mapping that reads well: one file a question."""
