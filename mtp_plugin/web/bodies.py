"""What the bodies of events look like, for ``openapi.json``; :mod:`mtp_plugin.track` is what checks them.

A property without a type is one that is believed of some senders only, or read event by event; what is said of it here
would be wrong for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OBJECT: Mapping[str, Any] = {"type": ["object", "null"]}
TIME: Mapping[str, Any] = {
    "description": "ISO 8601 after 1970, or seconds, milliseconds or microseconds since then.",
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "maxLength": 0},
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1e17},
        {"type": "null"},
    ],
}
NAME: Mapping[str, Any] = {
    "type": "string",
    "maxLength": 200,
    "pattern": r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
    "description": "Printable, such as Product Viewed.",
}


def _said(text: str) -> dict[str, Any]:
    return {"description": text}


COMMON: Mapping[str, Any] = {
    "messageId": {
        "type": ["string", "null"],
        "maxLength": 200,
        "pattern": r"^[^\x00-\x1f\x7f]*$",
        "description": "The same id again is the same event.",
    },
    "anonymousId": _said("The visitor; read from servers and pages of other origins."),
    "userId": _said("The account; read from servers."),
    "timestamp": TIME,
    "sentAt": TIME,
    "properties": OBJECT,
    "context": _said("Path of the page, campaign and locale are kept."),
    "writeKey": _said("The key, if it is not in the Authorization header."),
}


def _body(required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": dict(COMMON) | more}


IGNORED: dict[str, Any] = {"type": "object", "description": "Accepted and not read."}

BODIES: Mapping[str, dict[str, Any]] = {
    "track": _body(("event",), event=NAME),
    "page": _body(name=_said("Of the page.")),
    "screen": IGNORED,
    "identify": _body(traits=OBJECT),
    "alias": _body(previousId=_said("The id that was used before; required of servers.")),
    "group": IGNORED,
    "batch": {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {
                "type": "array",
                "description": "Bodies of the other calls, each with its type. A wrong one is named in errors.",
            },
            "sentAt": TIME,
            "context": _said("Laid under the context of every event."),
            "writeKey": COMMON["writeKey"],
        },
    },
    "ga4": {
        "type": "object",
        "required": ["events"],
        "properties": {
            "client_id": COMMON["anonymousId"],
            "user_id": COMMON["userId"],
            "timestamp_micros": {
                "description": "When, unless the event says otherwise.",
                "anyOf": [
                    {"type": "number", "minimum": 0, "exclusiveMaximum": 1e17},
                    {"type": "string", "pattern": "^[0-9]{0,17}$"},
                    {"type": "null"},
                ],
            },
            "events": {
                "type": "array",
                "minItems": 1,
                "description": "Each with name and params. A wrong one is named in errors.",
            },
        },
    },
}
