"""The way into the console: in which role to look at it."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from ..console import ROLES, chosen_role, is_local

bp = Blueprint("console", __name__)

SAYS = {
    "viewer": "Looks at everything and changes nothing.",
    "merchandiser": "Changes placements, rules and segments.",
    "administrator": "Also switches models and runs jobs.",
}


@bp.get("/console")
def choose() -> str:
    """The three roles."""
    if not is_local():
        abort(404)
    return render_template("shop/console.html", says=SAYS, chosen=chosen_role())


@bp.post("/console")
def enter() -> Response:
    """Open it in a role."""
    role = request.form.get("role", "")
    if not is_local() or role not in ROLES:
        abort(404)
    session["console_role"] = role
    return redirect(url_for("mtp.admin_overview_show"), 303)
