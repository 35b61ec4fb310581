"""Light or dark: a choice of this browser's, kept in a cookie."""

from __future__ import annotations

from flask import Response, request

from ....errors import InputError
from ..console import get_console
from ..frame import THEME, THEMES, address, back_to
from ..panel import Page, Panel

YEAR_S = 365 * 86400


def choose() -> Response:
    """Take the choice and go back."""
    chosen = request.form.get("theme", "")
    if chosen not in THEMES:
        raise InputError(f"choose one of {', '.join(THEMES)}", field="theme")
    response = back_to(_from())
    path = f"{request.script_root}{get_console().tokens.path}"
    response.set_cookie(THEME, chosen, max_age=YEAR_S, path=path, secure=request.is_secure, samesite="Lax")
    return response


def _from() -> str:
    """The page of the console that the form was on."""
    url, home = request.form.get("from", ""), address("overview_show")
    return url if url.startswith(home) and "\\" not in url and url.isprintable() else home


PANEL = Panel(key="theme", title="Theme", group="", pages=(Page("", "choose", choose, "POST"),))
