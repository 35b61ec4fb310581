"""Every command that the documentation shows exists, with the options it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from mtp_plugin.cli import mtp

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for command in re.findall(r"(?:^|`|\s)(flask mtp [^`\n]+)", page.read_text()):
            found.append((page.name, command.strip()))
    return found


@pytest.mark.parametrize(("page", "line"), sorted(set(shown())))
def test_the_command_exists(page: str, line: str) -> None:
    words = shlex.split(line.split(" -> ")[0].rstrip(".,;:)"))[2:]
    command: click.Command = mtp
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        name = words.pop(0)
        if name in ("...", "…"):
            return
        assert name in command.commands, f"{page}: {line}"
        command = command.commands[name]
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options | {"--help"}, f"{page}: {line}"


def test_something_was_found() -> None:
    assert len(shown()) > 15


@pytest.mark.parametrize("name", sorted(mtp.commands))
def test_every_command_helps(name: str) -> None:
    command = mtp.commands[name]
    assert command.help or command.get_short_help_str()
