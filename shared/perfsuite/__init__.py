"""The library that all perfsuite servers stand on."""

from importlib.metadata import version

__version__ = version("perfsuite")
