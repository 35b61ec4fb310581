"""Who sends: a browser on the shop's own origin, a page elsewhere, a server, or nobody we know."""

from __future__ import annotations

import time

from flask import Response, has_request_context, request

from ..errors import ForbiddenError, UnauthorizedError, UnavailableError
from ..records import ConsentLevel, Signals
from ..state import State
from ..track.limits import identifier
from ..track.sender import Kind, Sender
from .context import event_signals
from .kept import kept
from .keys import is_one_of, key_in_query, same_origin, shown_key
from .parts import get_parts, get_state
from .visitor import Visitor, current_visitor, refused_since, signalled_level, stored_id


def current_sender() -> Sender:
    """The sender of the current request, decided once.

    :raises UnauthorizedError: it shows a key that is none of ours
    :raises ForbiddenError: it shows a public key from a page that the key is not good for
    """
    of_request = kept()
    if of_request.sender is None:
        of_request.sender = _decide(get_state())
    return of_request.sender


def own_sender(state: State, user_id: str | None = None) -> Sender:
    """The shop's own code: for the visitor of the request, or for the account it names.

    Outside of a request, or for an account by name, the shop vouches for the permission; a refusal that the account
    has on record is stronger.

    :raises mtp_plugin.errors.InputError: *user_id* is no id
    :raises UnavailableError: what the account decided cannot be read
    """
    if user_id is None and has_request_context():
        sender = _of_visitor("shop", current_visitor())
        require_certain(sender)
        return sender
    user = identifier(user_id, "user_id") if user_id else ""
    profile_id = f"u:{user}" if user else ""
    level = recorded_level(state, profile_id) if user else ConsentLevel.NON_PERSONAL
    return Sender(kind="shop", profile_id=profile_id, user_id=user, consent=level)


def recorded_level(state: State, profile_id: str) -> ConsentLevel:
    """What may be used for a visitor that somebody trusted names: everything, unless the visitor refused."""
    refused = state.subjects.suppressed.kinds(profile_id) or refused_since(state, profile_id, 0.0)
    return ConsentLevel.NON_PERSONAL if refused else ConsentLevel.FULL


def require_certain(sender: Sender) -> None:
    """Do not drop events for want of a record: who sent them is to send them again.

    :raises UnavailableError: the permission of this request's visitor could not be read
    """
    if sender.kind in ("browser", "shop") and current_visitor().uncertain:
        raise UnavailableError("the record of the account's choice cannot be read")


def limit_rate(sender: Sender) -> None:
    """Count this request against its sender; servers with a secret key are not counted.

    A visitor whose id is new counts as its address: otherwise dropping cookies would lift every limit.

    :raises mtp_plugin.web.limits.RateLimitedError: one too many
    """
    if sender.kind == "server":
        return
    if sender.kind == "browser" and sender.anonymous_id and not current_visitor().new:
        who = f"visitor:{sender.anonymous_id}"
    else:
        who = address_of_caller()
    limits = get_parts().limits
    limits.hit(who)
    if sender.kind == "other-origin":
        limits.hit_key(sender.key)


def address_of_caller() -> str:
    """What stands for the caller's address: counts go to Redis where there is one, and it sees a keyed hash alone."""
    return f"address:{get_state().hasher.subject(f'ip:{request.remote_addr}')[-24:]}"


def _decide(state: State) -> Sender:
    own = same_origin()
    # A page of our own needs no key; the Authorization its browser sends may be the password of a staging site.
    key = "" if own else shown_key()
    if key:
        return _with_key(state, key)
    if own or (own is None and _has_cookie()):
        return _of_visitor("browser", current_visitor())
    return _sender("anonymous", ConsentLevel.NON_PERSONAL)


def _has_cookie() -> bool:
    cookies, sent = get_parts().cookies, request.environ.get("HTTP_COOKIE", "")
    if cookies.visitor_name not in sent and cookies.consent_name not in sent:
        return False
    return bool(stored_id()) or cookies.choice(request.cookies.get(cookies.consent_name)) is not None


def _with_key(state: State, key: str) -> Sender:
    if not key_in_query() and is_one_of(key, state.settings.secret_keys):
        return _sender("server", ConsentLevel.FULL, key=key)
    origins = state.settings.write_keys.get(key)
    if origins is None:
        get_parts().limits.hit(f"guess:{address_of_caller()}")
        raise UnauthorizedError("this key is not known here; a secret key goes into the Authorization header")
    if request.headers.get("Origin") not in origins:
        raise ForbiddenError("this key is not good for pages of this origin; add the origin to MTP_WRITE_KEYS")
    kept().cors = request.headers["Origin"]
    return _sender("other-origin", signalled_level(), key=key)


def _sender(kind: Kind, consent: ConsentLevel, key: str = "") -> Sender:
    return Sender(
        kind=kind,
        consent=consent,
        user_agent=request.headers.get("User-Agent", ""),
        key=key,
        signals=_signals(consent) if kind == "other-origin" else None,
    )


def _of_visitor(kind: Kind, visitor: Visitor) -> Sender:
    staff = get_state().loaders.staff
    return Sender(
        staff=bool(staff and staff()),
        kind=kind,
        profile_id=next(iter(visitor.profile_ids), ""),
        anonymous_id=visitor.anonymous_id,
        user_id=visitor.user_id,
        consent=visitor.level,
        user_agent=request.headers.get("User-Agent", ""),
        signals=_signals(visitor.level),
    )


def _signals(level: ConsentLevel) -> Signals | None:
    """Of a visitor without permission nothing is read: its events are dropped."""
    return event_signals(time.time(), get_state().enrichment) if level is ConsentLevel.FULL else None


def allow_origin(response: Response) -> Response:
    """Let a page of another origin read this answer, if its key said so, and answer its browser's preflight."""
    origin = request.headers.get("Origin")
    if request.method == "OPTIONS" and origin and "Access-Control-Request-Method" in request.headers:
        # A preflight shows no key: any key that is good for this origin will do.
        if any(origin in origins for origins in get_state().settings.write_keys.values()):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET, POST")
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response.headers["Access-Control-Max-Age"] = "600"
        response.vary.add("Origin")
    elif origin := kept().cors:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.vary.add("Origin")
    return response
