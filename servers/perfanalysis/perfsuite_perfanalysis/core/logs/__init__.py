"""Logs as groups of what says the same."""
