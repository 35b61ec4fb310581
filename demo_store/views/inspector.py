"""The inspector: what the plugin knows now, and why each block of the page holds what it holds."""

from __future__ import annotations

import time

from flask import Blueprint, render_template, request

from ..browsing import block_views, segment_view, visitor_view

bp = Blueprint("inspector", __name__)


@bp.get("/inspector")
def show() -> str:
    """The sheet: a whole page by itself, a fragment when the page's script asks for one."""
    names = [name for name in request.args.get("slates", "").split(",") if name.isalnum()]
    template = "shop/parts/inspector.html" if request.args.get("part") else "shop/inspector.html"
    now = time.time()
    blocks = block_views(names, now)
    view = visitor_view(now)
    segment = segment_view(view.profile, now)
    return render_template(template, view=view, blocks=blocks, segment=segment, back=_back())


def _back() -> str:
    target = request.args.get("from", "/")
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"
