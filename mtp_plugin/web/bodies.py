"""What the bodies of events look like, for ``openapi.json``; :mod:`mtp_plugin.track` is what checks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
OPEN = {"type": "object", "additionalProperties": True}
TIME = {"type": "string", "format": "date-time"}

COMMON: Mapping[str, Any] = {
    "messageId": TEXT | {"description": "The same id again is the same event again."},
    "anonymousId": TEXT | {"description": "Believed of servers only."},
    "userId": TEXT | {"description": "Believed of servers only."},
    "timestamp": TIME,
    "sentAt": TIME | {"description": "By the sender's clock; tells how wrong it is."},
    "context": OPEN,
    "writeKey": {"type": "string"},
}


def _body(required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": dict(COMMON) | more}


TRACK = _body(("event",), event=TEXT, properties=OPEN)
EVENT = _body(
    ("type",),
    type={"type": "string", "enum": ["track", "page", "identify", "alias", "group", "screen"]},
    event=TEXT,
    name={"type": "string"},
    properties=OPEN,
    traits=OPEN,
    previousId=TEXT,
    groupId=TEXT,
)

BODIES: Mapping[str, dict[str, Any]] = {
    "track": TRACK,
    "page": _body(name={"type": "string"}, category={"type": "string"}, properties=OPEN),
    "screen": _body(name={"type": "string"}, properties=OPEN),
    "identify": _body(traits=OPEN),
    "alias": _body(("previousId",), previousId=TEXT),
    "group": _body(("groupId",), groupId=TEXT, traits=OPEN),
    "batch": {
        "type": "object",
        "required": ["batch"],
        "properties": {"batch": {"type": "array", "items": EVENT}, "sentAt": TIME, "writeKey": {"type": "string"}},
    },
    "ga4": {
        "type": "object",
        "required": ["events"],
        "properties": {
            "client_id": TEXT,
            "user_id": TEXT,
            "timestamp_micros": {"type": "integer"},
            "events": {
                "type": "array",
                "items": {"type": "object", "required": ["name"], "properties": {"name": TEXT, "params": OPEN}},
            },
        },
    },
}
