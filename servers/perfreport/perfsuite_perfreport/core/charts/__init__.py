"""Charts: numbers in, pictures out. Nothing here keeps a state, and nothing touches that of matplotlib."""
