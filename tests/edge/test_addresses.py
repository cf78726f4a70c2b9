"""Requests are counted by the peer's address; a header is believed only from a trusted proxy."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.addresses import HOPS_LIMIT, client_address
from settings import Settings, WrongSetting

PROXIES = "10.0.0.0/8,fd00::/8"


def address_of(peer: str | None, *lines: str, trusted: str = PROXIES, header: str = "x-forwarded-for") -> str:
    scope: dict[str, Any] = {
        "type": "http",
        "client": (peer, 50_000) if peer is not None else None,
        "headers": [(header.encode(), line.encode("latin-1")) for line in lines],
    }
    return client_address(scope, settings_with(trusted, header))


@cache
def settings_with(trusted: str, header: str) -> Settings:
    return Settings.from_environment(
        env_file=None, secret_key="x" * 32, trusted_proxies=trusted, proxy_header=header
    )


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_a_peer_is_counted_by_its_address_and_an_ipv6_peer_by_its_network(
    peer: str | None, address: str
) -> None:
    assert address_of(peer) == address


def test_a_header_of_a_peer_that_is_no_trusted_proxy_is_ignored() -> None:
    assert address_of("203.0.113.9", "198.51.100.1") == "203.0.113.9"
    assert address_of("10.0.0.1", "198.51.100.1", trusted="") == "10.0.0.1"
    assert address_of("203.0.113.9", "for=198.51.100.1", header="forwarded") == "203.0.113.9"


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (["198.51.100.1"], "198.51.100.1"),
        (["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        (["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        (["1.1.1.1, 198.51.100.1, 10.2.0.1"], "198.51.100.1"),
        (["1.1.1.1, 198.51.100.1, ::ffff:10.2.0.1"], "198.51.100.1"),
        (["1.1.1.1, 2001:db8:0:1::7, fd00::7"], "2001:db8:0:1::/64"),
        (["198.51.100.1:4711"], "198.51.100.1"),
        (["[2001:db8:0:1::7]:4711"], "2001:db8:0:1::/64"),
        (["::ffff:198.51.100.1"], "198.51.100.1"),
        (["10.3.0.1, 10.2.0.1"], "10.3.0.1"),
    ],
)
def test_of_the_addresses_a_trusted_proxy_names_the_last_that_is_no_proxy_counts(
    lines: list[str], address: str
) -> None:
    assert address_of("10.0.0.1", *lines) == address
    assert address_of("::ffff:10.0.0.1", *lines) == address


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (["for=198.51.100.1"], "198.51.100.1"),
        (["for=1.1.1.1, For=198.51.100.1;proto=https;by=10.0.0.1"], "198.51.100.1"),
        (["for=1.1.1.1", 'proto=https;for="198.51.100.1:4711"'], "198.51.100.1"),
        (['for="[2001:db8:0:1::7]:_port", for=10.2.0.1'], "2001:db8:0:1::/64"),
        (['for=198.51.100.1;host="a, for=1.1.1.1"'], "198.51.100.1"),
        (['for=1.1.1.1;x=", for="[2001:db8:0:1::7]"'], "2001:db8:0:1::/64"),
        (['for=1.1.1.1", for=198.51.100.1'], "198.51.100.1"),
    ],
)
def test_the_standard_header_is_read_where_the_proxies_write_it(lines: list[str], address: str) -> None:
    assert address_of("10.0.0.1", *lines, header="forwarded") == address


@pytest.mark.parametrize(
    "line",
    ["", ",", "unknown", "1.1.1.1, unknown", "1.1.1.1,", "1.1.1.1, 256.1.1.1", "1.1.1.1, [::1", "_hidden"],
)
def test_where_a_header_cannot_be_read_the_last_proxy_counts(line: str) -> None:
    assert address_of("10.0.0.1", line) == "10.0.0.1"
    assert address_of("10.0.0.1", f"{line}, 10.2.0.1") == "10.2.0.1"


def test_a_header_of_countless_addresses_is_read_from_its_end_up_to_the_limit() -> None:
    assert address_of("10.0.0.1", ",".join(["10.0.0.1"] * 100_000)) == "10.0.0.1"
    assert address_of("10.0.0.1", "1.1.1.1," + ",".join(["10.0.0.9"] * (HOPS_LIMIT - 1))) == "1.1.1.1"
    assert address_of("10.0.0.1", "1.1.1.1," + ",".join(["10.0.0.9"] * HOPS_LIMIT)) == "10.0.0.9"


@given(
    peer=st.text(max_size=20),
    line=st.text(st.characters(max_codepoint=255), max_size=60),
    header=st.sampled_from(["x-forwarded-for", "forwarded"]),
)
def test_no_text_in_a_header_is_an_error(peer: str, line: str, header: str) -> None:
    assert address_of(peer, line, header=header)
    assert address_of("10.0.0.1", line, header=header)


def test_a_trusted_proxy_is_a_network() -> None:
    for wrong in ("proxy.local", "10.0.0.1/8", "10.0.0.0/8;fd00::/8"):
        with pytest.raises(WrongSetting, match="TRUSTED_PROXIES"):
            Settings.from_environment(env_file=None, secret_key="x" * 32, trusted_proxies=wrong)
