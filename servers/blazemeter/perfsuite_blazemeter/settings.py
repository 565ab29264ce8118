"""What the blazemeter server reads from the environment."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from perfsuite.errors import BadSettings
from perfsuite.settings import EnvSettings, from_env, is_this_machine, remember_secret

_API_PATH = "/api/v4"
_LARGEST_KEY_FILE = 64 * 1024
_OBTAIN = "Make a key in BlazeMeter under Settings, API Keys."


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname or "")):
        raise PydanticCustomError("base_url", "an https address is expected; http is taken for this machine alone")
    return value.rstrip("/") if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}{_API_PATH}"


@dataclass(frozen=True)
class Credentials:
    """A key of BlazeMeter: its id and its secret."""

    key_id: str = field(repr=False)
    secret: SecretStr


class BlazeMeterSettings(EnvSettings):
    """Which BlazeMeter is asked, and as whom."""

    key_file: Path | None = from_env(
        "BLAZEMETER_API_KEY",
        default=None,
        purpose='the path of a JSON file {"id": ..., "secret": ...} with a key of BlazeMeter',
        obtain=f"{_OBTAIN} The file is what it offers for download. Not needed with API_KEY_ID and API_KEY_SECRET.",
    )
    key_id: str | None = from_env(
        "API_KEY_ID",
        default=None,
        purpose="the id of a key of BlazeMeter",
        obtain=f"{_OBTAIN} It goes together with API_KEY_SECRET.",
    )
    key_secret: SecretStr | None = from_env(
        "API_KEY_SECRET",
        default=None,
        purpose="the secret of a key of BlazeMeter",
        obtain=f"{_OBTAIN} It goes together with API_KEY_ID.",
    )
    base_url: Annotated[str, AfterValidator(_base_url)] = from_env(
        "BLAZEMETER_BASE_URL",
        default="https://a.blazemeter.com/api/v4",
        purpose="the address of BlazeMeter's API",
        obtain="The default is https://a.blazemeter.com/api/v4.",
    )

    @property
    def credentials(self) -> Credentials:
        """The pair of variables if it is there, else what the file says."""
        if self.key_id and self.key_secret:
            return Credentials(self.key_id, self.key_secret)
        if self.key_id or self.key_secret:
            missing = "API_KEY_SECRET" if self.key_id else "API_KEY_ID"
            raise BadSettings(f"{missing} is not set, and the other half of the key is.", next_step=_next(missing))
        if self.key_file:
            return _KeyFile.read(self.key_file).credentials
        raise BadSettings("No key of BlazeMeter is set.", next_step=_next("BLAZEMETER_API_KEY"))


@dataclass(frozen=True)
class _KeyFile:
    id: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        try:
            with path.expanduser().open("rb") as file:
                parsed: Any = json.loads(file.read(_LARGEST_KEY_FILE))
            found = TypeAdapter(cls).validate_python(parsed)
        except OSError as error:
            raise _bad_file(path, f"cannot be read: {error.strerror}") from None
        except (ValidationError, ValueError, RecursionError):
            raise _bad_file(path, 'is not JSON of the form {"id": ..., "secret": ...}') from None
        if not found.id or not found.secret:
            raise _bad_file(path, "holds an empty id or secret")
        remember_secret(found.secret)
        return found

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.id, SecretStr(self.secret))


def _bad_file(path: Path, problem: str) -> BadSettings:
    return BadSettings(
        f"BLAZEMETER_API_KEY names {str(path)!r}, which {problem}.",
        next_step="Point it at the file with the key that BlazeMeter offers for download, as an absolute path.",
    )


def _next(name: str) -> str:
    return (
        f"Set {name} in the environment of the client that starts perfsuite, then start it again. {_OBTAIN} A key is "
        'given as BLAZEMETER_API_KEY, the path of its JSON file {"id", "secret"}, or as API_KEY_ID and API_KEY_SECRET.'
    )
