"""Around every page: the guard, the role, the form's token, headers, and an answer for whatever goes wrong."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, got_request_exception
from werkzeug.exceptions import HTTPException

from ...errors import ForbiddenError, InputError, MTPError, UnavailableError
from ..assets import send_asset
from ..errors import error_response
from ..kept import kept
from ..parts import get_state
from .console import get_console
from .frame import bare, page
from .panel import Page
from .roles import ask_guard

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https: data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-store",
}
WORDS = {
    403: "You may not do this",
    404: "There is nothing here",
    405: "This is not how this page is used",
    413: "That was too much at once",
    503: "A store cannot be reached",
}


def guarded(page_: Page) -> Callable[..., Response]:
    """The view of a page as it is registered."""

    def view(**values: Any) -> Response:
        state = get_state()
        if state.loaders.admin is None or not state.settings.enabled:
            return error_response(404, "not-found", "there is nothing at this address")
        response = _answer(page_, values)
        response.headers.update(HEADERS)
        response.vary.add("Cookie")
        return response

    return view


def asset(name: str) -> Response:
    """A file of the console; there is nothing of the shop in it."""
    found = get_console().assets.get(name)
    if found is None or get_state().loaders.admin is None:
        return error_response(404, "not-found", "there is nothing at this address")
    return send_asset(found)


def missing(rest: str) -> Response:
    """An address below the console that is no page."""
    return _failed(404, "The address may have a slip in it, or what it named is gone.")


def _answer(page_: Page, values: dict[str, Any]) -> Response:
    try:
        kept().person = person = ask_guard(get_state())
        if not person.may(page_.role):
            raise ForbiddenError(f"this takes the role {page_.role.word}; yours is {person.role.word}")
        if page_.method == "POST":
            get_console().tokens.check(person.name)
        return current_app.make_response(page_.view(**values))
    except HTTPException as error:
        if error.response is not None or kept().person is None:
            return current_app.make_response(error.get_response())  # the guard's own answer
        return _failed(error.code or 500, error.description or "")
    except InputError as error:
        return _failed(error.status, error.message)
    except UnavailableError as error:
        log.error("the console answered 503: %s", error)
        return _failed(503, "The database or the models are away. Try again in a moment; the log says what is missing.")
    except MTPError as error:
        return _failed(409, str(error))
    except Exception as error:  # the rest of the console stands
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        got_request_exception.send(app, _async_wrapper=app.ensure_sync, exception=error)
        app.log_exception(sys.exc_info())
        return _failed(500, "Something went wrong here. It has been logged; the other pages work.")


def _failed(status: int, message: str) -> Response:
    title = WORDS.get(status, "This did not work")
    said = message[:1].upper() + message[1:]
    said = said if not said or said.endswith((".", "!", "?")) else f"{said}."
    try:
        if kept().person is not None:
            return page("error.html", title=title, status=status, message=said)
    except Exception:
        log.exception("the console's frame cannot be drawn")
    return bare("refused.html", title=title, status=status, message=said)
