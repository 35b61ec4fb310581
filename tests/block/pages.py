"""The templates in a plain Jinja environment: as strict as Flask's, without Flask."""

from __future__ import annotations

from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def environment(*before: BaseLoader) -> Environment:
    """Templates of *before* (a shop's own) win over the plugin's."""
    return Environment(
        loader=ChoiceLoader([*before, FileSystemLoader(TEMPLATES)]),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        keep_trailing_newline=False,
    )
