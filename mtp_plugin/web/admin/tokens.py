"""Tokens of the console's forms: signed, good for one browser, one person and twelve hours.

They need neither the shop's session nor its own form tokens, so the console works in any shop and meddles with none.
"""

from __future__ import annotations

import re
import secrets

from flask import Response, request
from itsdangerous import BadData, URLSafeTimedSerializer

from ...errors import ForbiddenError
from ..keys import same_origin

COOKIE = "mtp_console"
FIELD = "console_token"
GOOD_FOR_S = 12 * 3600
_BROWSER = re.compile(r"[0-9a-f]{32}")


class Tokens:
    """Makes and checks them.

    :param keys: signing keys, the oldest first; the last one signs
    :param path: below which the browser is to send the cookie
    """

    def __init__(self, keys: list[object], path: str) -> None:
        self.path = path
        self._serializer = URLSafeTimedSerializer(list(keys), salt="mtp-console-form")  # type: ignore[arg-type]

    def browser(self) -> str:
        """What tells this browser from others, ``""`` before its first page."""
        found = request.cookies.get(COOKIE, "")
        return found if _BROWSER.fullmatch(found) else ""

    def make(self, browser: str, who: str) -> str:
        """A token for the forms of one page."""
        made = self._serializer.dumps([browser, who])
        return made if isinstance(made, str) else made.decode()

    def check(self, who: str) -> None:
        """Refuse a form that none of our pages sent.

        :raises ForbiddenError: it comes from elsewhere, or from a page that is too old
        """
        if same_origin() is False:
            raise ForbiddenError("this form was sent by another site; nothing was changed")
        try:
            signed = self._serializer.loads(request.form.get(FIELD, ""), max_age=GOOD_FOR_S)
        except BadData:
            signed = None
        browser = self.browser()
        if not browser or signed != [browser, who]:
            raise ForbiddenError("this page was too old or not yours; nothing was changed. Go back, reload, try again")

    def give(self, response: Response, browser: str) -> None:
        """Tell the browser what it is known by, if it does not know."""
        if self.browser() != browser:
            response.set_cookie(
                COOKIE, browser, path=f"{request.script_root}{self.path}", secure=request.is_secure, httponly=True,
                samesite="Lax",
            )  # fmt: skip


def new_browser() -> str:
    """An id for a browser that has none."""
    return secrets.token_hex(16)
