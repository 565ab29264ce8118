"""How large the shop is, and what follows from that.

Users of a closed model think for Z, ask for one step, and wait for its answer. Every step takes s on one of c workers.
One user alone asks once in Z + s, and the workers together never serve more than c/s; the two lines meet at the knee:

    N* = c (1 + Z/s)     throughput = min(N / (Z + s), c/s)     response time = max(s, N s/c - Z)
"""

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field, model_validator

from perfsuite.errors import BadInput

Step = Literal["login", "list", "detail", "checkout"]
STEPS: Final[tuple[Step, ...]] = ("login", "list", "detail", "checkout")


class ShopSpec(BaseModel):
    """The shop as it was ordered. Times are those of a shop without faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: int = Field(default=8, ge=1, le=256, description="workers of all hosts together (c)")
    service_ms: float = Field(default=25, ge=1, le=10_000, description="how long a worker takes for a step (s)")
    spread: float = Field(default=0, ge=0, le=0.9, description="service times vary evenly by this share, up and down")
    hosts: int = Field(default=2, ge=1, le=32, description="hosts that the workers are dealt out to")
    queue_length: int = Field(default=100, ge=0, le=100_000, description="waiting requests; the next one gets a 503")
    queue_timeout_ms: float = Field(default=10_000, ge=1, le=600_000, description="longest wait; after it, a 504")
    items: int = Field(default=50, ge=1, le=1_000, description="items on sale")
    memory_mb: float = Field(default=2_048, ge=1_024, le=1e6, description="memory of a host")
    seed: int = Field(default=1, ge=0, description="chance begins here: the same seed, the same shop")

    @model_validator(mode="after")
    def _gives_every_host_a_worker(self) -> Self:
        if self.hosts > self.workers:
            raise ValueError(f"{self.hosts} hosts cannot share {self.workers} workers")
        return self

    @classmethod
    def of(cls, **values: float) -> Self:
        """The spec of these values, or an error that names the wrong one."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            found = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'spec'}: {p['msg']}" for p in error.errors())
            raise BadInput(f"There is no such shop: {found}.", next_step="Correct these values.") from None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def capacity_per_s(self) -> float:
        """The most requests that the workers serve in a second (c/s)."""
        return self.workers / self.service_ms * 1000

    @property
    def host_names(self) -> tuple[str, ...]:
        return tuple(f"shop-{number}" for number in range(1, self.hosts + 1))

    def host_of(self, worker: int) -> int:
        """The number of the host that a worker belongs to: they are dealt out in turn."""
        return worker % self.hosts

    def workers_of(self, host: int) -> int:
        return len(range(host, self.workers, self.hosts))

    def knee(self, think_ms: float) -> float:
        """The users above which the workers are the bottleneck (N*)."""
        return self.workers * (1 + think_ms / self.service_ms)

    def throughput_per_s(self, users: int, think_ms: float) -> float:
        """Requests per second of so many users, as the model says."""
        return min(users / (think_ms + self.service_ms) * 1000, self.capacity_per_s)

    def response_ms(self, users: int, think_ms: float) -> float:
        """The response time that so many users see, as the model says."""
        return max(self.service_ms, users * self.service_ms / self.workers - think_ms)
