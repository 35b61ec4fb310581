"""No configured address reaches this machine, its network or its cloud, however it is written, unless that is said."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mtp_plugin.errors import SettingError, UnavailableError
from mtp_plugin.forwarding import forward
from mtp_plugin.outbound import Outbound
from mtp_plugin.store.http_weather import HttpWeather
from mtp_plugin.store.trait_sources import HttpRows

from ..answering import AnsweringServer
from ..web.shop import SECRET, build_shop

WITHIN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.8",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::10.0.0.8",
    "2002:7f00:1::",
    "2002:a00:8::1",
    "2001:0:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = ["93.184.216.34", "8.8.8.8", "2606:4700::6810:84e5", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.fixture
def server() -> Iterator[AnsweringServer]:
    server = AnsweringServer([{"id": "1"}])
    yield server
    server.close()


class Names:
    """A resolver whose answers the test decides, in order; the last one stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._find)

    def _find(self, host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in self.answers:
            return list(self._real(host, port, *args, **kwargs))
        self.asked.append(host)
        answers = self.answers[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [row for address in addresses for row in self._real(address, port, *args, **kwargs)]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


@pytest.mark.parametrize("address", WITHIN)
def test_what_is_within_is_refused_by_address_and_by_name(address: str, names: Names) -> None:
    names.answers["shop.example"] = [[address]]
    shown = f"[{address}]" if ":" in address else address
    for host in (shown, "shop.example"):
        with Outbound().session() as session, pytest.raises(UnavailableError, match="no public one: name it in MTP_"):
            session.get(f"http://{host}/", timeout=5)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_outside_is_not(address: str) -> None:
    assert Outbound().addresses(address, 443) == [str(socket.getaddrinfo(address, 443)[0][4][0])]


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "LOCALHOST.", "0"])
def test_other_spellings_of_this_machine_are_this_machine(host: str, server: AnsweringServer) -> None:
    with Outbound().session() as session, pytest.raises((UnavailableError, requests.RequestException)):
        session.get(server.url.replace("127.0.0.1", host), timeout=5)
    assert server.asked == []


def test_a_name_with_one_bad_address_is_bad(names: Names) -> None:
    names.answers["mixed.example"] = [["8.8.8.8", "10.0.0.1"]]
    with pytest.raises(UnavailableError):
        Outbound().addresses("mixed.example", 443)


def test_the_connection_goes_to_the_address_that_was_checked(server: AnsweringServer, names: Names) -> None:
    # A name that is well when asked first and within when asked again: it is asked once a connection.
    names.answers["rebind.example"] = [["127.0.0.1"], ["127.0.0.99"]]
    with Outbound(["127.0.0.1"]).session() as session:
        assert session.get(server.url.replace("127.0.0.1", "rebind.example"), timeout=5).json() == [{"id": "1"}]
    assert names.asked == ["rebind.example"]
    assert server.headers[0]["Host"].startswith("rebind.example:")
    with Outbound(["127.0.0.1"]).session() as session, pytest.raises(UnavailableError):
        session.get(server.url.replace("127.0.0.1", "rebind.example"), timeout=5)


def test_redirects_are_not_followed(server: AnsweringServer) -> None:
    def away(handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"{server.url}/secret")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answer = away
    with Outbound(["127.0.0.1"]).session() as session:
        assert session.get(f"{server.url}/a", allow_redirects=True, timeout=5).status_code == 302
    assert server.asked == ["/a"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://8.8.8.8/x", "gopher://8.8.8.8/", "data:,x"])
def test_there_is_http_and_nothing_else(url: str) -> None:
    with Outbound().session() as session, pytest.raises(requests.exceptions.InvalidSchema):
        session.get(url, timeout=5)


@pytest.mark.parametrize(
    ("allowed", "host", "may"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("10.0.0.0/8", "10.9.8.7", True),
        ("10.0.0.0/8", "::ffff:10.9.8.7", True),
        ("10.0.0.0/8", "192.168.0.1", False),
        ("[fd00::]/8", "fd00::1", False),
        ("fd00::/8", "fd00::1", True),
        ("localhost", "localhost", True),
        ("LocalHost.", "localhost", True),
        ("localhost", "127.0.0.1", False),
        ("inner.example", "inner.example", True),
        ("cloud.example", "cloud.example", False),
        ("169.254.0.0/16", "cloud.example", True),
    ],
)
def test_what_is_allowed_is_said_by_name_or_network(allowed: str, host: str, may: bool, names: Names) -> None:
    names.answers |= {"inner.example": [["10.0.0.1"]], "cloud.example": [["169.254.169.254"]]}
    try:
        outbound = Outbound([allowed])
        found = bool(outbound.addresses(host, 80))
    except (UnavailableError, SettingError):
        found = False
    assert found is may


@pytest.mark.parametrize("entry", ["", "http://x", "a b", "10.0.0.0/99", "host:80", "*"])
def test_an_entry_that_is_neither_stops_the_start(entry: str) -> None:
    with pytest.raises(SettingError, match="MTP_OUTBOUND_ALLOW"):
        Outbound([entry])


def test_a_proxy_is_used_and_asked_for_nothing_within(server: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Outbound().session() as session:
        assert session.get("http://8.8.8.8/x", timeout=5).json() == [{"id": "1"}]
        with pytest.raises(UnavailableError):
            session.get("http://169.254.169.254/x", timeout=5)
    assert server.asked == ["http://8.8.8.8/x"]


def certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin - datetime.timedelta(days=1))
        .not_valid_after(begin + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return folder / "both.pem"


def test_tls_still_asks_for_the_name(tmp_path: Path, server: AnsweringServer, names: Names) -> None:
    pem = certificate(tmp_path, "shop.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    names.answers |= {"shop.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]}
    port = server.http.server_port
    with Outbound(["127.0.0.1"]).session() as session:
        assert session.get(f"https://shop.example:{port}/", verify=str(pem), timeout=5).ok
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"https://other.example:{port}/", verify=str(pem), timeout=5)


def test_forwarding_crm_and_weather_reach_nothing_within(tmp_path: Path, server: AnsweringServer) -> None:
    shop = build_shop(
        tmp_path, forward={"crm": {"kind": "webhook", "url": server.url, "secret": "s", "purpose": "necessary"}}
    )
    forward(shop.state)
    body = {"event": "Product Viewed", "userId": "ada", "properties": {"product_id": "p001"}}
    shop.app.test_client().post("/mtp/v1/track", json=body, auth=(SECRET, ""))
    assert "name it in MTP_OUTBOUND_ALLOW" in forward(shop.state)
    shop.state.close()
    with pytest.raises(UnavailableError, match="MTP_OUTBOUND_ALLOW"):
        list(HttpRows(server.url).rows())
    weather = HttpWeather(server.url + "/{latitude}/{longitude}")
    weather.now(1.0, 2.0)
    weather.flush(60)
    assert "MTP_OUTBOUND_ALLOW" in weather.probe()
    weather.close()
    assert server.asked == []
