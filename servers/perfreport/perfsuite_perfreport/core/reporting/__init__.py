"""What a report says, drawn from the analyses of a run."""
