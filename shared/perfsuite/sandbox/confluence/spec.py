"""What a stand-in of Confluence is made of."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from perfsuite.errors import BadInput

Flavour = Literal["cloud", "onprem"]

_KB: Final = 1024
BODY_LIMIT: Final = 5 * _KB * _KB
"""So many bytes a call of the REST API may have on Data Center, as its knowledge base says."""


@dataclass(frozen=True)
class SpaceSpec:
    """A space and the titles in it."""

    key: str
    name: str
    titles: tuple[str, ...] = ()
    """Of the pages under the home page. `A/B` is a page B under A."""
    is_read_only: bool = False
    """Whether whoever asks may only look."""


RETAIL: Final = SpaceSpec(
    "PERF", "Performance Testing", ("Load test reports", "Load test reports/2026", "Load test reports/2025", "How to")
)
SPACES: Final = (
    RETAIL,
    SpaceSpec("PERFARCH", "Performance Testing (archive)", ("Load test reports",), is_read_only=True),
    SpaceSpec("QA", "Quality", ("Load test reports", "Test plans")),
    *(SpaceSpec(f"TEAM{number}", f"Team {number}") for number in range(1, 31)),
)
"""More than come by default."""


@dataclass(frozen=True)
class ConfluenceSpec:
    """One site."""

    flavour: Flavour = "cloud"
    spaces: tuple[SpaceSpec, ...] = SPACES
    context_path: str = ""
    """Under which a server on premises is reached, such as `/confluence`."""
    attachment_limit: int = 10 * _KB * _KB
    body_limit: int = BODY_LIMIT
    most_on_a_page: int = 250
    """So many rows come at most, whatever limit is asked for."""
    cloud_id: str = "5a6d0000-0000-4000-8000-000000000001"
    email: str = "sandbox@example.com"
    api_token: str = "sandbox-api-token"  # noqa: S105 - obviously nobody's, as all of these
    scoped_token: str = "sandbox-scoped-token"  # noqa: S105
    """The token with scopes, which is taken at the gateway alone."""
    pat: str = "sandbox-personal-access-token"
    user: str = "sandbox"
    password: str = "sandbox-password"  # noqa: S105

    def __post_init__(self) -> None:
        for name, low in (("attachment_limit", 1), ("body_limit", 1), ("most_on_a_page", 1)):
            if getattr(self, name) < low:
                raise BadInput(f"`{name}` is {getattr(self, name)}.", next_step=f"Give at least {low}.")
        if self.context_path and not self.context_path.startswith("/"):
            raise BadInput(f"`context_path` is {self.context_path!r}.", next_step="Begin it with a slash.")

    @property
    def is_cloud(self) -> bool:
        return self.flavour == "cloud"

    def of(self, flavour: Flavour) -> "ConfluenceSpec":
        """The same site in the other flavour."""
        return replace(self, flavour=flavour)
