"""The outside world: the HTTP API."""
