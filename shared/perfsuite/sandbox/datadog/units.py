"""The units that answers carry. What a number means follows from `scale_factor` alone, as with the real service."""

from typing import Any, Final

Unit = dict[str, Any]


def _unit(number: int, family: str, name: str, short: str | None, plural: str, scale: float) -> Unit:
    return {
        "family": family,
        "id": number,
        "name": name,
        "short_name": short,
        "plural": plural,
        "scale_factor": scale,
    }


UNITS: Final[dict[str, Unit]] = {
    found["name"]: found
    for found in (
        _unit(2, "bytes", "byte", "B", "bytes", 1.0),
        _unit(4, "bytes", "mebibyte", "MiB", "mebibytes", 1048576.0),
        _unit(7, "time", "nanosecond", "ns", "nanoseconds", 1e-9),
        _unit(9, "time", "microsecond", "μs", "microseconds", 1e-6),
        _unit(10, "time", "millisecond", "ms", "milliseconds", 1e-3),
        _unit(11, "time", "second", "s", "seconds", 1.0),
        _unit(17, "percentage", "percent", "%", "percent", 1.0),
        _unit(20, "percentage", "fraction", None, "fractions", 100.0),
        _unit(30, "cpu", "core", None, "cores", 1.0),
        _unit(125, "cpu", "nanocore", "ncores", "nanocores", 1e-9),
        _unit(40, "general", "request", "req", "requests", 1.0),
        _unit(41, "general", "error", "err", "errors", 1.0),
    )
}


def unit_of(name: str | None) -> Unit | None:
    """The unit as an answer carries it."""
    return UNITS[name] if name else None
