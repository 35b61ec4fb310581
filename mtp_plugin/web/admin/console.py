"""What the console keeps for one application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, current_app

from ...assets import static_folder
from ..assets import TYPES, Asset, version_of
from .notices import Notices
from .tokens import Tokens

KEY = "mtp_console"
PATH = "/admin"


@dataclass(frozen=True, slots=True)
class Console:
    """Tokens of its forms, notices for its next page, its files."""

    tokens: Tokens
    notices: Notices
    assets: dict[str, Asset]
    running: dict[str, float] = field(default_factory=dict)
    """Jobs that this process was asked to run, with the time they began."""


def install_console(app: Flask, prefix: str, keys: Sequence[Any]) -> None:
    """Make the console's parts for one application."""
    path = f"{prefix.rstrip('/')}{PATH}"
    app.extensions[KEY] = Console(Tokens(list(keys), path), Notices(list(keys), path), _assets())


def get_console() -> Console:
    """The console's parts on the current application."""
    found = current_app.extensions[KEY]
    assert isinstance(found, Console)  # noqa: S101  the key is ours
    return found


def _assets() -> dict[str, Asset]:
    folder = Path(static_folder()) / "mtp" / "admin"
    bodies = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in TYPES}
    return {name: Asset(body, TYPES[Path(name).suffix], version_of(body)) for name, body in bodies.items()}
