"""Finding a JMeter that really works: where it may be, whether it does, and making one from packages."""
