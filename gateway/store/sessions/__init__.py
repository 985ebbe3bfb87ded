"""What sessions at providers live by, encrypted, and logins that a person has begun."""
