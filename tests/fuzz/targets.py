"""Every parser of what strangers send, as a function of bytes: it may refuse with our own errors and do nothing else.

The first byte chooses among variants (of a call, a format, a sender). What a target lets out is a finding, and so is
one that takes seconds or a lot of memory.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from werkzeug.test import EnvironBuilder

from mtp_plugin.catalog.files import FORMATS, read_products
from mtp_plugin.conditions import compile_condition
from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError, UnavailableError
from mtp_plugin.privacy.tcf import decode
from mtp_plugin.records import ConsentLevel
from mtp_plugin.rules.compile import Compiled
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.store.trait_sources import CsvRows
from mtp_plugin.track.files import FORMATS as EVENT_FORMATS
from mtp_plugin.track.files import read_events
from mtp_plugin.track.intake import KINDS, Intake
from mtp_plugin.track.sender import Sender
from mtp_plugin.track.webhooks.shopify import TOPICS
from mtp_plugin.track.webhooks.signature import SHOPIFY, Scheme, sign, verify
from mtp_plugin.track.webhooks.sources import load_sources
from mtp_plugin.web.cookies import Cookies

NOW = 1_772_368_200.0
INTAKE = Intake(Settings())
FULL = ConsentLevel.FULL
SENDERS = (
    Sender(kind="browser", profile_id="a:v1", anonymous_id="v1", consent=FULL),
    Sender(kind="server", consent=FULL),
    Sender(kind="other-origin", consent=FULL, key="pk_blog"),
)
MAP = {
    "event": "type",
    "events": {"paid": "Order Completed", "seen": "Product Viewed"},
    "user_id": "customer.number",
    "email": "customer.mail",
    "key": "id",
    "timestamp": "at",
    "products": "lines",
    "product": {"product_id": "article", "quantity": "pieces", "price": "unit_price"},
    "properties": {"order_id": "number", "total": "sum"},
}
SOURCES = load_sources(
    {
        "shopify": {"kind": "shopify", "secrets": ["a secret of the source"]},
        "erp": {"kind": "mapped", "secrets": ["a secret of the source"], "map": MAP},
    }
)
FACTS = {
    "price": 3,
    "brand": "Acme",
    "tags": ["a", {"b": None}],
    "a": {"b": {"c": 1.5}},
    "category": "x",
    "on_sale": True,
}
COOKIES = Cookies(Settings(), ["a key of the tests"])
SUFFIXES = {"csv": ".csv", "parquet": ".parquet", "jsonl": ".jsonl", "online-retail": ".csv", "google-merchant": ".xml"}
FOLDER = Path(tempfile.mkdtemp(prefix="mtp-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def _parted(data: bytes, *options: Any) -> tuple[Any, bytes]:
    """What the first byte chooses, and the rest."""
    return options[(data[0] if data else 0) % len(options)], data[1:]


def events(data: bytes) -> None:
    """Segment's calls, of each kind of sender."""
    (kind, sender), body = _parted(data, *((kind, one) for kind in ("batch", *KINDS) for one in SENDERS))
    INTAKE.segment(kind, body, sender, NOW)


def ga4(data: bytes) -> None:
    """GA4's measurement protocol."""
    sender, body = _parted(data, *SENDERS)
    INTAKE.ga4(body, sender, NOW)


def webhooks(data: bytes) -> None:
    """Bodies that are signed: of Shopify, by topic, and of a mapped source."""
    topic, body = _parted(data, "", *TOPICS)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(told, dict):
        SOURCES["shopify" if topic else "erp"].read(topic, told, NOW, "delivery")


def signatures(data: bytes) -> None:
    """Headers that claim to be signatures; a true one is one."""
    scheme, given = _parted(data, Scheme(), SHOPIFY, Scheme(prefix="sha256=", timed=False))
    body, _, header = given.partition(b"\n")
    assert verify(Scheme(), ["a secret"], body, sign("a secret", body, NOW)) == NOW
    verify(scheme, ["a secret"], body, header.decode("latin-1"))


def catalogues(data: bytes) -> None:
    """Files of products in every format, or told by their content; gzip too."""
    format, body = _parted(data, "", *FORMATS)
    path = FOLDER / f"products{SUFFIXES.get(format, '.csv')}"
    path.write_bytes(body)
    for _ in read_products(path, format=format, currency="EUR"):
        pass


def event_files(data: bytes) -> None:
    """Files of past events."""
    format, body = _parted(data, "", *EVENT_FORMATS)
    path = FOLDER / f"events{SUFFIXES.get(format, '.csv')}"
    path.write_bytes(body)
    for _ in read_events(path, format=format, now=NOW):
        pass


def customers(data: bytes) -> None:
    """A CRM's table."""
    suffix, body = _parted(data, "", ".gz")
    path = FOLDER / f"customers.csv{suffix}"
    path.write_bytes(body)
    for _ in CsvRows(path).rows():
        pass


def rules(data: bytes) -> None:
    """Rules, compiled, and asked."""
    ruleset = read_ruleset(data)
    compiled = Compiled(ruleset.rules)
    assert compiled.rules is not None


def conditions(data: bytes) -> None:
    """Conditions, compiled, and asked of facts."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return
    holds = compile_condition(told)
    assert isinstance(holds(FACTS), bool)
    assert isinstance(holds({}), bool)


def tcf(data: bytes) -> None:
    """Consent strings."""
    decode(data.decode("latin-1")).choices()


def cookies(data: bytes) -> None:
    """Cookies as a browser may bend them, and signed ones that hold what they should not."""
    signed, body = _parted(data, False, True)
    text = body.decode("latin-1")
    if signed:
        COOKIES.visitor_id(COOKIES._signer.sign(body).decode("latin-1"))
        try:
            value = COOKIES._serializer.dumps(json.loads(body))
        except (ValueError, RecursionError):
            return
        COOKIES.decision(str(value))
    else:
        COOKIES.visitor_id(text)
        COOKIES.decision(text)


class _Site(NamedTuple):
    app: Any
    lines: tuple[tuple[str, str], ...]


@cache
def _site() -> _Site:
    from ..web.shop import SECRET, build_shop

    shop = build_shop(Path(tempfile.mkdtemp(prefix="mtp-fuzz-")))
    shop.mtp.admin_guard(lambda: ("viewer", "Ada"))
    shop.app.config["PROPAGATE_EXCEPTIONS"] = False
    lines = [
        (method, rule.rule)
        for rule in sorted(shop.app.url_map.iter_rules(), key=lambda rule: rule.rule)
        for method in sorted(rule.methods - {"OPTIONS", "HEAD"})
        if rule.endpoint.startswith("mtp") and not (method != "GET" and "/admin/" in rule.rule)
    ]
    assert SECRET == "sk_test"
    return _Site(shop.app, tuple(lines))


def http(data: bytes) -> None:
    """Requests to every route: path values, query, one header, and a body, each on a line of its own."""
    site = _site()
    (method, rule), rest = _parted(data, *site.lines)
    value, query, header, body = [*rest.split(b"\n", 3), b"", b"", b""][:4]
    path = "".join(
        quote(value.decode("latin-1"), safe="") or "1" if place % 2 else part
        for place, part in enumerate(rule.replace("<", "\0").replace(">", "\0").split("\0"))
    )
    name, _, content = header.decode("latin-1").partition(": ")
    clean = "".join(letter for letter in content if letter not in "\r\n\0")
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    if name.replace("-", "").isalnum() and name.isascii() and name.lower() != "content-length":
        headers[name] = clean
    environ = EnvironBuilder(path, method=method, query_string=query.decode("latin-1"), data=body).get_environ()
    environ["CONTENT_TYPE"] = headers.pop("Content-Type")
    environ |= {f"HTTP_{key.upper().replace('-', '_')}": text for key, text in headers.items()}
    statuses: list[str] = []
    answer = site.app.wsgi_app(environ, lambda status, headers, *_: statuses.append(status))
    b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    assert statuses[0][0] in "1234", f"{method} {path}: {statuses[0]}"


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (
        events, ga4, webhooks, signatures, catalogues, event_files, customers, rules, conditions, tcf, cookies, http
    )
}  # fmt: skip


def run(name: str, data: bytes) -> None:
    """Give a target its bytes; our own refusals are what it is for."""
    try:
        TARGETS[name](data)
    except InputError:
        pass
    except UnavailableError:
        if name != "customers":  # a table that cannot be read
            raise
