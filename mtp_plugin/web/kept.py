"""What this layer remembers while it answers one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Request, request

from ..pipeline import Reading

if TYPE_CHECKING:
    from ..track.sender import Sender
    from .admin.roles import Person
    from .visitor import Visitor

NAME = "mtp_kept"


@dataclass(slots=True)
class Kept:
    """The findings of one request, each made once.

    Kept with the request and not on ``flask.g``: that belongs to the application context, and requests inside one that
    is already there (a test's, a script's) all share it, so that one visitor would be answered as another.
    """

    visitor: Visitor | None = None
    sender: Sender | None = None
    body: bytes | None = None
    choices: Mapping[str, bool] | None = None
    """What the visitor decided in this request, and when."""
    decided_at: float = 0.0
    rendered: bool = False
    """A block, the script or the question went into the page."""
    personal: bool = False
    """Something of one visitor went into the page."""
    shown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The products of the blocks so far, by placement."""
    reading: Reading = field(default_factory=Reading)
    """The profile that the page's blocks go by."""
    segment_id: str | None = None
    """The segment of this request's visitor, ``""`` for none; ``None`` where nobody asked."""
    cors: str = ""
    """The origin whose page may read the answer."""
    started: float | None = None
    request_id: str = ""
    person: Person | None = None
    """Whom the shop let into the console."""


def kept() -> Kept:
    """What is kept of the current request.

    :raises RuntimeError: there is none
    """
    current: Request = request._get_current_object()  # type: ignore[attr-defined]
    of_request = vars(current)
    found: Kept | None = of_request.get(NAME)
    if found is None:
        found = of_request[NAME] = Kept()
    return found
