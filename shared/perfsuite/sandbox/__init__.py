"""Services on this machine that stand in for real ones, for trying the suite and for tests.

shop      a sample service whose capacity, load and faults are known exactly
plan      the JMeter plan that drives the shop
blazemeter, datadog
          services that answer as those do, with runs made from any result file and a load to match
standins  what they have in common: faults, a journal of requests, evidence, pages for testers
up        all of them at once
clock     the time that a stand-in lives in
running   start one as a process of its own, and be sure that it ends
serving   how such a process listens, says that it is ready, and ends
commands  `perfsuite sandbox ...`, which is also `python -m perfsuite.sandbox ...`
"""
