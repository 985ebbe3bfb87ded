"""From Request to Response: which addresses may be called, and the one HTTP client."""
