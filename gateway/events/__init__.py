"""What happened to bookings, told once."""
