"""What all commands share: progress on stderr, one JSON object on stdout, errors in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

import click
import msgspec

from ..errors import InputError, MTPError
from ..state import State
from ..web.parts import get_state

F = TypeVar("F", bound=Callable[..., Any])


def say(text: str) -> None:
    """Tell the person at the terminal how it goes."""
    click.echo(text, err=True)


def answer(data: Any, as_json: bool, text: str) -> None:
    """Print the outcome, as one JSON object or as *text*."""
    click.echo(json.dumps(msgspec.to_builtins(data), sort_keys=True) if as_json else text)


def command(group: click.Group, name: str) -> Callable[[F], click.Command]:
    """A command of *group*: errors become one line and exit code 1, and there is ``--json``."""

    def decorate(function: F) -> click.Command:
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except InputError as error:
                where = f"{error.field}: " if error.field else ""
                raise click.ClickException(f"{where}{error.message}") from error
            except MTPError as error:
                raise click.ClickException(str(error)) from error

        wrapped = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(
            update_wrapper(run, function)
        )
        return group.command(name)(wrapped)

    return decorate


def mounted() -> State:
    """What is mounted on the current application.

    :raises SetupError: nothing is
    """
    return get_state()


def read_json(path: str | None) -> dict[str, Any] | None:
    """The JSON object in a file, ``None`` for no file.

    :raises InputError: it holds something else
    """
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            read = json.load(file)
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}", field="mapping") from error
    if not isinstance(read, dict):
        raise InputError(f"{path} must hold one JSON object", field="mapping")
    return read
