"""What the environment says about the network."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from perfsuite.settings import EnvSettings, from_env

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class HttpSettings(EnvSettings):
    """Proxies are not here: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are read as other programs read them."""

    ca_bundle: Path | None = from_env(
        "PERFSUITE_CA_BUNDLE",
        default=None,
        purpose="a PEM file with certificate authorities to trust besides the usual ones",
        obtain="Ask whoever runs your network or proxy for it; it is not needed on an ordinary connection.",
    )
    timeout_s: Seconds = from_env(
        "PERFSUITE_HTTP_TIMEOUT_S",
        default=20.0,
        purpose="the seconds to wait for a connection, and for each next piece of an answer",
        obtain="The default is 20.",
    )
    deadline_s: Seconds = from_env(
        "PERFSUITE_HTTP_DEADLINE_S",
        default=45.0,
        purpose="the seconds that one request may take with all its retries",
        obtain="The default is 45, because MCP clients give up at about 60.",
    )
    call_deadline_s: Seconds = from_env(
        "PERFSUITE_CALL_DEADLINE_S",
        default=50.0,
        purpose="the seconds that one call of a tool may take with all its requests, unless it works as a job",
        obtain="The default is 50, because MCP clients give up at about 60.",
    )
    download_deadline_s: Seconds = from_env(
        "PERFSUITE_DOWNLOAD_DEADLINE_S",
        default=1800.0,
        purpose="the seconds that one download may take with all its retries",
        obtain="The default is 1800.",
    )
    max_answer_bytes: Annotated[int, Field(gt=0)] = from_env(
        "PERFSUITE_HTTP_MAX_ANSWER_BYTES",
        default=32 * 1024 * 1024,
        purpose="the largest JSON answer that is read into memory",
        obtain="The default is 33554432, which is 32 MiB.",
    )
