"""A file of rules in place of those that serve: what ``flask mtp rules import`` does, in the console."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from ....errors import ConflictError, FindingsError, InputError
from ....rules.read import read_ruleset
from ...parts import get_state
from ..forms import Form
from ..frame import address, back_to, current_person, page
from ..notices import Notice

MOST_BYTES = 5_000_000
"""Longest file: some ten thousand rules."""


def ask() -> Response:
    """The form."""
    return _form({}, {})


def take() -> Response:
    """Check the file, or the text where there is none, and let its rules serve."""
    form, state = Form(dict(request.form.items())), get_state()
    text, before = _text(form), state.rulebook.read()[0]
    version = form.values.get("version", "")
    expected = int(version) if version.isascii() and version.isdecimal() and len(version) < 12 else before
    note = form.text("note", most=2000)
    if form.errors:
        return _form(form.values, form.errors, status=422)
    try:
        ruleset = read_ruleset(text)
        state.rulebook.save(
            ruleset, by=f"admin:{current_person().name}", note=note or "import", expected=expected,
            force=form.flag("force"),
        )  # fmt: skip
    except FindingsError as error:
        return _form(form.values, {}, findings=error.findings, status=422)
    except ConflictError:
        form.refuse("json", "Somebody else changed the rules meanwhile. Look at theirs, then import again")
        return _form({**form.values, "version": str(before)}, form.errors, status=409)
    except InputError as error:
        form.refuse("json", f"{error.field}: {error.message}" if error.field else error.message)
        return _form(form.values, form.errors, status=422)
    state.pipeline.live.refresh()
    many = len(ruleset.rules)
    told = f"{many} rule{' is' if many == 1 else 's are'} imported. What changed counts within seconds."
    undo = {"number": str(before)}
    return back_to(address("rules_show"), Notice(text=told, undo_url=address("rules_restore"), undo_fields=undo))


def _text(form: Form) -> str:
    """What the file says; it stands in the form from then on, to be mended there."""
    sent = request.files.get("file")
    data = sent.read(MOST_BYTES + 1) if sent is not None else b""
    if len(data) > MOST_BYTES:
        form.refuse("json", f"The file is longer than {MOST_BYTES // 1_000_000} MB")
        return ""
    if data:
        try:
            form.values["json"] = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            form.refuse("json", "The file is not text in UTF-8")
    text = form.values.get("json", "")
    if not text.strip():
        form.refuse("json", "Choose a file, or put its text here")
    return text


def _form(values: dict[str, str], errors: dict[str, str], *, findings: Any = (), status: int = 200) -> Response:
    return page(
        "rules_import.html",
        title="Import rules",
        status=status,
        values=values,
        errors=errors,
        findings=findings,
        can_force=bool(findings) and all(finding.level != "error" for finding in findings),
        version=values.get("version") or str(get_state().rulebook.read()[0]),
    )
