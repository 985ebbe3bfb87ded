"""What people wrote: read with places, held against declarations, and what is wrong with it."""
