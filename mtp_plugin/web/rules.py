"""``v1/rules``: the merchant's rules for servers with a secret key. The console has its own pages."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask import Response, request
from msgspec import Meta

from ..errors import ForbiddenError, InputError, UnauthorizedError
from ..records import Rule, RuleSetInfo
from ..rules.checks import Finding
from ..rules.read import read_rule, read_ruleset
from .body import json_body
from .errors import invalid
from .parts import get_state
from .queries import read_json
from .sender import current_sender

BY = "server"


class Rules(msgspec.Struct, kw_only=True, frozen=True):
    """The rules of one version."""

    version: int
    rules: tuple[Rule, ...]


class RulesChange(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """All rules, in place of those before. ``version`` is the one that the change was made from."""

    rules: tuple[Rule, ...]
    version: Annotated[int | None, Meta(description="Refused when another one is current by now.")] = None
    note: Annotated[str, Meta(max_length=2000)] = ""
    force: Annotated[bool, Meta(description="Save in spite of warnings.")] = False


class RuleChange(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One rule, added or in place of the one with its id."""

    rule: Rule
    version: Annotated[int | None, Meta(description="Refused when another one is current by now.")] = None
    note: Annotated[str, Meta(max_length=2000)] = ""
    force: Annotated[bool, Meta(description="Save in spite of warnings.")] = False


class RollBack(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The version whose rules are to serve again."""

    version: Annotated[int, Meta(ge=0, le=2**31)]
    note: Annotated[str, Meta(max_length=2000)] = ""


class RulesSaved(msgspec.Struct, kw_only=True, frozen=True):
    """The version that serves from now on, and the warnings that it was saved in spite of."""

    version: int
    findings: tuple[Finding, ...] = ()


class RulesChecked(msgspec.Struct, kw_only=True, frozen=True):
    """What is wrong with rules; nothing was saved."""

    findings: tuple[Finding, ...]


class RulesHistory(msgspec.Struct, kw_only=True, frozen=True):
    """Versions, newest first."""

    versions: tuple[RuleSetInfo, ...]


def read_rules() -> Response:
    """The rules that serve."""
    _require_server()
    version, ruleset = get_state().rulebook.read()
    return _answer(Rules(version=version, rules=ruleset.rules))


def write_rules() -> Response:
    """Put these in place of all others."""
    _require_server()
    body = _body()
    ruleset = read_ruleset({"rules": body.pop("rules", None)})
    change = _rest(body)
    saved = get_state().rulebook.save(ruleset, by=BY, note=change.note, expected=change.version, force=change.force)
    return _answer(RulesSaved(version=saved.version, findings=saved.findings))


def write_rule(rule_id: str) -> Response:
    """Add one, or put it in place of the one with its id."""
    _require_server()
    body = _body()
    rule = read_rule(body.pop("rule", None), "rule")
    if rule.rule_id != rule_id:
        raise InputError(f"the address says {rule_id[:100]!r}", field="rule.rule_id")
    change = _rest(body)
    saved = get_state().rulebook.put(rule, by=BY, note=change.note, expected=change.version, force=change.force)
    return _answer(RulesSaved(version=saved.version, findings=saved.findings))


def delete_rule(rule_id: str) -> Response:
    """Delete one."""
    _require_server()
    return _answer(RulesSaved(version=get_state().rulebook.delete(rule_id, by=BY).version))


def enable_rule(rule_id: str) -> Response:
    """Switch one on."""
    _require_server()
    return _answer(RulesSaved(version=get_state().rulebook.switch(rule_id, True, by=BY).version))


def disable_rule(rule_id: str) -> Response:
    """Switch one off."""
    _require_server()
    return _answer(RulesSaved(version=get_state().rulebook.switch(rule_id, False, by=BY).version))


def check_rules() -> Response:
    """Say what is wrong with rules, and save nothing."""
    _require_server()
    return _answer(RulesChecked(findings=tuple(get_state().rulebook.check(read_ruleset(_body())))))


def rules_history() -> Response:
    """The latest fifty versions."""
    _require_server()
    return _answer(RulesHistory(versions=tuple(get_state().rulebook.history())))


def roll_back() -> Response:
    """Let the rules of an earlier version serve again."""
    _require_server()
    change: RollBack = read_json(RollBack)
    saved = get_state().rulebook.roll_back(change.version, by=BY, note=change.note)
    return _answer(RulesSaved(version=saved.version))


def _require_server() -> None:
    """Refuse everybody without a secret key.

    :raises UnauthorizedError: no key is shown
    :raises ForbiddenError: a public one is
    """
    sender = current_sender()
    if sender.kind == "server":
        return
    if "Authorization" in request.headers:
        raise ForbiddenError("rules are for servers with a secret key")
    raise UnauthorizedError("rules are for servers: show a secret key as the user name of HTTP Basic")


def _body() -> dict[str, Any]:
    try:
        found = msgspec.json.decode(json_body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}", code="malformed") from None
    if not isinstance(found, dict):
        raise InputError("the body must be a JSON object")
    return found


def _rest(body: dict[str, Any]) -> RulesChange:
    try:
        return msgspec.convert({**body, "rules": []}, RulesChange)
    except msgspec.ValidationError as error:
        raise invalid(error) from None


def _answer(body: msgspec.Struct) -> Response:
    response = Response(msgspec.json.encode(body), content_type="application/json")
    response.cache_control.no_store = True
    return response
