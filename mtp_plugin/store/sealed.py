"""Bodies sealed before they are stored, where the library for it is installed.

Without ``cryptography`` they are stored as they are, and their age alone protects them.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

MARK = b"\x01"
PLAIN = b"\x00"
"""First byte of what is stored: sealed or not."""


class Seal:
    """Fernet (AES-128-CBC with HMAC-SHA256) under keys derived from the application's.

    :param keys: the newest last; what is sealed with an older one is still opened
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = [hmac.digest(key, b"mtp-bodies", "sha256") for key in reversed(keys)]
        self._fernet: Any = None

    @property
    def works(self) -> bool:
        """Whether bodies are sealed here."""
        return bool(self._keys) and find_spec("cryptography") is not None

    def close(self, body: bytes) -> bytes:
        """What is stored of a body."""
        if not self.works:
            return PLAIN + body
        sealed: bytes = self._sealer().encrypt(body)
        return MARK + sealed

    def open(self, stored: bytes) -> bytes | None:
        """The body, ``None`` when it cannot be opened here."""
        if stored[:1] == PLAIN:
            return stored[1:]
        if not self.works:
            return None
        from cryptography.fernet import InvalidToken

        try:
            body: bytes = self._sealer().decrypt(stored[1:])
        except InvalidToken:
            return None
        return body

    def _sealer(self) -> Any:
        if self._fernet is None:
            from cryptography.fernet import Fernet, MultiFernet

            self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in self._keys])
        return self._fernet
