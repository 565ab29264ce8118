import email.utils
import math
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_httpx import HTTPXMock

from perfsuite.errors import BadAnswer, PerfsuiteError, RateLimited, RemoteError, Unreachable
from perfsuite.http import ApiClient, HttpSettings, Service
from perfsuite.http.waits import asked_wait_s
from shared.http.loopback import FakeTime

SERVICE = Service("Example", "https://api.example.test")
URL = "https://api.example.test/x"
NOW = 1_800_000_000.0


@dataclass
class Script(httpx.AsyncBaseTransport):
    """Plays one outcome after another, each taking some time; remembers what the server has seen of them."""

    outcomes: list[object]
    time: FakeTime
    takes_s: float = 0.0
    sends: int = 0
    arrived: list[object] = field(default_factory=list)

    async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
        outcome = self.outcomes[min(self.sends, len(self.outcomes) - 1)]
        self.sends += 1
        self.time.now += self.takes_s
        if isinstance(outcome, httpx.Response):
            self.arrived.append(outcome.status_code)
            stream = outcome.stream if isinstance(outcome.stream, Broken) else httpx.ByteStream(outcome.content)
            return httpx.Response(outcome.status_code, headers=outcome.headers, stream=stream)
        assert isinstance(outcome, Exception)
        if not isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError):
            self.arrived.append(outcome)
        raise outcome


class Broken(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"half": '
        raise httpx.ReadError("")


def status(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(code, headers={k.replace("_", "-"): v for k, v in headers.items()}, content=b"{}")


OK = status(200)
HALF = httpx.Response(200, stream=Broken())


def client(script: Script, **settings: float) -> ApiClient:
    return ApiClient(SERVICE, HttpSettings(**settings), transport=script, timing=script.time.timing)


@pytest.mark.parametrize(
    "trouble",
    [
        status(429),
        status(500),
        status(503),
        HALF,
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout(""),
        httpx.PoolTimeout(""),
        httpx.ReadTimeout(""),
        httpx.ReadError(""),
        httpx.WriteError(""),
        httpx.WriteTimeout(""),
        httpx.RemoteProtocolError("server disconnected"),
        httpx.ProxyError("502 Bad Gateway"),
    ],
)
async def test_three_troubles_are_survived_and_the_fourth_is_told(trouble: object) -> None:
    survived = Script([trouble, trouble, trouble, OK], FakeTime())
    assert await client(survived).get("x") == {}
    told = Script([trouble], FakeTime())
    with pytest.raises(PerfsuiteError, match=r"It was tried 4 times\."):
        await client(told).get("x")
    assert (survived.sends, told.sends) == (4, 4)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 409, 410, 422])
async def test_what_would_fail_again_is_not_sent_again(code: int) -> None:
    script = Script([status(code)], FakeTime())
    with pytest.raises(PerfsuiteError):
        await client(script).get("x")
    assert script.sends == 1


async def test_waits_double_and_are_spread_over_their_whole_length() -> None:
    patient, lucky = FakeTime(chance=1.0), FakeTime(chance=0.25)
    for time in (patient, lucky):
        with pytest.raises(RemoteError):
            await client(Script([status(500)], time)).get("x")
    assert patient.slept == [0.5, 1.0, 2.0]
    assert lucky.slept == [0.125, 0.25, 0.5]


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "7", "X_RateLimit_Reset": "3"}, 7),
        ({"Retry_After": email.utils.formatdate(NOW + 9, usegmt=True)}, 9),
        ({"X_RateLimit_Reset": "11"}, 11),
        ({"X_RateLimit_Reset": str(int(NOW) + 12)}, 12),
        ({"X_RateLimit_Reset": str(int(NOW + 13) * 1000)}, 13),
        ({"X_RateLimit_Reset": "2027-01-15T08:00:14Z"}, 14),
        ({"RateLimit_Reset": "6.5"}, 6.5),
        ({"Retry_After": "soon", "RateLimit_Reset": "5"}, 5),
        # The server's clock runs an hour ahead of ours.
        (
            {
                "Date": email.utils.formatdate(NOW + 3600, usegmt=True),
                "Retry_After": email.utils.formatdate(NOW + 3608, usegmt=True),
            },
            8,
        ),
    ],
)
async def test_a_429_is_waited_for_as_long_as_the_service_asks(headers: dict[str, str], waits: float) -> None:
    time = FakeTime()
    assert await client(Script([status(429, **headers), OK], time)).get("x") == {}
    assert time.slept == [waits]


async def test_a_wait_of_nothing_still_backs_off() -> None:
    time = FakeTime()
    await client(Script([status(429, Retry_After="0"), OK], time)).get("x")
    assert time.slept == [0.5]


async def test_a_rate_limit_header_on_a_fault_does_not_delay_the_next_try() -> None:
    time = FakeTime()
    await client(Script([status(500, X_RateLimit_Reset="3600"), OK], time)).get("x")
    assert time.slept == [0.5]


async def test_a_wait_longer_than_the_deadline_is_told_and_not_slept() -> None:
    time = FakeTime()
    with pytest.raises(RateLimited) as caught:
        await client(Script([status(429, X_RateLimit_Reset="1800")], time), deadline_s=30).get("x")
    assert time.slept == []
    assert "The service asked to wait 1800 s. This call had 30 s left." in caught.value.message
    assert caught.value.next_step == "Wait 1800 s, then try again."


async def test_a_busy_service_that_asks_for_too_long_a_wait_is_told_too() -> None:
    with pytest.raises(RemoteError, match="The service asked to wait 600 s"):
        await client(Script([status(503, Retry_After="600")], FakeTime())).get("x")


async def test_after_four_refusals_the_last_wait_is_told() -> None:
    with pytest.raises(RateLimited, match=r"It was tried 4 times\. The service asked to wait 2 s\. Wait 2 s"):
        await client(Script([status(429, Retry_After="2")], FakeTime())).get("x")


async def test_slow_tries_use_up_the_deadline() -> None:
    time = FakeTime()
    script = Script([httpx.ReadTimeout("")], time, takes_s=20)
    with pytest.raises(Unreachable, match="tried 3 times"):
        await client(script, deadline_s=45).get("x")
    assert script.sends == 3


async def test_one_call_may_have_a_deadline_of_its_own(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=429, headers={"Retry-After": "30"})
    with pytest.raises(RateLimited, match="had 10 s left"):
        await ApiClient(SERVICE, timing=FakeTime().timing).get("x", deadline_s=10)


@pytest.mark.parametrize("method", ["post", "patch"])
@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadTimeout(""),
        httpx.ReadError(""),
        httpx.WriteTimeout(""),
        httpx.RemoteProtocolError(""),
        status(500),
        HALF,
    ],
)
async def test_a_request_that_may_have_been_carried_out_is_not_sent_again(trouble: object, method: str) -> None:
    script = Script([trouble, OK], FakeTime())
    with pytest.raises(RemoteError) as caught:
        await getattr(client(script), method)("tests/1/start", json={})
    assert script.sends == 1
    assert "may or may not have been carried out" in caught.value.message
    assert caught.value.next_step.startswith("Look it up before sending it again.")


@pytest.mark.parametrize(
    "trouble",
    [status(429), httpx.ConnectError(""), httpx.ConnectTimeout(""), httpx.PoolTimeout(""), httpx.ProxyError("407 no")],
)
async def test_a_request_that_never_arrived_or_was_answered_429_is_sent_again(trouble: object) -> None:
    script = Script([trouble, trouble, OK], FakeTime())
    assert await client(script).post("tests/1/start", json={}) == {}
    assert script.sends == 3


async def test_a_request_that_was_turned_down_is_known_not_to_have_been_carried_out() -> None:
    for trouble in (status(400), status(429), httpx.ConnectError("")):
        with pytest.raises(PerfsuiteError) as caught:
            await client(Script([trouble], FakeTime())).post("x", json={})
        assert "may or may not" not in str(caught.value)


async def test_a_search_by_post_is_sent_again_like_any_reading() -> None:
    script = Script([httpx.ReadTimeout(""), status(502), OK], FakeTime())
    assert await client(script).post("logs/search", json={}, idempotent=True) == {}


async def test_a_broken_answer_that_cannot_be_read_again_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswer, match="broke off after 9 bytes, where JSON was expected"):
        await client(Script([HALF], FakeTime())).get("x")


async def test_a_refusal_whose_body_breaks_off_is_still_that_refusal() -> None:
    torn = httpx.Response(429, headers={"Retry-After": "3"}, stream=Broken())
    time = FakeTime()
    assert await client(Script([torn, OK], time)).get("x") == {}
    assert time.slept == [3]


OUTCOMES = st.one_of(
    st.builds(status, st.sampled_from([200, 400, 404, 429, 500, 503])),
    st.builds(
        lambda code, wait: status(code, Retry_After=wait), st.sampled_from([429, 503]), st.integers(0, 100).map(str)
    ),
    st.builds(lambda reset: status(429, X_RateLimit_Reset=reset), st.integers(0, 3_000_000_000).map(str)),
    st.sampled_from(
        [httpx.ConnectError(""), httpx.ConnectTimeout(""), httpx.ReadTimeout(""), httpx.ReadError(""), HALF]
    ),
)
PLANS = {
    "outcomes": st.lists(OUTCOMES, min_size=1, max_size=6),
    "deadline_s": st.floats(0.5, 200),
    "takes_s": st.floats(0, 30),
    "chance": st.floats(0, 1, exclude_max=True),
}


@given(**PLANS)
async def test_no_plan_of_troubles_gets_past_the_deadline_or_the_fourth_try(
    outcomes: list[object], deadline_s: float, takes_s: float, chance: float
) -> None:
    time = FakeTime(chance=chance)
    script = Script(outcomes, time, takes_s)
    ends = time.now + deadline_s
    with suppress(PerfsuiteError):
        await client(script, deadline_s=deadline_s).get("x")
    assert script.sends <= 4
    assert len(time.slept) == script.sends - 1
    # The last try may be under way when the deadline comes, but no sleep leads up to it or past it.
    assert not time.slept or time.now - takes_s < ends


@given(**PLANS)
async def test_no_plan_of_troubles_sends_again_what_may_have_been_carried_out(
    outcomes: list[object], deadline_s: float, takes_s: float, chance: float
) -> None:
    script = Script(outcomes, FakeTime(chance=chance), takes_s)
    with suppress(PerfsuiteError):
        await client(script, deadline_s=deadline_s).post("x", json={})
    assert all(outcome == 429 for outcome in script.arrived[:-1])
    assert script.sends <= 4


@given(status=st.sampled_from([429, 503]), value=st.text(max_size=40), now=st.floats(0, 4e9))
@example(status=429, value="9" * 15, now=0.0)
@example(status=429, value="Fri, 31 Dec 9999 23:59:59 -2359", now=0.0)
@example(status=429, value="0001-01-01T00:00:00+23:59", now=0.0)
@example(status=503, value="-5", now=0.0)
@example(status=503, value="\u0661\u0662", now=0.0)
def test_no_header_makes_the_wait_negative_or_endless(status: int, value: str, now: float) -> None:
    for name in ("retry-after", "x-ratelimit-reset", "date"):
        wait = asked_wait_s(status, {name: value}, now)
        assert wait is None or (wait >= 0 and math.isfinite(wait))
