"""Messages that say the same, found by Drain in an order that does not depend on that of the files."""

import re
from collections.abc import Iterable
from typing import Final

from perfsuite.samples.patterns import masked

SIMILAR: Final = 0.4
DEPTH: Final = 4
MOST_BRANCHES: Final = 100
_QUOTED: Final = re.compile(r"\"[^\"]{1,200}\"|(?<!\w)'[^']{1,200}'(?!\w)")
_DATED: Final = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?\b")
_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LONGEST: Final = 1_200


def plain(message: str) -> str:
    """A message without what differs from one time to the next: what is quoted, times, addresses, numbers."""
    text = _ANSI.sub("", message[:_LONGEST])
    return masked(_QUOTED.sub("<text>", _DATED.sub("<time>", text)))


def mine(messages: Iterable[str]) -> dict[str, str]:
    """The template of each plain message."""
    from drain3.drain import Drain  # type: ignore[import-untyped]

    # Without its miner, which keeps its state on disk as pickled objects.
    drain = Drain(depth=DEPTH, sim_th=SIMILAR, max_children=MOST_BRANCHES, param_str="<*>")
    clusters = {}
    for message in sorted(set(messages), key=lambda one: (len(one.split()), one)):
        cluster, _ = drain.add_log_message(message)
        clusters[message] = cluster.cluster_id
    found = {cluster.cluster_id: cluster.get_template() for cluster in drain.clusters}
    return {message: found[number] for message, number in clusters.items()}
