"""Messages of providers: verified, read, kept and answered."""
