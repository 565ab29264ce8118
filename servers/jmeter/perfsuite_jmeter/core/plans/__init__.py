"""What a test plan does when it runs: its users, its targets, its files, and what is dangerous in it."""
