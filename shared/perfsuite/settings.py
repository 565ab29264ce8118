"""Settings come from the environment, once, into frozen models.

A field is declared with `from_env`, which carries what the variable is for and where to get it, so that the error
about a missing one can say so. A secret may also stand in a file that `NAME_FILE` names. Every secret that was read is
remembered here, and `redact` takes all of them out of a text: logs and errors pass through it on their way out.
"""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from perfsuite.errors import BadSettings

REDACTED = "[redacted]"
_SHORTEST_SECRET = 4
_REFERENCE = re.compile(r"\$\{[^{}]*\}")
_secrets: set[str] = set()


def from_env(name: str, *, purpose: str, obtain: str, default: Any = PydanticUndefined) -> Any:
    """Declare a field that is read from the environment variable `name`."""
    return Field(default=default, description=purpose, json_schema_extra={"env": name, "obtain": obtain})


def remember_secret(value: str) -> None:
    """Have `redact` remove this value from now on. Values too short to be told from ordinary words are not kept."""
    if len(value) >= _SHORTEST_SECRET:
        _secrets.add(value)


def redact(text: str) -> str:
    """The text without any secret that was ever read in this process."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text


def given(environ: Mapping[str, str], name: str) -> str:
    """The value of a variable, or nothing.

    Some clients pass a reference in their configuration on as it is, such as ${NAME}, when they know no value for it.
    """
    value = environ.get(name, "").strip()
    return "" if _REFERENCE.fullmatch(value) else value


def is_this_machine(host: str) -> bool:
    """Whether this host name or address is that of the machine itself, where plain http harms nobody."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class EnvSettings(BaseModel):
    """The base of every settings model: frozen, and filled by `load`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read every declared variable, or raise an error that names each one that is missing or wrong."""
        env = os.environ if environ is None else environ
        values = {field: found for field, info in cls.model_fields.items() if (found := _read(info, env)) is not None}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False)
            raise BadSettings(
                " ".join(_problem(cls.model_fields[str(p["loc"][0])], p["type"], p["msg"]) for p in problems),
                next_step="Set it in the environment of the client that starts perfsuite, then start it again.",
            ) from None


def _extra(info: FieldInfo) -> dict[str, str]:
    extra = info.json_schema_extra
    return {k: str(v) for k, v in extra.items()} if isinstance(extra, dict) else {}


def _read(info: FieldInfo, env: Mapping[str, str]) -> str | None:
    name = _extra(info)["env"]
    secret = _is_secret(info)
    value = given(env, name)
    if not value and secret and (file := given(env, f"{name}_FILE")):
        value = _read_secret_file(name, file)
    if value and secret:
        remember_secret(value)
    return value or None


def _is_secret(info: FieldInfo) -> bool:
    return "SecretStr" in str(info.annotation) or info.annotation is SecretStr


def _read_secret_file(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadSettings(
            f"{name}_FILE names {file!r}, which cannot be read: {reason}.",
            next_step=f"Point {name}_FILE at a readable text file that holds nothing but the secret.",
        ) from None


def _problem(info: FieldInfo, kind: str, message: str) -> str:
    extra = _extra(info)
    what = "is not set" if kind == "missing" else f"is not usable: {message.removeprefix('Value error, ')}"
    return f"{extra['env']} {what}. It is {info.description}. {extra['obtain']}"


class SuiteSettings(EnvSettings):
    """What every server and the command line share."""

    artifacts_dir: Path = from_env(
        "PERFSUITE_ARTIFACTS_DIR",
        default=Path("artifacts"),
        purpose="the folder that holds all run folders",
        obtain="Any writable folder but the root of the file system; the default is ./artifacts.",
    )
    config_dir: Path | None = from_env(
        "PERFSUITE_CONFIG_DIR",
        default=None,
        purpose="the folder with slas.yaml, environments.yaml and the other configuration files",
        obtain="By default the project folder, then the user's configuration folder.",
    )
    read_only: bool = from_env(
        "PERFSUITE_READ_ONLY",
        default=False,
        purpose="a switch that leaves out every tool that changes something outside the run folder",
        obtain="1 or 0; the default is 0.",
    )
    log_level: str = from_env(
        "PERFSUITE_LOG_LEVEL",
        default="WARNING",
        purpose="how much goes to standard error: DEBUG, INFO, WARNING or ERROR",
        obtain="The default is WARNING.",
    )
