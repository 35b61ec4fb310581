"""``v1/privacy/consent``: what a visitor decided, and deciding; with JavaScript or without. And ``gpc.json``."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from flask import Response, current_app, redirect, request

from ..errors import ForbiddenError, InputError
from ..patience import patiently
from ..ports import ConsentDecision
from ..privacy import consent_mode, tcf
from ..privacy.consent import OPTIONAL, on_record, status, to_all
from ..privacy.suppressed import ERASED, OBJECTED
from ..records import ConsentLevel
from ..signals import consent_changed
from ..state import State
from .keys import same_origin
from .parts import get_parts, get_state
from .queries import read_json
from .receipts import receipt_of
from .sender import current_sender, limit_rate
from .visitor import PURPOSE, Visitor, current_visitor, decide, keep_apart, signed_in, stored_id

GPC_SINCE = "2026-11-26"
"""When the plugin's support of Global Privacy Control began or last changed, for ``gpc.json``."""

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
WORDS = {"granted": True, "denied": False}
CHOSEN = "chosen"
"""The answer of a form whose boxes say, purpose by purpose, what was chosen."""
FORMS = ("banner", "preferences")
MAX_PROOF = 1000
Name = Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,40}$")]


class PurposeChoices(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Yes or no for each purpose; one that is left out stays as it was."""

    functional: bool | msgspec.UnsetType = msgspec.UNSET
    analytics: bool | msgspec.UnsetType = msgspec.UNSET
    personalisation: bool | msgspec.UnsetType = msgspec.UNSET
    advertising: bool | msgspec.UnsetType = msgspec.UNSET


class ConsentChoice(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a visitor decides, in one of four forms: yes or no to everything that is asked; purpose by purpose; a
    consent string of the Transparency and Consent Framework; the states of Google's Consent Mode.

    ``source`` names the consent manager that asked.
    """

    choice: bool | msgspec.UnsetType = msgspec.UNSET
    purposes: PurposeChoices | msgspec.UnsetType = msgspec.UNSET
    tcf: Annotated[str, msgspec.Meta(max_length=tcf.LONGEST)] | msgspec.UnsetType = msgspec.UNSET
    consent_mode: dict[str, Literal["granted", "denied"]] | msgspec.UnsetType = msgspec.UNSET
    source: Name | msgspec.UnsetType = msgspec.UNSET


class ConsentState(msgspec.Struct, frozen=True):
    """What holds for this visitor; ``choice`` is null until there was one.

    ``purposes`` tells of each whether it is permitted now, ``regime`` which rule holds where the visitor is.
    """

    consent_level: ConsentLevel
    choice: bool | None
    policy_version: str
    gpc: bool
    purposes: dict[str, bool]
    regime: str
    receipt: str | msgspec.UnsetType = msgspec.UNSET
    """After a refusal, which takes the id away: proof for asking to have what there is erased."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as it came in: about which purposes, from where, resting on what."""

    choices: dict[str, bool]
    source: str
    proof: str = ""


def read_consent() -> Response:
    """Tell what holds."""
    limit_rate(current_sender())
    return _answer(current_visitor())


@patiently()
def write_consent() -> Response:
    """Take a choice: who asks for JSON is told what holds now, a form goes back to its page.

    :raises ForbiddenError: a page of another origin asks
    """
    limit_rate(current_sender())
    if same_origin() is False:
        raise ForbiddenError("only the shop's own pages may set a visitor's choice")
    if request.mimetype in FORM_TYPES:
        visitor = take(_of_form())
        if request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json":
            return _answer(visitor, proof=True)
        response = redirect(local_path(request.form.get("next", "")), 303)
        assert isinstance(response, Response)  # noqa: S101  Flask's own
        keep_apart(response, personal=True)
        return response
    return _answer(take(_of_json(read_json(ConsentChoice))), proof=True)


def _of_form() -> Decision:
    request.max_content_length = 16 * 1024
    word, asked = request.form.get("choice", ""), get_state().settings.consent_purposes
    source = request.form.get("source", "")
    if word == CHOSEN:
        boxes = set(request.form.getlist("purpose"))
        choices = {purpose: purpose in boxes for purpose in asked}
    elif word in WORDS:
        choices = to_all(WORDS[word], asked)
    else:
        raise InputError("choice must be granted, denied or chosen", field="choice")
    return Decision(choices, source if source in FORMS else "banner", f"form:{get_parts().words.proof}")


def _of_json(body: ConsentChoice) -> Decision:
    source = body.source or ""
    given = [body.choice, body.purposes, body.tcf, body.consent_mode]
    if sum(one is not msgspec.UNSET for one in given) != 1:
        raise InputError("say one of choice, purposes, tcf and consent_mode", field="choice")
    if isinstance(body.choice, bool):
        return Decision(to_all(body.choice, get_state().settings.consent_purposes), source or "api")
    if isinstance(body.tcf, str):
        return Decision(tcf.decode(body.tcf).choices(), source or "tcf", f"tcf:{body.tcf}")
    if isinstance(body.consent_mode, dict):
        choices = consent_mode.choices(body.consent_mode)
        proof = "consent-mode:" + ",".join(f"{name}={word}" for name, word in sorted(body.consent_mode.items()))
        return Decision(_some(choices, "consent_mode"), source or "consent-mode", proof[:MAX_PROOF])
    choices = msgspec.to_builtins(body.purposes)
    return Decision(_some(choices, "purposes"), source or "api")


def _some(choices: dict[str, bool], field: str) -> dict[str, bool]:
    if not choices:
        raise InputError("nothing in it decides about a purpose", field=field)
    return choices


def take(decision: Decision) -> Visitor:
    """Record a choice under the visitor's ids. A refusal by somebody unknown has no name to be kept under."""
    now = time.time()
    state, known = get_state(), stored_id()
    visitor = decide(decision.choices, now)
    user = signed_in(state)
    anonymous_id = visitor.anonymous_id or known
    subjects = [f"u:{user}"] if user else []
    subjects += [f"a:{anonymous_id}"] if anonymous_id else []
    for subject in subjects:
        _record(state, subject, decision, visitor.regime, now)
    get_parts().metrics.choice(decision.source, visitor.level)
    return visitor


def _record(state: State, subject: str, decision: Decision, regime: str, now: float) -> None:
    """Write the decision and tell the audit log and the shop of it; a repeated one is as good as new proof."""
    before = on_record(state.consents.of(subject))
    made = [
        ConsentDecision(
            subject_id=subject,
            purpose=purpose,
            granted=choice,
            policy_version=state.settings.policy_version,
            decided_at=now,
            source=decision.source,
            status=status(choice, before.get(purpose)),
            proof=decision.proof,
            regime=regime,
        )
        for purpose, choice in decision.choices.items()
    ]
    state.consents.append(*made)
    details = {
        "purposes": {one.purpose: one.status for one in made},
        "policy_version": state.settings.policy_version,
        "source": decision.source,
        "proof": hashlib.sha256(decision.proof.encode()).hexdigest()[:16],
        "regime": regime,
    }
    if decision.choices.get(PURPOSE):
        state.subjects.readmit(subject, (ERASED, OBJECTED))
    state.audit.append("visitor", "consent.decided", state.hasher.subject(subject), details, at=now)
    if state.settings.erase_on_revoke and any(one.purpose == PURPOSE and one.status == "revoked" for one in made):
        state.subjects.erase([subject], "visitor", models=False)
    for one in made:
        consent_changed.send(current_app._get_current_object(), decision=one)  # type: ignore[attr-defined]


def _answer(visitor: Visitor, *, proof: bool = False) -> Response:
    known = stored_id() if proof and visitor.choice is False else ""
    held = ConsentState(
        consent_level=visitor.level,
        choice=visitor.choice,
        policy_version=get_state().settings.policy_version,
        gpc=visitor.gpc,
        purposes={purpose.value: purpose in visitor.purposes for purpose in OPTIONAL},
        regime=visitor.regime,
        receipt=receipt_of([f"a:{known}"]) if known else msgspec.UNSET,
    )
    response = Response(msgspec.json.encode(held), content_type="application/json")
    keep_apart(response, personal=True)
    return response


def local_path(target: str) -> str:
    """The target if it is a path of this site, else its front page: nobody is sent elsewhere by a link to us.

    Browsers read a backslash as a slash and drop control characters (https://url.spec.whatwg.org/#url-parsing), so
    both are refused.
    """
    home = f"{request.script_root}/"
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return home
    if any(ord(character) < 33 or ord(character) == 127 for character in target):
        return home
    try:
        parts = urlsplit(target)
    except ValueError:
        return home
    return home if parts.scheme or parts.netloc else target


def gpc() -> Response:
    """``/.well-known/gpc.json``: this site honours Global Privacy Control."""
    body = msgspec.json.encode({"gpc": True, "lastUpdate": GPC_SINCE})
    response = Response(body, content_type="application/json")
    response.cache_control.public, response.cache_control.max_age = True, 86400
    return response
