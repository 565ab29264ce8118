"""The whole workflow without a model: what `perfsuite run` asked for, carried out by the tools that agents call.

wishes   what was asked for
told     what came of it, as --json prints it
servers  the servers, each started when it is first needed
talk     one run's conversation with them: what is done already, what a call answered, whether its files are there
stages   which calls carry out which steps
drive    the runs one after the other, from `start_workflow` to `get_workflow_summary`
watching how it looks in a terminal, in a log, and not at all
"""
