"""What held a system back: one look for each class, from patterns in time and never from averages."""

from perfsuite_perfanalysis.core.bottlenecks.looking import look

__all__ = ["look"]
