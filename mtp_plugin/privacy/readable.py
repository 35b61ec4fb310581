"""An export of a visitor's data as a page or a text that people can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

TIMES = ("_at", "timestamp", "first_seen", "last_seen", "since", "session_start", "now", "first", "last")
EPOCH_2000 = 946_684_800.0
Lines = Iterator[tuple[int, str, str]]


def as_text(export: Mapping[str, Any]) -> str:
    """The export as indented lines."""
    return "\n".join(f"{'  ' * depth}{name}: {value}".rstrip(": ") for depth, name, value in _lines(export, 0)) + "\n"


def as_html(export: Mapping[str, Any], title: str = "Your data in this shop") -> str:
    """The export as one page without scripts, styles or pictures; everything in it is escaped."""
    parts = [f"<section><h2>{escape(str(name))}</h2>{_html(value)}</section>" for name, value in export.items()]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>'
        f"<body><main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>"
    )


def _html(value: Any, name: str = "") -> str:
    if isinstance(value, Mapping):
        rows = "".join(f"<dt>{escape(str(key))}</dt><dd>{_html(part, str(key))}</dd>" for key, part in value.items())
        return f"<dl>{rows}</dl>" if rows else "nothing"
    if isinstance(value, (list, tuple)):
        rows = "".join(f"<li>{_html(part, name)}</li>" for part in value)
        return f"<ol>{rows}</ol>" if rows else "nothing"
    return escape(_plain(name, value))


def _lines(value: Any, depth: int) -> Lines:
    items: Sequence[tuple[str, Any]]
    items = list(value.items()) if isinstance(value, Mapping) else [(str(i), part) for i, part in enumerate(value, 1)]
    for name, part in items:
        if isinstance(part, (Mapping, list, tuple)) and part:
            yield depth, str(name), ""
            yield from _lines(part, depth + 1)
        else:
            yield depth, str(name), _plain(str(name), part)


def _plain(name: str, value: Any) -> str:
    if value is None or value == "" or value in ({}, [], ()):
        return "nothing"
    if isinstance(value, float) and value > EPOCH_2000 and name.endswith(TIMES):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return str(value)
