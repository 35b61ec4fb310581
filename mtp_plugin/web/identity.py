"""``v1/identity``: who is who, for servers with a secret key."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import msgspec
from flask import Response, request
from msgspec import Meta

from ..errors import InputError, UnauthorizedError
from ..records import MAX_ID, Claim, Link
from .errors import invalid
from .parts import get_state
from .queries import read_json
from .sender import current_sender

Node = Annotated[str, Meta(max_length=MAX_ID + 80, pattern="^[uaepo]:.+$", description="Such as u:anna-7 or a:5f0c.")]
NodeOrNone = Annotated[
    str, Meta(max_length=MAX_ID + 80, pattern="^([uaepo]:.+)?$", description="All links of this one.")
]
State = Literal["", "active", "suggested", "refused", "rejected", "undone", "suspended"]
STATES = {"accept": "active", "reject": "rejected", "undo": "undone"}
ACTOR = "api"


class IdentityQuery(msgspec.Struct, kw_only=True):
    """Which links: all of one node, or those in a state, newest first."""

    node: NodeOrNone = ""
    state: State = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class IdentityClaim(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Two nodes are one person; with ``suggest`` somebody has to agree first."""

    left: Node
    right: Node
    confidence: Annotated[float, Meta(ge=0, le=1)] = 1.0
    suggest: bool = False


class IdentityDecision(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A word on one link."""

    link_id: Annotated[int, Meta(ge=1, le=2**53)]
    decision: Literal["accept", "reject", "undo"]


class Links(msgspec.Struct, frozen=True):
    """Links, and the nodes of one person where one was asked for."""

    links: list[Link]
    cluster: tuple[str, ...] = ()


def read_identity() -> Response:
    """Tell of links."""
    _only_servers()
    query, ledger = _query(), get_state().people.identity
    if query.node:
        found = [link for link in ledger.links_of(query.node) if query.state in ("", link.state)]
        return _answer(Links(found[-query.limit :], ledger.cluster(query.node)))
    return _answer(Links(ledger.links(query.state, query.limit)))


def claim_identity() -> Response:
    """Take a claim."""
    _only_servers()
    given: IdentityClaim = read_json(IdentityClaim)
    claim = Claim(left=given.left, right=given.right, kind="manual", confidence=given.confidence, suggest=given.suggest)
    made = get_state().people.claim([claim], time.time(), ACTOR)
    if not made:
        raise InputError("an id holds what cannot be stored", field="left")
    return _answer(Links(made))


def decide_identity() -> Response:
    """Accept, reject or undo."""
    _only_servers()
    given: IdentityDecision = read_json(IdentityDecision)
    return _answer(Links([get_state().people.decide(given.link_id, STATES[given.decision], time.time(), ACTOR)]))


def _query() -> IdentityQuery:
    values: dict[str, Any] = {
        name: request.args[name] for name in IdentityQuery.__struct_fields__ if name in request.args
    }
    try:
        return msgspec.convert(values, IdentityQuery, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error) from None


def _only_servers() -> None:
    if current_sender().kind != "server":
        raise UnauthorizedError("who is who is told to servers only; show a key of MTP_SECRET_KEYS")


def _answer(links: Links) -> Response:
    response = Response(msgspec.json.encode(links), content_type="application/json")
    response.cache_control.no_store = True
    return response
