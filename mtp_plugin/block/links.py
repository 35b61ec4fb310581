"""Addresses from a catalogue, which anybody may have written: only those that cannot run anything pass."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_WEB = re.compile(r"https?://[^/\\?#]", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def safe_url(url: str) -> str:
    """The address if it is http, https or relative, else ``""``.

    Browsers drop control characters before they read the scheme (https://url.spec.whatwg.org/#url-parsing), so an
    address that holds any is refused.
    """
    url = url.strip()
    if _CONTROL.search(url) or (_SCHEME.match(url) and not _WEB.match(url)):
        return ""
    return url
