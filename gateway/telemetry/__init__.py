"""What can be seen of the gateway at work."""
