"""Signing in as one of the personas, the account's page, and preferences."""

from __future__ import annotations

import time

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mtp_plugin.errors import MTPError
from mtp_plugin.web.parts import get_state

from ..account import current_account, sign_in, sign_out
from ..browsing import interests, visitor_view
from ..personas import PERSONAS
from ..shop import current_shop

bp = Blueprint("account", __name__)


@bp.get("/account")
def show() -> str:
    """What the shop thinks one likes and why, what it may remember, orders; or the choice of an account."""
    account, view = current_account(), visitor_view(time.time())
    orders = current_shop().ledger.orders_of(account.user_id) if account else []
    return render_template("shop/account.html", orders=orders, view=view, interests=interests(view))


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


def _as_somebody_new() -> Response:
    """Go back under a new visitor id: what this browser did as one person says nothing about the next."""
    response = redirect(_back())
    response.delete_cookie(get_state().settings.cookie_name)
    return response


def _back() -> str:
    target = request.form.get("next", "")
    good = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if good else url_for("pages.home")
