"""``v1/privacy/consent``: what a visitor decided, and deciding; with JavaScript or without. And ``gpc.json``."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import msgspec
from flask import Response, current_app, redirect, request

from ..errors import ForbiddenError, InputError
from ..ports import ConsentDecision
from ..records import ConsentLevel
from ..signals import consent_changed
from .keys import same_origin
from .parts import get_state
from .queries import read_json
from .sender import current_sender, limit_rate
from .visitor import PURPOSE, Visitor, current_visitor, decide, keep_apart, signed_in, stored_id

GPC_SINCE = "2026-01-01"
"""When the plugin's support of Global Privacy Control began or last changed, for ``gpc.json``."""

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
WORDS = {"granted": True, "denied": False}


class ConsentChoice(msgspec.Struct, forbid_unknown_fields=True):
    """What a visitor decides: True keeps a profile, False keeps nothing."""

    choice: bool


class ConsentState(msgspec.Struct, frozen=True):
    """What holds for this visitor; ``choice`` is null until there was one."""

    consent_level: ConsentLevel
    choice: bool | None
    policy_version: str
    gpc: bool


def read_consent() -> Response:
    """Tell what holds."""
    limit_rate(current_sender())
    return _answer(current_visitor())


def write_consent() -> Response:
    """Take a choice: who asks for JSON is told what holds now, a form goes back to its page.

    :raises ForbiddenError: a page of another origin asks
    """
    limit_rate(current_sender())
    if same_origin() is False:
        raise ForbiddenError("only the shop's own pages may set a visitor's choice")
    if request.mimetype in FORM_TYPES:
        visitor = _take(_form_choice())
        if request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json":
            return _answer(visitor)
        response = redirect(local_path(request.form.get("next", "")), 303)
        assert isinstance(response, Response)  # noqa: S101  Flask's own
        keep_apart(response, personal=True)
        return response
    choice: ConsentChoice = read_json(ConsentChoice)
    return _answer(_take(choice.choice))


def _form_choice() -> bool:
    request.max_content_length = 16 * 1024
    word = request.form.get("choice", "")
    if word not in WORDS:
        raise InputError("choice must be granted or denied", field="choice")
    return WORDS[word]


def _take(choice: bool) -> Visitor:
    """Record a choice under the visitor's ids. A refusal by somebody unknown has no name to be kept under."""
    now = time.time()
    state, known = get_state(), stored_id()
    visitor = decide(choice, now)
    user = signed_in(state)
    anonymous_id = visitor.anonymous_id or known
    subjects = [f"u:{user}"] if user else []
    subjects += [f"a:{anonymous_id}"] if anonymous_id else []
    for subject in subjects:
        decision = ConsentDecision(
            subject_id=subject,
            purpose=PURPOSE,
            granted=choice,
            policy_version=state.settings.policy_version,
            decided_at=now,
            source="banner",
        )
        state.consents.append(decision)
        consent_changed.send(current_app._get_current_object(), decision=decision)  # type: ignore[attr-defined]
    return visitor


def _answer(visitor: Visitor) -> Response:
    held = ConsentState(visitor.level, visitor.choice, get_state().settings.policy_version, visitor.gpc)
    response = Response(msgspec.json.encode(held), content_type="application/json")
    keep_apart(response, personal=True)
    return response


def local_path(target: str) -> str:
    """The target if it is a path of this site, else its front page: nobody is sent elsewhere by a link to us.

    Browsers read a backslash as a slash and drop control characters (https://url.spec.whatwg.org/#url-parsing), so
    both are refused.
    """
    home = f"{request.script_root}/"
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return home
    if any(ord(character) < 33 or ord(character) == 127 for character in target):
        return home
    try:
        parts = urlsplit(target)
    except ValueError:
        return home
    return home if parts.scheme or parts.netloc else target


def gpc() -> Response:
    """``/.well-known/gpc.json``: this site honours Global Privacy Control."""
    body = msgspec.json.encode({"gpc": True, "lastUpdate": GPC_SINCE})
    response = Response(body, content_type="application/json")
    response.cache_control.public, response.cache_control.max_age = True, 86400
    return response
