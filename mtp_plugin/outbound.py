"""Requests to addresses that people write into a configuration: they reach the public internet and what is allowed.

An address is checked where the connection is made: the name is resolved once, every address found is judged, and the
socket goes to one that passed. A name that answers differently a moment later (DNS rebinding) gains nothing, a redirect
is never followed, and what says ``http`` cannot become a file.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import parse_url
from urllib3.util.connection import create_connection

from .errors import SettingError, UnavailableError

SETTING = "MTP_OUTBOUND_ALLOW"
REFUSED = f"its address is no public one: name it in {SETTING} if that is meant"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")
METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "fd00:ec2::254", "100.100.100.200", "192.0.0.192")))
"""Where clouds tell a machine its secrets (Azure, AWS over IPv6, Alibaba, Oracle); 169.254.169.254 is link-local."""


class Outbound:
    """Opens connections for requests to configured addresses.

    :param allowed: hosts by name, and addresses or networks (``10.0.0.0/8``), that may be reached though they are no
        public ones; a name never allows link-local addresses and :data:`METADATA`, a network allows all that is in it
    :raises SettingError: one of them is neither
    """

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for entry in allowed:
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._names.add(_checked_name(entry))

    def session(self) -> requests.Session:
        """A session of ``requests`` that knows http and https, and reaches nothing else than it may.

        Its requests raise :class:`UnavailableError` where an address is refused, beside the library's own errors.
        """
        session = _Session()
        session.adapters.clear()
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(self))
        return session

    def connect(self, host: str, port: int, **options: Any) -> socket.socket:
        """A connected socket to one of the host's addresses, tried in order.

        :param options: ``timeout``, ``source_address``, ``socket_options`` as ``create_connection`` of urllib3 takes
        :raises UnavailableError: an address is refused
        :raises OSError: the name is not known, or nobody answers
        """
        failed: OSError | None = None
        for address in self.addresses(host, port):
            try:
                return create_connection((address, port), **options)
            except OSError as error:
                failed = error
        raise failed or OSError("the name has no address")

    def addresses(self, host: str, port: int) -> list[str]:
        """The host's addresses, all of them good.

        :raises UnavailableError: one is refused; a name that has good ones beside it is refused as a whole
        :raises OSError: the name is not known
        """
        name = host.strip("[]")
        try:
            found = [str(row[4][0]) for row in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]
        except UnicodeError as error:
            raise OSError("no host has such a name") from error
        for address in found:
            if not self._may(name.rstrip(".").lower(), ipaddress.ip_address(address.partition("%")[0])):
                raise UnavailableError(REFUSED)
        return found

    def _may(self, name: str, address: Address) -> bool:
        return all(
            is_public(one)
            or any(one in network for network in self._networks)
            or (name in self._names and not _tells_secrets(one))
            for one in _meant(address)
        )


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's: not of this machine, its network or its cloud, nor of a group."""
    site = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    reserved = address.is_reserved or address.is_multicast or site
    return address.is_global and not reserved and address not in METADATA


def _tells_secrets(address: Address) -> bool:
    return address.is_link_local or address.is_unspecified or address.is_multicast or address in METADATA


def _meant(address: Address) -> Iterator[Address]:
    """The address, or the IPv4 address that it carries on: mapped, compatible, 6to4, Teredo (both ends), NAT64."""
    carried: list[Address] = []
    if isinstance(address, ipaddress.IPv6Address):
        carried += filter(None, (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())))
        if any(address in network for network in (*_NAT64, _COMPATIBLE)) and address not in _OWN:
            carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    yield from carried or [address]


_OWN = (ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1"))


def _checked_name(entry: str) -> str:
    name = entry.strip().rstrip(".").lower()
    if not name or not all(part.replace("-", "").replace("_", "").isalnum() for part in name.split(".")):
        raise SettingError(SETTING, entry, "use names of hosts, addresses, or networks such as 10.0.0.0/8; no ports")
    return name


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None is followed: the answer is the redirect itself."""
        return None


class _Adapter(HTTPAdapter):
    """Makes its connections by an :class:`Outbound`."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._outbound)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send; a proxy of the environment resolves the name itself, so that it is judged here as well."""
        url = request.url or ""
        if select_proxy(url, kwargs.get("proxies")):
            parts = parse_url(url)
            self._judged(parts.host or "", parts.port or 443)
        return super().send(request, *args, **kwargs)

    def _judged(self, host: str, port: int) -> None:
        try:
            self._outbound.addresses(host, port)
        except OSError as error:
            raise requests.ConnectionError("the name is not known") from error


def _pools(outbound: Outbound) -> dict[str, type[HTTPConnectionPool]]:
    def connect(connection: HTTPConnection) -> socket.socket:
        return outbound.connect(
            connection.host,
            connection.port,
            timeout=connection.timeout,
            source_address=connection.source_address,
            socket_options=connection.socket_options,
        )

    class Plain(HTTPConnection):
        _new_conn = connect

    class Secure(HTTPSConnection):
        _new_conn = connect

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
