"""The first-party cookies: who the visitor is, and what the visitor chose. Signed; a forged one is as none.

A third, where the shop wants it, tells caches at the edge the visitor's segment. It is not signed and we never read it
to decide anything: everybody may see what any segment is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from flask import Response
from itsdangerous import BadData, TimestampSigner, URLSafeSerializer

from ..config import Settings
from ..privacy.consent import Purpose, to_all

_ID = re.compile(r"[0-9a-f]{32}")
DAY = 86400
LONGEST = 1000
"""Characters of a cookie that are looked at: ours are shorter, and what is looked at is remembered."""
REMEMBERED = 4096
"""Cookies whose signature is not checked again; a browser sends the same one with every page."""


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a visitor decided, under which policy, when (seconds since 1970).

    ``choice`` is about personalisation; ``purposes`` is there where the answer was not one for all of them.
    """

    choice: bool
    policy_version: str
    time: int
    purposes: dict[str, bool] = {}

    def by_purpose(self, asked: Iterable[str]) -> dict[str, bool]:
        """The decision about each purpose, where *asked* is what a yes was to."""
        return self.purposes or to_all(self.choice, asked)


class Cookies:
    """Reads and writes the cookies.

    :param keys: signing keys, the oldest first; the last one signs
    """

    def __init__(self, settings: Settings, keys: Sequence[Any]) -> None:
        self.visitor_name, self.consent_name = settings.cookie_name, settings.consent_cookie_name
        self.segment_name = settings.segment_cookie_name
        self.seconds = settings.cookie_days * DAY
        self._policy_version, self._asked = settings.policy_version, settings.consent_purposes
        self._signer = TimestampSigner(list(keys), salt="mtp-visitor", key_derivation="hmac")
        self._stamped = lru_cache(maxsize=REMEMBERED)(self._read_stamp)
        self._decided = lru_cache(maxsize=REMEMBERED)(self._read_decision)
        self._serializer = URLSafeSerializer(list(keys), salt="mtp-consent", signer_kwargs={"key_derivation": "hmac"})

    def visitor_id(self, value: str | None) -> str:
        """The id in a visitor cookie; ``""`` when there is none, it is forged or older than it may live."""
        if not value or len(value) > LONGEST:
            return ""
        found, signed_at = self._stamped(value)
        # One of a time to come is ours all the same: the clock was set back, or is another machine's.
        return found if self._signer.get_timestamp() - signed_at <= self.seconds else ""

    def _read_stamp(self, value: str) -> tuple[str, float]:
        """The id and when it was signed, in seconds since 1970."""
        try:
            text, signed_at = self._signer.unsign(value, return_timestamp=True)
        except BadData:
            return "", 0.0
        found = text.decode("ascii", "replace")
        return (found, signed_at.timestamp()) if _ID.fullmatch(found) else ("", 0.0)

    def choice(self, value: str | None) -> bool | None:
        """What a consent cookie says; ``None`` when there is none, it is forged or about another policy."""
        found = self.decision(value)
        return found.choice if found else None

    def decision(self, value: str | None) -> Choice | None:
        """The same with the time it was made."""
        return self._decided(value) if value and len(value) <= LONGEST else None

    def _read_decision(self, value: str) -> Choice | None:
        try:
            read = msgspec.convert(self._serializer.loads(value), Choice)
        except (BadData, msgspec.ValidationError):
            return None
        return read if read.policy_version == self._policy_version else None

    def set_visitor(self, response: Response, visitor_id: str, *, secure: bool) -> None:
        """Give the browser its id."""
        self._set(response, self.visitor_name, self._signer.sign(visitor_id).decode(), secure)

    def set_choices(self, response: Response, choices: Mapping[str, bool], now: float, *, secure: bool) -> None:
        """Remember what the visitor decided; as one word where it is the same for every purpose."""
        personal = choices.get(Purpose.PERSONALISATION, False)
        alike = dict(choices) == to_all(personal, self._asked)
        value = Choice(
            choice=personal,
            policy_version=self._policy_version,
            time=int(now),
            purposes={} if alike else dict(choices),
        )
        text = self._serializer.dumps(msgspec.to_builtins(value))
        self._set(response, self.consent_name, text if isinstance(text, str) else text.decode(), secure)

    def delete_visitor(self, response: Response, *, secure: bool) -> None:
        """Take the id away."""
        response.delete_cookie(self.visitor_name, path="/", secure=secure, httponly=True, samesite="Lax")

    def tell_segment(self, response: Response, held: str, segment_id: str, *, secure: bool) -> None:
        """Have the browser hold this segment and no other, ``""`` for none."""
        if segment_id and segment_id != held:
            self._set(response, self.segment_name, segment_id, secure)
        elif held and not segment_id:
            response.delete_cookie(self.segment_name, path="/", secure=secure, httponly=True, samesite="Lax")

    def _set(self, response: Response, name: str, value: str, secure: bool) -> None:
        response.set_cookie(name, value, max_age=self.seconds, path="/", secure=secure, httponly=True, samesite="Lax")
