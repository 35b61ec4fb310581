"""What was done, told on the next page, with a way to undo it; kept in a signed cookie for a minute."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response, request
from itsdangerous import BadData, URLSafeTimedSerializer

COOKIE = "mtp_console_notice"
GOOD_FOR_S = 60


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence; ``undo`` are the address and fields of the form that takes it back, empty where nothing can."""

    text: str
    kind: str = "done"
    undo_url: str = ""
    undo_fields: dict[str, str] = {}


class Notices:
    """Hands a notice from one answer to the next page.

    :param keys: signing keys, the oldest first
    :param path: of the console
    """

    def __init__(self, keys: list[object], path: str) -> None:
        self._path = path
        self._serializer = URLSafeTimedSerializer(list(keys), salt="mtp-console-notice")  # type: ignore[arg-type]

    def waiting(self) -> Notice | None:
        """The notice that this browser has not yet been told."""
        sent = request.cookies.get(COOKIE)
        if not sent:
            return None
        try:
            read: Any = self._serializer.loads(sent, max_age=GOOD_FOR_S)
            return msgspec.convert(read, Notice)
        except (BadData, msgspec.ValidationError):
            return None

    def leave(self, response: Response, notice: Notice) -> None:
        """Leave it for the next page."""
        made = self._serializer.dumps(msgspec.to_builtins(notice))
        text = made if isinstance(made, str) else made.decode()
        response.set_cookie(
            COOKIE, text, max_age=GOOD_FOR_S, path=self._where, secure=request.is_secure, httponly=True, samesite="Lax"
        )

    def told(self, response: Response) -> None:
        """It has been told."""
        if COOKIE in request.cookies:
            response.delete_cookie(COOKIE, path=self._where)

    @property
    def _where(self) -> str:
        return f"{request.script_root}{self._path}"
