"""Pure computation."""
