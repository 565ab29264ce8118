"""What the tools do. Everything they need comes as arguments."""
