"""What a plan says is done: its operation, windows and steps, and what is found in the answers."""
