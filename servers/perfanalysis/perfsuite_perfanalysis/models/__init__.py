"""What the tools take and what they answer."""
