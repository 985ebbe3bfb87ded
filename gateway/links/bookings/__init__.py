"""What a marketplace books and cancels through a link, and what is left open."""
