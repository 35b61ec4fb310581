"""``docs/commands.md`` from the commands themselves; ``python -m tests.docs.commands_page`` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from mtp_plugin.cli import mtp

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
HEAD = """# Commands

All are commands of `flask`, and know the application as it does: by `app.py`, `--app` or `FLASK_APP`. Progress goes to
stderr. With `--json`, which every one of them has, stdout is exactly one JSON object. The exit code is 1 when a command
fails, and 2 when it was called with words that it does not know.
"""


def commands(group: click.Group = mtp, path: str = "flask mtp") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with all its words, in the order of the alphabet."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _usage(path: str, command: click.Command) -> str:
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    words = [a.name.upper() if a.required else f"[{a.name.upper()}]" for a in arguments if a.name]
    return " ".join([path, *words])


def _help(command: click.Command) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))


def _row(option: click.Option) -> str:
    kind = "" if option.is_flag else f" {option.type.name}"
    default = option.to_info_dict()["default"]
    shown = "" if option.is_flag or default in (None, "") or not isinstance(default, (int, str)) else f"`{default}`"
    needed = "must be said" if option.required else shown
    return f"| `{', '.join(option.opts)}`{kind} | {needed} | {option.help or ''} |"


def _section(path: str, command: click.Command) -> str:
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    rows = [_row(option) for option in options if "--json" not in option.opts]
    table = "\n\n" + "\n".join(["| option | default | what |", "|---|---|---|", *rows]) if rows else ""
    return f"\n## `{_usage(path, command)}`\n\n{_help(command)}{table}\n"


def page() -> str:
    """The page as it should be."""
    return HEAD + "".join(_section(path, command) for path, command in commands())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
