"""What a link sells: the club's calendar, and what the marketplace is told of it."""
