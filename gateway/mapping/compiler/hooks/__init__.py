"""Hooks, their proofs and polls, compiled."""
