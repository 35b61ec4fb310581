"""Experiments written in the console: drafted, begun, changed in what may change while they run, ended.

Entries are those of ``MTP_EXPERIMENTS``. Of one that has begun only words, its end and a growing share may change:
anything else would make of those who took part something else than what they saw.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .audience import check_audience
from .errors import ConflictError, InputError, NotFoundError, SettingError
from .experiment.rows import Row, load_experiments
from .ports import Change
from .state import State

KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")
LATER = ("title", "hypothesis", "note", "coverage", "until", "stops")
"""What may change of one that has begun."""


def written(state: State, key: str) -> Change:
    """What was written last, as the database has it now: ``options`` have the ``entry``, and whether it is a ``draft``.

    :raises NotFoundError: none was written under this key
    """
    change = state.experiment_log.current().get(key)
    if change is None or not change.options or key in state.experiments.declared:
        raise NotFoundError(f"no experiment {key} was written in the console", field="key")
    return change


def is_written(state: State, key: str) -> bool:
    """Whether an experiment is the console's, so that it can be changed there."""
    change = state.experiment_log.current().get(key)
    return change is not None and bool(change.options) and key not in state.experiments.declared


def checked(key: str, entry: Mapping[str, Any]) -> Row:
    """The experiment of an entry.

    :raises InputError: what is wrong, ``field`` names the option
    """
    if not KEY.fullmatch(key):
        raise InputError("use small letters, digits and hyphens, a letter or a digit first", field="key")
    try:
        row = load_experiments({key: entry})[key]
        check_audience(row)
    except SettingError as error:
        option = re.search(r"\['(\w+)'\]$", error.key)
        raise InputError(f"{error.remedy}", field=option[1] if option else "key") from None
    return row


def draft(
    state: State, key: str, entry: Mapping[str, Any], *, who: str, now: float, expected: int | None = None
) -> Row:
    """Write a draft, or in place of the one there is.

    :param expected: the number of the change that was looked at; the newest where it is not said
    :raises InputError: it could not work
    :raises ConflictError: an experiment of this key has begun, or is in the settings, or was changed meanwhile
    """
    row = checked(key, entry)
    known = state.experiment_log.current().get(key)
    begun = known is not None and bool(known.options) and not known.options["draft"]
    if begun or key in state.experiments.declared:
        raise ConflictError(f"there is an experiment {key} that is no draft; take another key", field="key")
    number = known.number if known else 0
    _write(state, key, entry, who, now, draft=True, expected=number if expected is None else expected)
    return row


def begin(state: State, key: str, *, who: str, now: float) -> Row:
    """Let a draft begin: now, or when it says if that is later.

    :raises NotFoundError: there is no such draft
    :raises ConflictError: it was changed at the same moment
    """
    change = _drafted(state, key)
    entry = dict(change.options["entry"])
    if checked(key, entry).begins < now:
        entry["since"] = _said(now)
    row = checked(key, entry)  # an end that is past by now
    _write(state, key, entry, who, now, draft=False, expected=change.number)
    return row


def amend(
    state: State, key: str, changes: Mapping[str, Any], *, who: str, now: float, expected: int | None = None
) -> Row:
    """Change what may change of one that has begun.

    :param expected: the number of the change that was looked at; the newest where it is not said
    :raises InputError: that may not, or could not work
    :raises ConflictError: it is a draft, or over, or was changed meanwhile
    """
    change = _begun(state, key)
    entry = dict(change.options["entry"])
    before = checked(key, entry)
    if before.ends <= now:
        raise ConflictError("it is over, and what is over does not run again; draft another one", field="until")
    if unknown := set(changes) - set(LATER):
        raise InputError("that is settled once an experiment has begun", field=min(unknown))
    after = checked(key, {**entry, **changes})
    if after.coverage < before.coverage:
        raise InputError("let it grow: who took part once goes on", field="coverage")
    number = change.number if expected is None else expected
    _write(state, key, {**entry, **changes}, who, now, draft=False, expected=number)
    return after


def end(state: State, key: str, *, who: str, now: float) -> Row:
    """Assign nobody any more; all see the control, and the result stays. What was to begin later is a draft again.

    :raises ConflictError: it is a draft, or over, or was changed at the same moment
    """
    change = _begun(state, key)
    entry, number = change.options["entry"], change.number
    row = checked(key, entry)
    if row.begins > now:
        _write(state, key, entry, who, now, draft=True, expected=number)
        return row
    return amend(state, key, {"until": _said(max(now, row.begins + 1))}, who=who, now=now, expected=number)


def discard(state: State, key: str, *, who: str, now: float) -> None:
    """Take a draft away.

    :raises NotFoundError: there is no such draft
    """
    number = _drafted(state, key).number
    state.experiment_log.change(key, {}, who=who, now=now, expected=number)
    state.experiments.refresh()


def _drafted(state: State, key: str) -> Change:
    change = written(state, key)
    if not change.options["draft"]:
        raise NotFoundError(f"there is no draft of an experiment {key}", field="key")
    return change


def _begun(state: State, key: str) -> Change:
    change = written(state, key)
    if change.options["draft"]:
        raise ConflictError(f"the experiment {key} is a draft; let it begin first", field="key")
    return change


def _write(
    state: State, key: str, entry: Mapping[str, Any], who: str, now: float, *, draft: bool, expected: int
) -> None:
    options = {"draft": draft, "entry": dict(entry)}
    state.experiment_log.change(key, options, who=who, now=now, expected=expected)
    state.experiments.refresh()


def _said(now: float) -> str:
    return f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S}"
