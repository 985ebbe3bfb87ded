"""What links sold, told and booked."""
