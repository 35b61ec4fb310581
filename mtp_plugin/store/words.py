"""Text that a database can hold. What comes from outside may hold more, and then names nothing that is stored."""

from __future__ import annotations


def storable(text: str) -> bool:
    """Whether both databases can hold the text: no NUL, no lone surrogate."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
