"""The booking gateway: one REST surface over every booking system, described in YAML."""

__version__ = "0.1.0"
