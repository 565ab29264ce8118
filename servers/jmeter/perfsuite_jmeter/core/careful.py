"""Reads a block of rows one by one, as an import would: for what is not as JMeter writes it."""

from collections import Counter
from io import BytesIO
from typing import Final

import numpy as np

from perfsuite.samples.options import DEFAULT_READ
from perfsuite.samples.readers import csv_rows
from perfsuite.samples.rows import ReadReport, Row
from perfsuite_jmeter.core.blocks import Block, Failure, engine_of, label_blocks
from perfsuite_jmeter.core.fields import Key, Layout

_TOO_LONG_MS: Final = 2**40


def read_carefully(header: bytes, rows: bytes, layout: Layout) -> Block:
    """What these records hold, and how many of them could not be read."""
    report = ReadReport()
    found = [
        row
        for row in csv_rows.read(BytesIO(header + rows), layout.dialect, DEFAULT_READ, report, lambda _: None)
        if row.elapsed_us < _TOO_LONG_MS * 1000
    ]
    if not found:
        return Block(rows=0, rejected=report.rows_rejected)
    keys = list(dict.fromkeys(_key(row) for row in found))
    numbers = {key: number for number, key in enumerate(keys)}
    starts = np.array([row.started_us // 1000 for row in found], np.int64)
    elapsed = np.array([round(row.elapsed_us / 1000) for row in found], np.int64)
    ids = np.array([numbers[_key(row)] for row in found], np.int64)
    return Block(
        rows=len(found),
        labels=label_blocks(keys, ids, starts, elapsed, np.array([row.success for row in found])),
        seconds=dict(Counter(((starts + elapsed) // 1000).tolist())),
        users={engine_of(row.thread or ""): row.all_threads for row in found if row.all_threads is not None},
        failures=_failures(found),
        rejected=report.rows_rejected,
    )


def _key(row: Row) -> Key:
    return Key(row.kind, row.label)


def _failures(rows: list[Row]) -> list[Failure]:
    together: dict[tuple[str, str, str, str], list[int]] = {}
    for row in rows:
        if not row.success and row.kind == "sample":
            texts = (row.response_code or "", row.response_message or "", row.failure_message or "")
            together.setdefault((row.label, *texts), []).append(row.started_us // 1000)
    return [Failure(*texts, len(moments), min(moments), max(moments)) for texts, moments in together.items()]
