"""A picture is fetched from the public network alone, whatever address its link names or its name resolves to."""

from pathlib import Path

import pytest

from darkroom.models import GenerationRequest, ImageStatus, Receipt
from darkroom.providers.base import RemoteImage
from darkroom.providers.declared import read_settings
from darkroom.providers.registry import build
from darkroom.redact.secrets import Redactor
from darkroom.transport.egress import Pictures
from darkroom.transport.http import Http
from tests.arriving import fetched, incoming
from tests.attacks.conftest import OWN, PICTURE, Refuses
from tests.attacks.internet import PUBLIC, Internet
from tests.attacks.origins import Origin, then_reset, then_silence
from tests.clients import OpenDoor, refusal
from tests.hosts import PATIENCE_S

PRIVATE = "private address"

NOT_PUBLIC = {
    "loopback": "127.0.0.1",
    "loopback's last": "127.255.255.254",
    "no address at all": "0.0.0.0",
    "this network": "0.1.2.3",
    "a private network of class A": "10.0.0.1",
    "a private network's last of class A": "10.255.255.255",
    "a private network of class B": "172.16.0.1",
    "a private network's last of class B": "172.31.255.255",
    "a private network of class C": "192.168.1.1",
    "a carrier's private network": "100.64.0.1",
    "a cloud's secrets in a carrier's network": "100.100.100.200",
    "a carrier's private network's last": "100.127.255.255",
    "link-local": "169.254.0.1",
    "a cloud's secrets": "169.254.169.254",
    "a container's credentials": "169.254.170.2",
    "protocol assignments": "192.0.0.1",
    "the dummy address": "192.0.0.8",
    "anycast within protocol assignments": "192.0.0.9",
    "NAT64 discovery": "192.0.0.170",
    "documentation one": "192.0.2.1",
    "documentation two": "198.51.100.1",
    "documentation three": "203.0.113.1",
    "a relay of 6to4": "192.88.99.1",
    "benchmarking": "198.18.0.1",
    "benchmarking's last": "198.19.255.255",
    "multicast": "224.0.0.1",
    "multicast between networks": "233.252.0.1",
    "multicast within a network": "239.255.255.250",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 loopback": "::1",
    "no IPv6 address at all": "::",
    "IPv6 link-local": "fe80::1",
    "IPv6 link-local's last": "febf::1",
    "IPv6 site-local": "fec0::1",
    "IPv6 private": "fc00::1",
    "a cloud's secrets over IPv6": "fd00:ec2::254",
    "IPv6 multicast on this machine": "ff01::1",
    "IPv6 multicast on this link": "ff02::1",
    "IPv6 multicast everywhere": "ff0e::1",
    "IPv6 that only drops": "100::1",
    "IPv6 dummy": "100:0:0:1::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, the larger": "3fff::1",
    "IPv6 benchmarking": "2001:2::1",
    "IPv6 keys of ORCHID": "2001:10::1",
    "IPv6 identities of ORCHIDv2": "2001:20::1",
    "port control": "2001:1::1",
    "multicast tunnels": "2001:3::1",
    "drones": "2001:30::1",
    "segment routing": "5f00::1",
    "IPv6 that nobody has": "4000::1",
    "IPv6 that nobody has, high up": "e000::1",
    "IPv4-mapped loopback": "::ffff:127.0.0.1",
    "IPv4-mapped private": "::ffff:10.0.0.1",
    "IPv4-mapped cloud's secrets": "::ffff:a9fe:a9fe",
    "IPv4-mapped public": "::ffff:8.8.8.8",
    "IPv4-translated loopback": "::ffff:0:127.0.0.1",
    "IPv4-compatible loopback": "::127.0.0.1",
    "IPv4-compatible private": "::10.0.0.1",
    "NAT64 to loopback": "64:ff9b::127.0.0.1",
    "NAT64 to a cloud's secrets": "64:ff9b::a9fe:a9fe",
    "NAT64 to a private network": "64:ff9b::10.0.0.1",
    "NAT64 to multicast": "64:ff9b::224.0.0.1",
    "NAT64 to 6to4's relay": "64:ff9b::192.88.99.1",
    "NAT64 of a local network": "64:ff9b:1::10.0.0.1",
    "6to4 to loopback": "2002:7f00:1::1",
    "6to4 to a private network": "2002:c0a8:101::1",
    "6to4 to anywhere": "2002:808:808::1",
    "Teredo over a private server": "2001:0:a00:1::1",
    "Teredo to a private client": "2001:0:4136:e378:8000:63bf:f5ff:fffe",
}

PUBLICLY_REACHABLE = {
    "an IPv4 address": "8.8.8.8",
    "the address before a private network": "9.255.255.255",
    "the address after a private network": "172.32.0.1",
    "the address after a carrier's network": "100.128.0.1",
    "the last before multicast": "223.255.255.254",
    "an IPv6 address": "2606:4700:4700::1111",
    "another IPv6 address": "2001:4860:4860::8888",
    "NAT64 to a public address": "64:ff9b::8.8.8.8",
}


def in_a_link(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
async def test_a_link_to_an_address_that_is_not_public_leads_nowhere(
    refuses: Refuses, internet: Internet, address: str
) -> None:
    assert PRIVATE in str(await refuses(f"https://{in_a_link(address)}/a.png"))
    assert internet.connected == []


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
async def test_a_name_of_an_address_that_is_not_public_leads_nowhere(
    refuses: Refuses, internet: Internet, address: str
) -> None:
    internet.names["inside.example"] = [[address]]
    assert PRIVATE in str(await refuses("https://inside.example/a.png"))
    assert internet.connected == []


@pytest.mark.parametrize("address", PUBLICLY_REACHABLE.values(), ids=PUBLICLY_REACHABLE)
async def test_a_name_of_a_public_address_leads_there(refuses: Refuses, internet: Internet, address: str) -> None:
    internet.names["outside.example"] = [[address]]
    assert "ConnectError" in str(await refuses("https://outside.example/a.png"))
    assert internet.connected == [f"{address}:443".replace("8.8.8.8", "808:808" if ":" in address else "8.8.8.8")]


MIXED = {
    "a public address and then loopback": [PUBLIC, "127.0.0.1"],
    "loopback and then a public address": ["127.0.0.1", PUBLIC],
    "a public address and IPv6 loopback": [PUBLIC, "::1"],
    "two public addresses and a cloud's secrets": [PUBLIC, "8.8.8.8", "169.254.169.254"],
    "a public IPv6 address and a private one": ["2606:4700::1", "fd00::1"],
    "a thousand public addresses and a private one": [*[PUBLIC] * 1000, "10.0.0.1"],
}


@pytest.mark.parametrize("answer", MIXED.values(), ids=MIXED)
async def test_one_address_that_is_not_public_closes_the_name(
    refuses: Refuses, internet: Internet, site: Origin, answer: list[str]
) -> None:
    internet.names["pictures.example"] = [answer]
    assert PRIVATE in str(await refuses("https://pictures.example/a.png"))
    assert (internet.connected, site.connections) == ([], 0)


async def test_a_name_is_resolved_once_and_what_was_checked_is_what_is_connected_to(
    pictures: Pictures, internet: Internet, site: Origin
) -> None:
    internet.names["pictures.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert await fetched(pictures, "https://pictures.example/a.png") == PICTURE
    assert (internet.asked, internet.connected) == (["pictures.example"], [f"{PUBLIC}:443"])


async def test_a_name_that_turns_private_is_refused_the_next_time(
    pictures: Pictures, refuses: Refuses, internet: Internet, site: Origin
) -> None:
    internet.names["pictures.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert await fetched(pictures, "https://pictures.example/a.png") == PICTURE
    assert PRIVATE in str(await refuses("https://pictures.example/a.png"))
    assert site.connections == 1


async def test_the_first_of_several_public_addresses_is_taken(
    pictures: Pictures, internet: Internet, site: Origin
) -> None:
    internet.names["pictures.example"] = [[PUBLIC, "8.8.8.8"]]
    assert await fetched(pictures, "https://pictures.example/a.png") == PICTURE
    assert internet.connected == [f"{PUBLIC}:443"]


@pytest.mark.parametrize(
    "before", [["8.8.8.8"], ["2606:4700::1", "8.8.8.8"], [f"8.8.{n}.8" for n in range(12)]], ids=len
)
async def test_every_address_of_a_name_is_tried(
    http: Http, internet: Internet, site: Origin, before: list[str]
) -> None:
    internet.names["pictures.example"] = [[*before, PUBLIC]]
    pictures = Pictures(http, OWN, Redactor(()), least_every_s=PATIENCE_S)
    assert await fetched(pictures, "https://pictures.example/a.png") == PICTURE
    assert internet.connected == [f"{address}:443" for address in (*before, PUBLIC)]


async def test_addresses_that_hang_leave_time_for_the_one_that_does_not(
    http: Http, internet: Internet, site: Origin
) -> None:
    hanging = ["8.8.8.8", "8.8.4.4", "1.1.1.1"]
    internet.names["pictures.example"] = [[*hanging, PUBLIC]]
    with Origin(then_silence(), hears=False) as silent:
        internet.places.update({f"{address}:443": silent.port for address in hanging})
        pictures = Pictures(http, OWN, Redactor(()), least_every_s=6.0)
        assert await fetched(pictures, "https://pictures.example/a.png") == PICTURE
    assert len(internet.connected) == 4


async def test_an_address_that_has_answered_is_the_last_one_tried(
    refuses: Refuses, internet: Internet, site: Origin
) -> None:
    internet.names["pictures.example"] = [[PUBLIC, "8.8.8.8"]]
    site.answers(then_reset(b""))
    await refuses("https://pictures.example/a.png")
    assert internet.connected == [f"{PUBLIC}:443"]


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "files.localhost"])
async def test_this_machine_s_own_name_leads_nowhere(refuses: Refuses, internet: Internet, name: str) -> None:
    await refuses(f"https://{name}/a.png")
    assert internet.connected == []


async def test_a_name_that_nobody_has_leads_nowhere(refuses: Refuses, internet: Internet) -> None:
    internet.names["nobody.example"] = [[]]
    assert "gaierror" in str(await refuses("https://nobody.example/a.png"))


@pytest.mark.parametrize("name", ["fatthumb", "betterwaifu"])
async def test_a_provider_s_own_origin_is_held_to_the_same_unless_the_user_has_named_it(
    http: Http, internet: Internet, tmp_path: Path, name: str
) -> None:
    environ = {f"{name.upper()}_API_KEY": "a-key-of-theirs", "DARKROOM_HOME": str(tmp_path)}
    settings = read_settings({**environ, "DARKROOM_PICTURES": str(tmp_path)})
    provider = build(settings, http, Redactor(settings.secrets), lambda _: OpenDoor()).provider(name)
    host = {"fatthumb": "fatthumb.klaas.pro", "betterwaifu": "betterwaifu.com"}[name]
    internet.names[host] = [["10.0.0.1"]]
    request = provider.check(GenerationRequest(provider=name, prompt="x", model=""))
    image = RemoteImage(index=1, status=ImageStatus.SUCCEEDED, url=f"https://{host}/a.png")
    error = await refusal(provider.picture(Receipt(job_id="none"), request, image, incoming()))
    assert PRIVATE in str(error)
    assert internet.connected == []
