"""Who is asking, and what may be used: read from this request's signed cookies and signals, once a request."""

from __future__ import annotations

import logging
import secrets
import time
from functools import lru_cache

import msgspec
from flask import Response, request
from msgspec.structs import replace
from werkzeug.datastructures import ResponseCacheControl

from ..errors import InputError, UnavailableError
from ..privacy.consent import UNDECIDED, Choices, Purpose, level_of, permitted, regime_in
from ..records import ConsentLevel
from ..state import State
from ..track.bots import is_bot
from ..track.limits import identifier
from .kept import Kept, kept
from .parts import get_parts, get_state

log = logging.getLogger(__name__)

PURPOSE = Purpose.PERSONALISATION.value
"""What a profile is kept for: a refusal of it is a refusal of all that is about one visitor."""
NOBODY_SAYS = frozenset({Purpose.NECESSARY.value})


class Visitor(msgspec.Struct, frozen=True):
    """The visitor of one request.

    Below :attr:`ConsentLevel.FULL` both ids are empty, whatever the browser sent. ``choice`` is what the visitor
    decided, ``None`` if nothing yet. ``new`` tells that the id was made in this request.
    """

    anonymous_id: str
    user_id: str
    level: ConsentLevel
    choice: bool | None
    gpc: bool
    bot: bool
    decided: bool = False
    """The visitor has said yes or no to something."""
    purposes: frozenset[str] = NOBODY_SAYS
    """What is permitted now: see :class:`mtp_plugin.privacy.consent.Purpose`."""
    choices: Choices = {}
    regime: str = ""
    new: bool = False
    uncertain: bool = False
    """The account's record could not be asked: nothing of the visitor is used, and events are to be sent again."""

    @property
    def profile_ids(self) -> tuple[str, ...]:
        """Keys of this visitor's profiles, the most trusted first; the letter keeps the two kinds apart."""
        user = (f"u:{self.user_id}",) if self.user_id else ()
        return (*user, f"a:{self.anonymous_id}") if self.anonymous_id else user


def current_visitor() -> Visitor:
    """The visitor of the current request; made on the first call, the same on each later one."""
    of_request = kept()
    if of_request.visitor is None:
        of_request.visitor = _read()
    return of_request.visitor


def decide(choices: Choices, now: float) -> Visitor:
    """Take a visitor's choices; those about other purposes stay. The cookies follow with the response.

    Gives the visitor as it is from now on.
    """
    before = current_visitor()
    together = {**before.choices, **choices}
    visitor = _visitor(together, now, gpc=before.gpc, bot=before.bot)
    of_request = kept()
    of_request.visitor, of_request.choices, of_request.decided_at = visitor, together, now
    return visitor


def stored_id() -> str:
    """The id in the browser's cookie, whatever the consent level: to withdraw a permission in its name."""
    cookies = get_parts().cookies
    return cookies.visitor_id(request.cookies.get(cookies.visitor_name))


def _read() -> Visitor:
    parts, environ = get_parts(), request.environ
    cookies, bot, gpc = parts.cookies, is_bot(environ.get("HTTP_USER_AGENT", "")), environ.get("HTTP_SEC_GPC") == "1"
    # Cookies are taken apart only where ours is among them.
    if cookies.consent_name in environ.get("HTTP_COOKIE", ""):
        found = cookies.decision(request.cookies.get(cookies.consent_name))
        if found is None:
            return _visitor(UNDECIDED, 0, gpc=gpc, bot=bot)
        asked = get_state().settings.consent_purposes
        return _visitor(found.by_purpose(asked), found.time, gpc=gpc, bot=bot)
    signals = (bot, gpc, environ.get("HTTP_DNT") == "1", current_regime(get_state()))
    known = parts.strangers.get(signals)
    if known is None:
        known = _visitor(UNDECIDED, 0, gpc=gpc, bot=bot)
        # Decided by the signals alone. An account's refusal or an id is somebody's own.
        if known.level is not ConsentLevel.FULL and known.choice is None and not known.uncertain:
            parts.strangers.keep(signals, known)
    return known


def signalled_level() -> ConsentLevel:
    """What a page of another origin may send: it vouches for the permission, the browser's signals are stronger."""
    bot = is_bot(request.headers.get("User-Agent", ""))
    gpc, dnt = request.headers.get("Sec-GPC") == "1", request.headers.get("DNT") == "1"
    return level_of(regime="opt-out", choices=UNDECIDED, gpc=gpc, dnt=dnt, bot=bot)


def current_regime(state: State) -> str:
    """The regime where the current request comes from, as far as that is known."""
    settings = state.settings
    if not settings.regimes:
        return settings.regime
    place = state.enrichment.place(request.remote_addr or "")
    country, region = (place.country, place.region) if place is not None else ("", "")
    return regime_in(country, region, settings.regimes, settings.regime)


def _visitor(choices: Choices, decided_at: float, *, gpc: bool, bot: bool) -> Visitor:
    state = get_state()
    regime, dnt = current_regime(state), request.environ.get("HTTP_DNT") == "1"
    allowed, purposes = _allowed(tuple(choices.items()), regime, gpc, dnt, bot)
    visitor = Visitor(
        anonymous_id="",
        user_id="",
        level=allowed,
        choice=choices.get(PURPOSE),
        gpc=gpc,
        bot=bot,
        decided=bool(choices),
        purposes=purposes,
        choices=choices,
        regime=regime,
    )
    if allowed is not ConsentLevel.FULL or not state.settings.enabled:
        return visitor
    user, known, suppressed = signed_in(state), stored_id(), state.subjects.suppressed
    try:
        if user and refused_since(state, f"u:{user}", decided_at):
            return replace(visitor, level=ConsentLevel.NON_PERSONAL, choice=False, decided=True, purposes=NOBODY_SAYS)
        if (user and suppressed.kinds(f"u:{user}")) or (known and suppressed.kinds(f"a:{known}")):
            return replace(visitor, level=ConsentLevel.NON_PERSONAL, purposes=NOBODY_SAYS)
    except UnavailableError as error:
        log.warning("what the visitor chose is not known, nothing of it is used: %s", error)
        return replace(visitor, level=ConsentLevel.CONTEXTUAL, uncertain=True, purposes=NOBODY_SAYS)
    return replace(visitor, anonymous_id=known or secrets.token_hex(16), user_id=user, new=not known)


@lru_cache(maxsize=1024)
def _allowed(
    choices: tuple[tuple[str, bool], ...], regime: str, gpc: bool, dnt: bool, bot: bool
) -> tuple[ConsentLevel, frozenset[str]]:
    chosen = dict(choices)
    return (
        level_of(regime=regime, choices=chosen, gpc=gpc, dnt=dnt, bot=bot),
        permitted(regime=regime, choices=chosen, gpc=gpc, dnt=dnt, bot=bot),
    )


def refused_since(state: State, profile_id: str, since: float) -> bool:
    """Whether the latest decision on record is a refusal made after *since*, on whatever device.

    A time to come says nothing: the clock was set back, and the record's order alone counts.

    :raises UnavailableError: the record cannot be read
    """
    since = since if since <= time.time() else 0.0
    decisions = [decision for decision in state.consents.of(profile_id) if decision.purpose == PURPOSE]
    return bool(decisions) and not decisions[-1].granted and decisions[-1].decided_at > since


def signed_in(state: State) -> str:
    """The account of this request, ``""`` for none; an id that events could not carry counts as none, and is logged."""
    user = state.loaders.user() if state.loaders.user else None
    if user is None or user == "":
        return ""
    try:
        return identifier(user, "user_loader")
    except InputError as error:
        log.error("user_loader gave %r: %s", user, error)
        return ""


def finish_response(response: Response) -> Response:
    """Write the cookies that this request earned, and keep a page with something of one visitor out of shared caches.

    A page that never asked who is visiting stays as it is.
    """
    of_request = kept()
    visitor = of_request.visitor
    if visitor is None:
        return response
    if of_request.choices is not None or visitor.new or visitor.choice is False:
        _write_cookies(response, visitor, of_request)
    _tell_segment(response, visitor)
    # One look at all headers: asking for one that is not there costs an exception.
    there = {name.lower() for name, _ in response.headers}
    personal = of_request.personal or "set-cookie" in there
    if of_request.rendered or personal:
        _vary(response, varies="vary" in there)
    if personal:
        # Not ``no-store``: a browser may go back to its own page without asking.
        if "cache-control" not in there:
            response.headers.add("Cache-Control", "private, no-cache")
        elif not response.cache_control.no_store:
            _never_shared(response).no_cache = True
    return response


def _write_cookies(response: Response, visitor: Visitor, of_request: Kept) -> None:
    if not get_state().settings.enabled:
        return
    cookies, secure = get_parts().cookies, request.is_secure
    if of_request.choices is not None:
        cookies.set_choices(response, of_request.choices, of_request.decided_at, secure=secure)
    if visitor.new:
        cookies.set_visitor(response, visitor.anonymous_id, secure=secure)
    elif visitor.choice is False and cookies.visitor_name in request.cookies:
        cookies.delete_visitor(response, secure=secure)


def _tell_segment(response: Response, visitor: Visitor) -> None:
    """Have the browser hold its visitor's segment where that is known, and none below full consent."""
    cookies, segment_id = get_parts().cookies, kept().segment_id
    if not cookies.segment_name or not get_state().settings.enabled:
        return
    permitted_one = segment_id if visitor.level is ConsentLevel.FULL else ""
    if permitted_one is not None:
        held = request.cookies.get(cookies.segment_name, "")
        cookies.tell_segment(response, held, permitted_one, secure=request.is_secure)


VARY = ("Cookie", "Origin", "Authorization", "Sec-GPC", "DNT", "Sec-Fetch-Site")
"""The request headers that an answer depends on, beside its address."""
VARY_TEXT = ", ".join(VARY)


def _vary(response: Response, *, varies: bool) -> None:
    """*varies*: its headers say already that it depends on some."""
    if varies:
        response.vary.update(VARY)
    else:
        response.headers.add("Vary", VARY_TEXT)


def keep_apart(response: Response, *, personal: bool) -> None:
    """Tell caches what an answer of the API depends on; a personal one is kept by nobody."""
    _vary(response, varies="Vary" in response.headers)
    if personal:
        _never_shared(response).no_store = True


def _never_shared(response: Response) -> ResponseCacheControl:
    """Take back whatever permission to share the response had."""
    control = response.cache_control
    for name in ("public", "max-age", "s-maxage", "immutable", "stale-while-revalidate", "stale-if-error"):
        control.pop(name, None)
    control.private = True
    return control
