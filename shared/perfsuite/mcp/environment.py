"""The environment variables that say how a server is reached."""

from typing import Literal

from pydantic import SecretStr

from perfsuite.settings import EnvSettings, from_env


class ServingSettings(EnvSettings):
    """What only a running server needs to know."""

    era: Literal["auto", "legacy"] = from_env(
        "MCP_ERA",
        default="auto",
        purpose="the generations of the protocol to speak: both, or only the one that begins with `initialize`",
        obtain="auto or legacy; the default is auto. Take legacy for a client that asks for both and then gives up.",
    )
    http_token: SecretStr | None = from_env(
        "PERFSUITE_HTTP_TOKEN",
        default=None,
        purpose="the token that clients must send over HTTP, as `Authorization: Bearer ...`",
        obtain="Make one up, for instance with `openssl rand -hex 32`.",
    )
