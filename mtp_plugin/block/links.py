"""Addresses from a catalogue, which anybody may have written: only those that cannot run anything pass."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import msgspec

from ..records import Block

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


def absolute(block: Block, root: str) -> Block:
    """The block for a page elsewhere, its links and pictures leading to the shop at *root*.

    :param root: the shop's address, such as ``https://shop.example/``
    """
    cards = tuple(
        msgspec.structs.replace(card, url=_joined(root, card.url), image=_joined(root, card.image))
        for card in block.cards
    )
    return msgspec.structs.replace(block, cards=cards, message_url=_joined(root, block.message_url))


def _joined(root: str, url: str) -> str:
    try:
        return urljoin(root, url) if url else ""
    except ValueError:  # a host in brackets that is no address
        return ""
