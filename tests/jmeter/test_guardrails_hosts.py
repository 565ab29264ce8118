"""Which hosts the guard rails let pass, however they are written."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite_jmeter.core.plans.addresses import canonical_host, canonical_pattern, is_allowed, is_loopback

THIS_MACHINE = [
    "localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.0.0.9", "127.255.255.254", "127.1", "127.0.1",
    "2130706433", "::1", "[::1]", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", " 127.0.0.1 ",
]  # fmt: skip
ANY_ADDRESS = str(ipaddress.IPv4Address(0))
OTHERS = [
    "localhost.evil.com", "evil-localhost", "127.0.0.1.evil.com", "127.0.0.1.nip.io", "foo.localhost", "10.0.0.1",
    "128.0.0.1", ANY_ADDRESS, "::", "::1%lo", "[::2]", "::ffff:10.0.0.1", "2130706434x", "4294967296", "1.2.3.4.5",
    "127.0.0.256",
    # Java takes this for 177.0.0.1, and the C library for 127.0.0.1.
    "0177.0.0.1",
    # Names for Java, addresses for others.
    "0x7f.1", "0x7f000001", "127.0.0.0x1",
    "localhost@evil.com", "user:pw@localhost", "localhost/", "localhost#", "localhost?", "localhost:80",
    "http://localhost", "local host", "localhost\\@evil.com", "localhost,evil.com", "", " ", ".", "..", "localhost..",
    "-localhost", "a" * 300,
    # They look like this machine and are other names.
    "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "\uff4cocalhost", "loc\u0430lhost",
]  # fmt: skip


@pytest.mark.parametrize("host", THIS_MACHINE)
def test_this_machine_is_allowed_without_any_rule(host: str) -> None:
    assert is_loopback(host)
    assert is_allowed(host, ())


@pytest.mark.parametrize("host", OTHERS)
def test_nothing_else_is_this_machine(host: str) -> None:
    assert not is_loopback(host)
    assert not is_allowed(host, ())


@pytest.mark.parametrize(
    ("pattern", "host", "allowed"),
    [
        ("shop.example", "shop.example", True),
        ("shop.example", "SHOP.example.", True),
        ("shop.example", "shop.example.evil.com", False),
        ("shop.example", "xshop.example", False),
        ("*.shop.example", "a.shop.example", True),
        ("*.shop.example", "a.b.shop.example", True),
        ("*.shop.example", "shop.example", False),
        ("*.shop.example", "evilshop.example", False),
        # Within a name a star ends at the dot, so that nobody can go on behind it.
        ("staging-*", "staging-1", True),
        ("staging-*", "staging-1.evil.com", False),
        ("staging-?.example", "staging-1.example", True),
        ("staging-?.example", "staging-12.example", False),
        ("10.0.*.*", "10.0.3.4", True),
        ("10.0.*.*", "10.1.3.4", False),
        ("10.0.0.0/8", "10.200.1.2", True),
        ("10.0.0.0/8", "167772161", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.0/8", "ten.example", False),
        ("fd00::/8", "[fd00::1]", True),
        ("10.0.0.1", "10.1", True),
        ("m\u00fcnchen.example", "xn--mnchen-3ya.example", True),
        ("xn--mnchen-3ya.example", "M\u00dcNCHEN.example", True),
        ("*.m\u00fcnchen.example", "a.xn--mnchen-3ya.example", True),
        ("*", "anything.example", True),
        ("*", "any thing", False),
        ("*", "0177.0.0.1", False),
    ],
)
def test_a_pattern_allows_what_it_says_and_no_more(pattern: str, host: str, allowed: bool) -> None:
    assert is_allowed(host, [canonical_pattern(pattern)]) is allowed


@pytest.mark.parametrize(
    "pattern",
    ["http://shop.example", "shop.example:8080", "shop.example/x", "", "a b", "10.0.0.1/8", "*:80", "\u2026.*", "*/8"],
)
def test_a_pattern_that_cannot_be_a_host_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        canonical_pattern(pattern)


@given(st.ip_addresses(v=4))
def test_every_way_to_write_an_address_is_the_same_host(address: ipaddress.IPv4Address) -> None:
    a, b, c, d = address.packed
    ways = [f"{a}.{b}.{c}.{d}", f"{a}.{b}.{c * 256 + d}", f"{a}.{b * 65_536 + c * 256 + d}", str(int(address))]
    ways += [f"::ffff:{address}", f"[::ffff:{address}]"]
    assert {canonical_host(one) for one in ways} == {str(address)}
    assert {is_loopback(one) for one in ways} == {address.is_loopback}


@given(st.ip_addresses(v=6))
def test_an_address_of_version_6_has_one_spelling(address: ipaddress.IPv6Address) -> None:
    expected = str(address.ipv4_mapped or address)
    assert canonical_host(address.exploded) == canonical_host(f"[{address.compressed.upper()}]") == expected


@given(st.text(max_size=40))
def test_a_canonical_host_is_its_own(host: str) -> None:
    canonical = canonical_host(host)
    if canonical is not None:
        assert canonical_host(canonical) == canonical
        assert is_allowed(canonical, [canonical_pattern(canonical)])


@given(st.text("localhst.127-@:/", max_size=25))
def test_only_plain_spellings_of_this_machine_pass(host: str) -> None:
    if is_allowed(host, ()):
        plain = host.strip().strip("[]").lower().removesuffix(".")
        assert plain in ("localhost", "::1") or plain.startswith("127") or plain.isdecimal()
