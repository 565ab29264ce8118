"""What the tools do: everything they need comes as arguments."""
