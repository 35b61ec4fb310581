"""``v1/privacy/subject`` and ``v1/privacy/requests``: what visitors may ask of their data.

Who asks must show that the data is theirs: signed in at the shop, by the signed cookie, or by the signed receipt of an
earlier answer. A server with a secret key names the visitor.
"""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import msgspec
from flask import Response, redirect, request
from msgspec import Meta

from ..errors import ForbiddenError, InputError, UnauthorizedError
from ..ports import SubjectRequest
from ..privacy.consent import to_all
from ..privacy.readable import as_html, as_text
from ..state import State
from ..track.limits import identifier
from .consent import FORM_TYPES, local_path
from .keys import same_origin
from .parts import get_state
from .queries import Word, read_json
from .receipts import ids_in, receipt_of
from .sender import current_sender, limit_rate
from .visitor import decide, keep_apart, signed_in, stored_id

Receipted = Annotated[str, Meta(max_length=2000, description="A receipt of an earlier answer, as proof.")]
Kind = Literal["erase", "restrict", "lift", "object", "rectify"]
BY_FORM = ("erase", "restrict", "lift", "object")
TYPES = {"json": "application/json", "html": "text/html; charset=utf-8", "text": "text/plain; charset=utf-8"}


class SubjectQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose data; a visitor on the shop's own pages needs to say nothing."""

    user_id: Annotated[Word, Meta(description="This account; servers only.")] = ""
    anonymous_id: Annotated[Word, Meta(description="This visitor; servers only.")] = ""
    receipt: Receipted = ""
    format: Annotated[Literal["json", "html", "text"], Meta(description="How an export is written.")] = "json"


class SubjectAsk(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is asked. ``traits`` are those to correct (``rectify``), null empties one."""

    kind: Kind
    traits: dict[Word, str | int | float | bool | None] = {}
    user_id: Word = ""
    anonymous_id: Word = ""
    receipt: Receipted = ""


class SubjectReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request. ``receipt`` proves later whose it is; ``finished_at`` is 0 till all is done."""

    request_id: str
    kind: str
    requested_at: float
    finished_at: float
    steps: dict[str, Any]
    receipt: str


class SubjectRequests(msgspec.Struct, frozen=True):
    """The visitor's requests, oldest first."""

    requests: tuple[SubjectReceipt, ...]


def export_subject() -> Response:
    """Everything that is kept of the visitor."""
    query = _query()
    ids, actor = _who(query.user_id, query.anonymous_id, query.receipt)
    found = get_state().subjects.export(ids, actor)
    body: str | bytes
    if query.format == "json":
        body = msgspec.json.encode({**found, "receipt": receipt_of(ids)})
    else:
        body = as_html(found) if query.format == "html" else as_text(found)
    response = Response(body, content_type=TYPES[query.format])
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    keep_apart(response, personal=True)
    return response


def erase_subject() -> Response:
    """Erase the visitor."""
    query = _query()
    ids, actor = _who(query.user_id, query.anonymous_id, query.receipt)
    return _answer(_do(get_state(), "erase", ids, actor, {}), ids)


def ask_subject() -> Response:
    """Take a request: from JSON, or from a form, which goes back to its page."""
    if request.mimetype not in FORM_TYPES:
        ask: SubjectAsk = read_json(SubjectAsk)
        ids, actor = _who(ask.user_id, ask.anonymous_id, ask.receipt)
        return _answer(_do(get_state(), ask.kind, ids, actor, ask.traits), ids)
    request.max_content_length = 16 * 1024
    kind = request.form.get("kind", "")
    if kind not in BY_FORM:
        raise InputError("kind must be erase, restrict, lift or object", field="kind")
    ids, actor = _who("", "", request.form.get("receipt", ""))
    done = _do(get_state(), kind, ids, actor, {})
    if "next" not in request.form:
        return _answer(done, ids)
    response = redirect(local_path(request.form["next"]), 303)
    assert isinstance(response, Response)  # noqa: S101  Flask's own
    keep_apart(response, personal=True)
    return response


def read_requests() -> Response:
    """What the visitor asked for, and how far it is."""
    query = _query()
    ids, _ = _who(query.user_id, query.anonymous_id, query.receipt)
    found = [one for name in ids for one in get_state().subjects.requests_of(name)]
    proof = receipt_of(ids)
    response = Response(
        msgspec.json.encode(SubjectRequests(tuple(_receipt(one, proof) for one in found))),
        content_type="application/json",
    )
    keep_apart(response, personal=True)
    return response


def own_ids(state: State) -> tuple[str, ...]:
    """The ids of the current request's visitor that it has shown to be its own, whatever it permits."""
    user, known = signed_in(state), stored_id()
    return (*((f"u:{user}",) if user else ()), *((f"a:{known}",) if known else ()))


def ask_for_visitor(kind: str, traits: dict[str, Any] | None = None) -> SubjectReceipt:
    """Take a request of the current request's visitor, as the shop's own account page passes it on.

    :raises UnauthorizedError: nobody is signed in and there is no cookie
    """
    ids = own_ids(get_state())
    if not ids:
        raise UnauthorizedError("sign in, or show the receipt of an earlier answer")
    return _receipt(_do(get_state(), kind, ids, "visitor", traits or {}), receipt_of(ids))


def _query() -> SubjectQuery:
    known = {name: request.args[name] for name in SubjectQuery.__struct_fields__ if name in request.args}
    try:
        return msgspec.convert(known, SubjectQuery)
    except msgspec.ValidationError as error:
        raise InputError(str(error), field="format") from error


def _who(user_id: str, anonymous_id: str, receipt: str) -> tuple[tuple[str, ...], str]:
    """Whose data the current request may ask for, and who asks.

    :raises UnauthorizedError: it shows nothing that proves it
    """
    sender = current_sender()
    limit_rate(sender)
    if sender.kind == "server":
        named = (("u", user_id, "user_id"), ("a", anonymous_id, "anonymous_id"))
        ids = tuple(f"{letter}:{identifier(value, field)}" for letter, value, field in named if value)
        if not ids:
            raise InputError("name a visitor: user_id or anonymous_id", field="user_id")
        return ids, "server"
    if user_id or anonymous_id:
        raise ForbiddenError("only servers with a secret key may name a visitor", field="user_id")
    if same_origin() is False:
        raise ForbiddenError("only the shop's own pages may ask for a visitor's data")
    ids = tuple(dict.fromkeys((*own_ids(get_state()), *ids_in(receipt))))
    if not ids:
        raise UnauthorizedError("sign in, or show the receipt of an earlier answer")
    return ids, "visitor"


def _do(state: State, kind: str, ids: tuple[str, ...], actor: str, traits: dict[str, Any]) -> SubjectRequest:
    """Models are left to the job: nobody waits for a training, and one does for many."""
    subjects = state.subjects
    if kind == "rectify":
        return subjects.rectify(ids, actor, dict(traits))
    if kind == "lift":
        return subjects.lift(ids, actor)
    if actor == "visitor":
        decide(to_all(False, ()), time.time())
    if kind == "erase":
        return subjects.erase(ids, actor, models=False)
    return subjects.restrict(ids, actor) if kind == "restrict" else subjects.object(ids, actor)


def _receipt(done: SubjectRequest, proof: str) -> SubjectReceipt:
    return SubjectReceipt(
        request_id=done.request_id,
        kind=done.kind,
        requested_at=done.requested_at,
        finished_at=done.finished_at,
        steps=done.steps,
        receipt=proof,
    )


def _answer(done: SubjectRequest, ids: tuple[str, ...]) -> Response:
    response = Response(msgspec.json.encode(_receipt(done, receipt_of(ids))), content_type="application/json")
    keep_apart(response, personal=True)
    return response
