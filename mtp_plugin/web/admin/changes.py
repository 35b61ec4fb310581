"""Who changed what, from what to what: every change made in the console passes here."""

from __future__ import annotations

import logging
import time
from typing import Any

from ..parts import get_state
from .frame import current_person

log = logging.getLogger(__name__)


def note_change(action: str, subject: str, **details: Any) -> None:
    """Note a change for good, in the audit log.

    :param action: such as ``placement.changed``
    :param subject: what was changed, such as ``placement:home-hero``
    :param details: what it was before, what it is now
    """
    actor = f"admin:{current_person().name}"
    log.info("%s: %s %s", actor, action, subject)
    get_state().audit.append(actor, action, subject, details, at=time.time())
