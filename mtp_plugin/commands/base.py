"""What all commands share: progress on stderr, one JSON object on stdout, errors in one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

import click
import msgspec

from ..errors import InputError, ModelError, MTPError, SettingError, SetupError, UnavailableError
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
    """A command of *group*: there is ``--json``, and errors give exit code 1.

    An error is one line on stderr; with ``--json`` it is the object, ``{"error": {"code", "message", "field"}}``.
    """

    def decorate(function: F) -> click.Command:
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except (MTPError, click.ClickException) as error:
                if not kwargs.get("as_json"):
                    raise _in_one_line(error) from error
                click.echo(json.dumps({"error": _as_data(error)}, sort_keys=True))
                sys.exit(1)

        wrapped = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(
            update_wrapper(run, function)
        )
        return group.command(name)(wrapped)

    return decorate


def _in_one_line(error: MTPError | click.ClickException) -> click.ClickException:
    if isinstance(error, click.ClickException):
        return error
    where = f"{error.field}: " if isinstance(error, InputError) and error.field else ""
    return click.ClickException(f"{where}{error}")


_CODES: tuple[tuple[type[Exception], str], ...] = (
    (SetupError, "setup"),
    (UnavailableError, "unavailable"),
    (ModelError, "model"),
)


def _as_data(error: MTPError | click.ClickException) -> dict[str, str]:
    if isinstance(error, InputError):
        return {"code": error.code, "message": error.message, "field": error.field}
    if isinstance(error, click.ClickException):
        return {"code": "usage", "message": error.format_message(), "field": ""}
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "failed")
    return {"code": code, "message": str(error), "field": error.key if isinstance(error, SettingError) else ""}


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
