"""Signing in as one of the personas, the account's page, and preferences."""

from __future__ import annotations

import time

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mtp_plugin.errors import MTPError
from mtp_plugin.ports import SubjectRequest
from mtp_plugin.web.parts import get_state
from mtp_plugin.web.subjects import own_ids

from ..account import current_account, sign_in, sign_out
from ..browsing import VisitorView, interests, visitor_view
from ..loyalty import AGES
from ..personalisation import current_mtp
from ..personas import PERSONAS
from ..shop import current_shop

bp = Blueprint("account", __name__)

CORRECTABLE = ("city", "age_band")
ASKED = {
    "erase": "Everything about you is erased; models are made anew without it within the hour.",
    "restrict": "What there is stays, and is not used until you lift this.",
    "object": "Nothing about you is used or learnt from any more.",
    "lift": "Lifted. Whether to remember is asked anew.",
}


@bp.get("/account")
def show() -> str:
    """What the shop thinks one likes and why, what it may remember, orders; or the choice of an account."""
    account, view = current_account(), visitor_view(time.time())
    orders = current_shop().ledger.orders_of(account.user_id) if account else []
    liked = interests(view)
    return render_template(
        "shop/account.html",
        orders=orders,
        view=view,
        interests=liked,
        more=_more({interest.value for interest in liked}),
        asked=_asked(),
        ages=AGES,
        believed=_believed(view),
    )


@bp.post("/account/interests")
def edit_interests() -> Response:
    """Say that something is, or is not, an interest."""
    value, wanted = request.form.get("value", ""), request.form.get("wanted") == "yes"
    name = value.rpartition(" > ")[2]
    if value and current_mtp().edit_interest(value, wanted=wanted):
        flash(f"{name} counts from now on." if wanted else f"{name} is forgotten.", "done")
    return redirect(url_for("account.show"))


@bp.post("/account/data/correct")
def correct() -> Response:
    """Correct what the shop believes of the visitor; a field left empty takes the entry away."""
    given = {name: request.form.get(name, "").strip() for name in CORRECTABLE}
    town, age = given["city"], given["age_band"]
    if len(town) > 60:
        flash("A town’s name has at most 60 characters.", "error")
    elif age not in ("", *AGES):
        flash("Choose an age from the list.", "error")
    else:
        try:
            done = current_mtp().subject_request("rectify", {"city": town or None, "age_band": age or None})
        except MTPError as error:
            flash(str(error), "error")
        else:
            flash(f"Corrected. Receipt {done.request_id}", "done")
    return redirect(url_for("account.show", _anchor="data"))


@bp.post("/account/data/<kind>")
def ask(kind: str) -> Response:
    """Pass on what the visitor asks of their data."""
    if kind not in ASKED:
        abort(404)
    try:
        done = current_mtp().subject_request(kind)
    except MTPError as error:
        flash(str(error), "error")
    else:
        flash(f"{ASKED[kind]} Receipt {done.request_id}", "done")
    return redirect(url_for("account.show"))


@bp.post("/account/as/<key>")
def browse_as(key: str) -> Response:
    """Browse as a persona: a fresh copy of its account, with its simulated history."""
    persona = PERSONAS.get(key)
    if persona is None:
        abort(404)
    account = sign_in(persona)
    from ..history import give_history

    try:
        give_history(account, current_shop().catalogue, time.time())
    except MTPError:
        flash(f"You are {persona.name}, but without a history: it could not be stored.", "error")
    return _as_somebody_new()


@bp.post("/account/out")
def out() -> Response:
    """Be nobody again."""
    sign_out()
    return _as_somebody_new()


@bp.get("/preferences")
def preferences() -> str:
    """What is remembered, and a way to change one's mind."""
    return render_template("shop/preferences.html", view=visitor_view(time.time()))


def _believed(view: VisitorView) -> dict[str, str] | None:
    """What may be corrected, as it is kept; ``None`` where nothing is known of the visitor."""
    if view.profile is None:
        return None
    return {name: str(view.profile.traits.get(name) or "") for name in CORRECTABLE}


def _more(known: set[str]) -> list[tuple[str, str]]:
    """Categories that could be added to the interests, as the profile names them and as people do."""
    paths = {shelf[0].category_path for shelf in current_shop().catalogue.by_category.values()}
    named = sorted((path[-1], " > ".join(path)) for path in paths)
    return [(value, name) for name, value in named if value not in known]


def _asked() -> list[SubjectRequest]:
    """What this visitor asked for so far, the newest first."""
    state = get_state()
    return [one for name in own_ids(state) for one in state.subjects.requests_of(name)][::-1]


def _as_somebody_new() -> Response:
    """Go back under a new visitor id: what this browser did as one person says nothing about the next."""
    response = redirect(_back())
    response.delete_cookie(get_state().settings.cookie_name)
    return response


def _back() -> str:
    target = request.form.get("next", "")
    good = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if good else url_for("pages.home")
