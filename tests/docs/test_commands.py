"""Every command that the documentation shows is one that there is, and can be called as it is shown."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from mtp_plugin.cli import mtp

from ..core.shops import mounted
from .commands_page import PAGE, commands, page
from .fences import PAGES, ROOT, blocks, fences

FILES = re.compile(r"[\w-]+(?:\.[\w]+)+|FILE")
ADR = sorted((ROOT / "docs" / "adr").glob("*.md"))


def shown() -> list[tuple[str, str]]:
    """Each ``flask mtp ...`` of every page, in fences and in sentences."""
    found = set()
    for path in [*PAGES, *ADR]:
        if path == PAGE:
            continue  # it is made from the commands
        text = re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8"))
        for command in re.findall(r"(?:^|`|\s)(flask mtp [^`\n#|]+)", text):
            found.add((path.name, command.strip().rstrip(".,;:)")))
    return sorted(found)


def lines() -> list[tuple[str, str]]:
    """Each line of a fence with commands, without what is said after ``#``."""
    found = set()
    for fence in fences():
        if fence.language == "sh":
            found |= {(fence.page, line.split(" #")[0].strip()) for line in fence.text.splitlines() if line.strip()}
    return sorted(found)


@pytest.mark.parametrize(("where", "line"), shown())
def test_the_command_can_be_called_so(where: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)[2:]
    for word in words:
        if FILES.fullmatch(word):
            Path(word).touch()
    command: click.Command = mtp
    context = click.Context(mtp, info_name="mtp")
    while words and isinstance(command, click.Group):
        name = words.pop(0)
        if name in ("...", "…"):
            return
        assert name in command.commands, f"{where}: {line}"
        command = command.commands[name]
        context = click.Context(command, parent=context, info_name=name)
    if not words and any(parameter.required for parameter in command.params):
        return  # a sentence names the command without calling it
    command.make_context(command.name, words, parent=context)  # raises for what it does not know or lacks


BACKUPS = [line for block in blocks("operations.md", "sh")[:-1] for line in block.splitlines()]


@pytest.mark.parametrize(("where", "line"), lines())
def test_every_line_is_a_command_of_a_known_kind(where: str, line: str) -> None:
    words = shlex.split(line)
    if line in BACKUPS:
        return  # tests/ops/test_backup.py runs them
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"{where}: {line}"
    elif words[0] == "python":
        file = f"{words[2].replace('.', '/')}.py" if words[1] == "-m" else words[1]
        source = (ROOT / file).read_text(encoding="utf-8")
        options = {word.strip("[]") for word in words if "--" in word}
        assert all(option in source for option in options), f"{where}: {line}"
    else:
        known = (["flask", "mtp"], ["flask", "run"], ["pip", "install"])
        assert words[:2] in known or words[0] in ("curl", "dask", "granian", "gunicorn"), f"{where}: {line}"


def test_something_was_found() -> None:
    assert len(shown()) > 15
    assert len(lines()) > 12


def test_the_page_is_the_commands() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.commands_page"


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_says_what_it_does(path: str, command: click.Command) -> None:
    assert command.help
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert "--json" in {name for option in options for name in option.opts}
    assert all(option.help for option in options)


# ------------------------------------------------------------------------------------------- imports that are shown


def test_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of both pages, by the commands of both pages."""
    app, _ = mounted(tmp_path / "shop", MTP_TIME_ZONE="Europe/Berlin")
    monkeypatch.chdir(tmp_path)
    Path("products.csv").write_bytes(blocks("catalogue.md", "csv")[0].encode("cp1252"))
    Path("mapping.json").write_text(blocks("catalogue.md", "json")[0], encoding="utf-8")
    runner = app.test_cli_runner()
    plain, mapped = (shlex.split(line)[1:] for line in blocks("catalogue.md", "sh")[0].splitlines())
    assert runner.invoke(args=plain).exit_code == 1, "this file needs its mapping"
    strict = runner.invoke(args=mapped)
    assert strict.exit_code == 1
    assert "line 4: price: 'auf Anfrage' is no price" in strict.stderr
    assert "2 products added" in runner.invoke(args=[word for word in mapped if word != "--strict"]).output

    Path("events.csv").write_text(blocks("events.md", "csv")[0], encoding="utf-8")
    Path("mapping.json").write_text(blocks("events.md", "json")[2], encoding="utf-8")
    (line,) = blocks("events.md", "sh")[0].splitlines()
    done = runner.invoke(args=[*shlex.split(line)[1:], "--json"])
    assert (json.loads(done.stdout)["added"], done.exit_code) == (2, 0)
