"""What was received, what happened, and what is known of it."""
