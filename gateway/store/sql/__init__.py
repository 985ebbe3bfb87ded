"""SQL: how it is written for both databases, and where it is carried out."""
