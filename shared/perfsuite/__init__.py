"""The library that all perfsuite servers stand on."""

__version__ = "0.1.0"
