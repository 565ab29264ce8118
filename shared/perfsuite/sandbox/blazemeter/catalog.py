"""Accounts, workspaces, projects and tests."""

from dataclasses import dataclass
from typing import Final, Literal

SINCE: Final = 1_760_000_000
"""When all of these were made, in seconds since the epoch."""
USER_ID: Final = 51
LOCATIONS: Final = ("us-east4-a", "eu-west-1", "harbor-5f00000000000000000000aa")
"""The last one is a private location."""


@dataclass(frozen=True)
class Account:
    id: int
    name: str


@dataclass(frozen=True)
class Workspace:
    id: int
    name: str
    account_id: int


@dataclass(frozen=True)
class Project:
    id: int
    name: str
    workspace_id: int


@dataclass(frozen=True)
class Threshold:
    """When a run has failed."""

    field: Literal["errors.percent", "responseTime.percentile.90", "responseTime.avg"]
    op: Literal["gt", "lt"]
    limit: float


@dataclass(frozen=True)
class LoadTest:
    id: int
    name: str
    project_id: int
    thresholds: tuple[Threshold, ...] = ()


ACCOUNTS: Final = (Account(9, "Sandbox"), Account(10, "Sandbox of a partner"))
RETAIL: Final = Workspace(1101, "Retail", 9)
WORKSPACES: Final = (
    RETAIL,
    Workspace(1102, "Retail EU", 9),
    Workspace(1103, "Empty", 9),
    *(Workspace(1110 + number, f"Team {number}", 9) for number in range(1, 11)),
    Workspace(1201, "Partner", 10),
)
"""More than the ten that come by default."""
CHECKOUT: Final = Project(2101, "Checkout", RETAIL.id)
PROJECTS: Final = (CHECKOUT, Project(2102, "Search", RETAIL.id), Project(2103, "Checkout", 1102))
LIMITS: Final = (Threshold("errors.percent", "gt", 10), Threshold("responseTime.percentile.90", "gt", 5000))
CHECKOUT_TEST: Final = LoadTest(3001, "checkout-flow", CHECKOUT.id, LIMITS)
STRICT_TEST: Final = LoadTest(3002, "checkout-flow strict", CHECKOUT.id, (Threshold("errors.percent", "gt", 0),))
TESTS: Final = (
    CHECKOUT_TEST,
    STRICT_TEST,
    LoadTest(3003, "checkout-spike", CHECKOUT.id),
    LoadTest(3004, "search-api", 2102),
)
