"""What the all-in-one server reads from the environment, and its command line sets."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from perfsuite.settings import EnvSettings, from_env
from perfsuite_suite.choices import SERVERS, Preset


def _names(value: Any) -> Any:
    """The names in a list with commas, each once, in the order of a run."""
    named = {part.strip().removesuffix("-mcp") for part in str(value).split(",") if part.strip()}
    if unknown := sorted(named - set(SERVERS)):
        raise ValueError(f"it should name some of {', '.join(SERVERS)}; found {', '.join(map(repr, unknown))}")
    return tuple(name for name in SERVERS if name in named) or SERVERS


class AllInOneSettings(EnvSettings):
    """Which tools the server offers."""

    servers: Annotated[tuple[str, ...], BeforeValidator(_names)] = from_env(
        "PERFSUITE_SERVERS",
        default=SERVERS,
        purpose="the servers whose tools perfsuite-mcp offers, with commas, such as blazemeter,datadog",
        obtain="By default all of them. The same as --only.",
    )
    preset: Preset = from_env(
        "PERFSUITE_PRESET",
        default="all",
        purpose="how many of their tools it offers: all, or core, which is at most 40",
        obtain="The default is all. The same as --preset.",
    )
