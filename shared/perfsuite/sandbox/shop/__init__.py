"""The shop: login, list, detail and checkout, served by workers that sleep.

spec      how large the shop is, and what follows from that: its knee
workers   the queue in front of the workers, computed rather than awaited
faults    what can be made to go wrong, and when it did
meter     the modelled CPU and memory of every host, by the second
service   the shop itself: what one request costs
pages     what shoppers see
control   what testers see: the truth, the metrics, the faults
"""
