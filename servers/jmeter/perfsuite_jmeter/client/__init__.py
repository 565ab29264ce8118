"""The outside world of the jmeter server: JMeter, Java and their processes."""
