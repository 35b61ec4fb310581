"""Signatures of webhooks: HMAC-SHA256 over the body as it came, compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

import msgspec

from ...errors import UnauthorizedError

OWN_HEADER = "X-Mtp-Signature"
"""``t=<seconds since 1970>,v1=<hex>``, the second over ``<seconds>.<body>``: what is sent from here, too."""
MAX_HEADER = 1000


class Scheme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a sender signs.

    ``header`` holds the signature, after *prefix*, as ``hex`` or ``base64``. With ``timed`` it has the form of
    :data:`OWN_HEADER`, which covers the time of sending as well.
    """

    header: str = OWN_HEADER
    prefix: str = ""
    encoding: str = "hex"
    timed: bool = True


SHOPIFY = Scheme(header="X-Shopify-Hmac-Sha256", encoding="base64", timed=False)


def verify(scheme: Scheme, secrets: Sequence[str], body: bytes, given: str) -> float | None:
    """Check a signature against each secret; gives the time of sending that it covers, if any.

    :param secrets: those that are good, so that one can be changed for another without a gap
    :param given: the header
    :raises UnauthorizedError: it is none, or of another body or secret
    """
    sent, signature = _timed(given) if scheme.timed else (None, given)
    signed = body if sent is None else sent.encode() + b"." + body
    if not signature.startswith(scheme.prefix) or len(given) > MAX_HEADER:
        raise _wrong(scheme)
    shown = signature[len(scheme.prefix) :].encode("utf-8", "replace")
    good = False
    for secret in secrets:
        good |= hmac.compare_digest(_text(scheme, hmac.digest(secret.encode(), signed, "sha256")), shown)
    if not good:
        raise _wrong(scheme)
    return None if sent is None else float(sent)


def sign(secret: str, body: bytes, now: float) -> str:
    """The value of :data:`OWN_HEADER` for a body sent now."""
    sent = str(int(now))
    digest = hmac.digest(secret.encode(), sent.encode() + b"." + body, "sha256").hex()
    return f"t={sent},v1={digest}"


def digest_of(topic: str, body: bytes) -> bytes:
    """32 bytes that stand for a delivery: the same body under the same topic is the same news."""
    return hashlib.sha256(topic.encode() + b"\0" + body).digest()


def _timed(given: str) -> tuple[str, str]:
    parts = dict(part.strip().partition("=")[::2] for part in given.split(","))
    sent, signature = parts.get("t", ""), parts.get("v1", "")
    if not (sent.isascii() and sent.isdigit() and len(sent) < 13):
        return "0", ""
    return sent, signature


def _text(scheme: Scheme, digest: bytes) -> bytes:
    return base64.b64encode(digest) if scheme.encoding == "base64" else digest.hex().encode()


def _wrong(scheme: Scheme) -> UnauthorizedError:
    return UnauthorizedError(f"the signature in {scheme.header} is missing or not that of this body")
