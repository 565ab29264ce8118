"""What the tools take and answer, and what lies in a run folder of the jmeter server."""
