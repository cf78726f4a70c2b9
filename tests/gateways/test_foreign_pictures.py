"""Whether a picture elsewhere can be reached, asked of hosts that fail in every way."""

import ssl
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest

from gateways.foreign_pictures import PictureProbe, PictureUndecided, name_agent
from gateways.foreign_pictures.hosts import HostAddress, is_public
from gateways.foreign_pictures.probe import WEB_PORTS
from models import PictureFault
from tests.conftest import settings_for
from tests.picture_server import (
    ANY_PORT,
    HUGE,
    PNG,
    PictureHost,
    PictureReply,
    run_picture_host,
    write_certificate,
)

HERE = IPv4Address("127.0.0.1")
SECONDS = 2.0
F = PictureFault


class Names:
    """A resolver of ours: the answers to each question about a host, the last one again and again."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Sequence[str]]] = {"shop.example": [["127.0.0.1"]]}

    async def resolve(self, host: str, port: int) -> Sequence[HostAddress]:
        if host not in self.answers:
            return [ip_address(host)]
        answers = self.answers[host]
        return [ip_address(each) for each in (answers.pop(0) if len(answers) > 1 else answers[0])]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def probe(names: Names) -> PictureProbe:
    """A probe to which the test's own host counts as public."""
    return PictureProbe(
        "Shop (tests)",
        ssl.create_default_context(),
        names.resolve,
        lambda address: address == HERE or is_public(address),
        seconds=SECONDS,
        ports=ANY_PORT,
    )


def address_at(host: PictureHost, path: str) -> str:
    return f"http://shop.example:{host.port}{path}"


async def test_ports_where_no_shop_keeps_pictures_are_not_touched(
    probe: PictureProbe, host: PictureHost
) -> None:
    careful = replace(probe, ports=WEB_PORTS)

    assert await careful.find_fault(address_at(host, "/a.png")) is F.ADDRESS
    assert await careful.find_fault("http://shop.example:22/a.png") is F.ADDRESS
    assert host.asked == []


async def test_a_picture_is_asked_for_once_by_its_header(probe: PictureProbe, host: PictureHost) -> None:
    host.replies["/a.png?v=1"] = PictureReply()

    assert await probe.find_fault(f"http://me:secret@shop.example:{host.port}/a.png?v=1#top") is None

    (asked,) = host.asked
    assert (asked.method, asked.path, asked.headers["host"]) == (
        "HEAD",
        "/a.png?v=1",
        f"shop.example:{host.port}",
    )
    assert asked.headers["user-agent"] == "Shop (tests)"
    assert not asked.headers.keys() & {"authorization", "cookie", "referer"}
    assert host.sent == 0


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (PictureReply(head_status=403), None),
        (PictureReply(head_status=405), None),
        (PictureReply(206, head_status=404), None),
        (PictureReply(content_type="application/octet-stream"), None),
        (PictureReply(content_type=""), None),
        (PictureReply(content_type="application/octet-stream", body=b"%PDF-1.7"), F.NOT_A_PICTURE),
        (PictureReply(content_type="text/html; charset=utf-8", body=b"<html>"), F.NOT_A_PICTURE),
        (PictureReply(body=b""), F.NOT_A_PICTURE),
        (PictureReply(404), F.NOT_FOUND),
        (PictureReply(410), F.NOT_FOUND),
        (PictureReply(403), F.REFUSED),
        (PictureReply(304, body=b""), F.REFUSED),
        (PictureReply(503), F.SERVER_FAULT),
        (PictureReply(301, location="/a.png"), F.REDIRECTS),
        (PictureReply(302, location="ftp://shop.example/a.png"), F.ADDRESS),
        (PictureReply(302, location="file:///etc/passwd"), F.ADDRESS),
        (PictureReply(302, location="http://169.254.169.254/latest/meta-data"), F.PRIVATE),
        (PictureReply(302, location="http://127.0.0.2/"), F.PRIVATE),
        (PictureReply(302, location="http://[::1]/"), F.PRIVATE),
    ],
)
async def test_each_answer_says_what_is_wrong(
    probe: PictureProbe, host: PictureHost, reply: PictureReply, fault: PictureFault | None
) -> None:
    host.replies["/a.png"] = reply

    assert await probe.find_fault(address_at(host, "/a.png")) is fault


async def test_the_first_bytes_are_asked_for_where_the_header_is_refused(
    probe: PictureProbe, host: PictureHost
) -> None:
    host.replies["/a.png"] = PictureReply(head_status=403)

    assert await probe.find_fault(address_at(host, "/a.png")) is None

    head, get = host.asked
    assert [head.method, get.method] == ["HEAD", "GET"]
    assert ("range" in head.headers, get.headers["range"]) == (False, "bytes=0-1023")


async def test_a_few_redirects_are_followed(probe: PictureProbe, host: PictureHost) -> None:
    host.replies |= {f"/{step}": PictureReply(302, location=f"/{step + 1}") for step in range(5)}
    host.replies["/5"] = PictureReply()

    assert await probe.find_fault(address_at(host, "/1")) is None
    assert "cookie" not in host.asked[-1].headers
    assert await probe.find_fault(address_at(host, "/0")) is F.REDIRECTS


async def test_a_slow_picture_has_no_answer_in_time(probe: PictureProbe, host: PictureHost) -> None:
    host.replies["/a.png"] = PictureReply(content_type="text/html", is_slow=True)

    assert await probe.find_fault(address_at(host, "/a.png")) is F.NO_ANSWER


async def test_a_huge_picture_is_not_read(probe: PictureProbe, host: PictureHost) -> None:
    host.replies["/a.png"] = PictureReply(head_status=403, body=PNG * 100, length=HUGE)

    assert await probe.find_fault(address_at(host, "/a.png")) is None
    assert host.sent < HUGE // 2


async def test_a_host_that_is_asked_too_often_says_nothing(probe: PictureProbe, host: PictureHost) -> None:
    host.replies["/a.png"] = PictureReply(429)

    with pytest.raises(PictureUndecided):
        await probe.find_fault(address_at(host, "/a.png"))


@pytest.mark.parametrize(
    "answer", [["10.0.0.1"], ["8.8.8.8", "192.168.0.1"], ["169.254.169.254"], ["::1"], ["fd00:ec2::254"]]
)
async def test_a_name_inside_a_private_network_is_never_asked(
    probe: PictureProbe, names: Names, host: PictureHost, answer: Sequence[str]
) -> None:
    names.answers["shop.example"] = [answer]
    host.replies["/a.png"] = PictureReply()

    assert await probe.find_fault(address_at(host, "/a.png")) is F.PRIVATE
    assert host.asked == []


async def test_a_name_that_changes_is_looked_at_again_for_each_request(
    probe: PictureProbe, names: Names, host: PictureHost
) -> None:
    """The request goes to the address that was looked at; that of the next one is looked at as well."""
    names.answers["shop.example"] = [["127.0.0.1"], ["169.254.169.254"]]
    host.replies["/a.png"] = PictureReply(403)

    assert await probe.find_fault(address_at(host, "/a.png")) is F.PRIVATE
    assert [each.method for each in host.asked] == ["HEAD"]


async def test_a_certificate_must_be_that_of_the_host(
    probe: PictureProbe, names: Names, tmp_path: Path
) -> None:
    file = tmp_path / "host.pem"
    write_certificate(file, "shop.example")
    names.answers["other.example"] = names.answers["shop.example"]
    trusting = replace(probe, certificates=ssl.create_default_context(cafile=str(file)))
    async with run_picture_host(file) as host:
        host.replies["/a.png"] = PictureReply()

        assert await trusting.find_fault(f"https://shop.example:{host.port}/a.png") is None
        assert await trusting.find_fault(f"https://other.example:{host.port}/a.png") is F.CERTIFICATE
        assert await probe.find_fault(f"https://shop.example:{host.port}/a.png") is F.CERTIFICATE
        assert len(host.asked) == 1


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("ftp://shop.example/a.png", F.ADDRESS),
        ("//shop.example/a.png", F.ADDRESS),
        ("a.png", F.ADDRESS),
        ("http://", F.ADDRESS),
        ("http://shop.example:99999/a.png", F.ADDRESS),
        ("http://[::1/a.png", F.ADDRESS),
        ("http://nowhere.example/a.png", F.HOST),
        ("http://shop.example:1/a.png", F.NO_ANSWER),
    ],
)
async def test_an_address_at_which_nobody_can_be_asked(
    probe: PictureProbe, address: str, fault: PictureFault
) -> None:
    assert await probe.find_fault(address) is fault


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("64:ff9b::808:808", True),
        ("64:ff9b::a9fe:a9fe", False),
        ("0.0.0.0", False),  # noqa: S104
        ("10.1.2.3", False),
        ("100.100.100.200", False),
        ("127.0.0.1", False),
        ("168.63.129.16", False),
        ("169.254.169.254", False),
        ("172.16.0.1", False),
        ("192.0.0.192", False),
        ("192.168.1.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
        ("64:ff9b:1::a00:1", False),
        ("fec0::1", False),
        ("198.18.0.1", False),
        ("fe80::1", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
    ],
)
def test_only_addresses_of_the_public_internet_are_asked(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


def test_other_hosts_are_told_which_shop_asks(tmp_path: Path) -> None:
    named = settings_for("sqlite://", tmp_path, shop_name="小店 Tea", public_url="https://tea.example")

    assert name_agent(named) == "Cartwheel-Pictures (%E5%B0%8F%E5%BA%97 Tea; +https://tea.example)"
    assert name_agent(settings_for("sqlite://", tmp_path)) == "Cartwheel-Pictures (Cartwheel)"
