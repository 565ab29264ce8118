"""The perfanalysis server: questions about the samples of a run, and their analysis."""
