"""One shape for every error under the API: ``{"error": {"code", "message", "field"}}``."""

from __future__ import annotations

import logging
import re
import sys

import msgspec
from flask import Blueprint, Flask, Response, current_app, got_request_exception, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import RequestRedirect

from ..errors import InputError, UnavailableError
from .limits import RateLimitedError

log = logging.getLogger(__name__)

RETRY_S = 2
"""When a client should ask again after a store could not be reached."""


class ErrorBody(msgspec.Struct, frozen=True):
    """What is wrong: a stable word, a sentence with the remedy, and the dotted path of the field (may be empty)."""

    code: str
    message: str
    field: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The body of every error."""

    error: ErrorBody


def error_response(status: int, code: str, message: str, field: str = "") -> Response:
    """An answer in the shape of all errors; never cached."""
    body = msgspec.json.encode(ErrorAnswer(ErrorBody(code, message, field)))
    response = Response(body, status=status, content_type="application/json")
    response.cache_control.no_store = True
    return response


def handle_errors(blueprint: Blueprint) -> None:
    """Answer whatever goes wrong in the views of *blueprint*."""
    blueprint.register_error_handler(InputError, _input)
    blueprint.register_error_handler(UnavailableError, _unavailable)
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(Exception, _unexpected)


def handle_unrouted(app: Flask, prefix: str) -> None:
    """Answer addresses under *prefix* that are no route of ours, and methods that a route does not know.

    A blueprint is not asked about those, and the shop's own pages for 404 and 405 stay as they are. Mounted on the
    root, only what starts like the API is ours.
    """
    ours = re.compile(re.escape(prefix.rstrip("/")) + ("/" if prefix.rstrip("/") else "/(v1|health)/"))

    def refuse() -> Response | None:
        error = request.routing_exception
        if error is None or isinstance(error, RequestRedirect) or not ours.match(request.path):
            return None
        return _http(error)

    app.before_request(refuse)


def invalid(error: msgspec.ValidationError) -> InputError:
    """Put a failed validation in our words: msgspec says ``Expected `int`, got `str` - at `$.limit```."""
    message, _, path = str(error).partition(" - at `")
    field = path.rstrip("`").removeprefix("$").lstrip(".")
    missing = re.fullmatch(r"Object (?:missing required|contains unknown) field `(.*)`", message)
    if missing:
        field = ".".join(part for part in (field, missing.group(1)) if part)
    return InputError(message.replace("`", ""), field=field)


def _input(error: InputError) -> Response:
    response = error_response(error.status, error.code, error.message, error.field)
    if isinstance(error, RateLimitedError):
        response.headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="mtp"'
    return response


def _unavailable(error: UnavailableError) -> Response:
    log.error("answered 503: %s", error, exc_info=error)
    response = error_response(503, "unavailable", "this cannot be done right now, try again shortly")
    response.headers["Retry-After"] = str(RETRY_S)
    return response


HTTP_WORDS = {
    400: ("invalid", "the request cannot be read"),
    404: ("not-found", "there is nothing at this address"),
    405: ("method-not-allowed", "this address does not know this method"),
    413: ("too-large", "the body is too large"),
    415: ("unsupported-media-type", "send JSON, as application/json"),
}


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    code, message = HTTP_WORDS.get(status, ("error", error.name.lower()))
    response = error_response(status, code, message)
    if isinstance(error, RequestEntityTooLarge):
        response.headers["Connection"] = "close"
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    got_request_exception.send(app, _async_wrapper=app.ensure_sync, exception=error)
    app.log_exception(sys.exc_info())
    return error_response(500, "internal", "something went wrong here; it has been logged")
