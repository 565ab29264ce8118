"""Values in, values out: no network, no disk."""
