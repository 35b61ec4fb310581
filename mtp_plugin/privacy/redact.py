"""Masks e-mail addresses, phone numbers and IP addresses in what is written down about the plugin's own work."""

from __future__ import annotations

import re
from typing import Any

EMAIL = re.compile(r"[^\s@<>\"',;:()\[\]]+@[^\s@<>\"',;:()\[\]]+\.[^\s@<>\"',;:()\[\]]+")
PHONE = re.compile(r"(?<!\w)\+\d[\d ()/.-]{6,}\d")
IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)")
IPV6 = re.compile(r"(?<![\w:])(?=(?:[0-9a-fA-F]*:){3})[0-9a-fA-F:]{6,39}(?![\w:])")
MASK = "***"


def redact(value: Any) -> Any:
    """The value with every address and number of a person in its texts, keys of mappings too, replaced by ``***``."""
    if isinstance(value, str):
        for pattern in (EMAIL, PHONE, IPV4, IPV6):
            value = pattern.sub(MASK, value)
        return value
    if isinstance(value, dict):
        return {redact(str(key)): redact(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(part) for part in value]
    return value
