"""Calls and how they prove who we are, compiled."""
