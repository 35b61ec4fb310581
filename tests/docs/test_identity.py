"""The page on identity: what it shows works, what it lists is what there is."""

from __future__ import annotations

from pathlib import Path

from flask import session

from mtp_plugin import MTP
from mtp_plugin.identity import guards, ledger, likeness

from ..core.shops import BROWSER, bare_app
from .fences import PAGES, blocks

PAGE = next(path for path in PAGES if path.name == "identity.md").read_text(encoding="utf-8")


def test_what_the_page_shows_works(tmp_path: Path) -> None:
    app = bare_app(tmp_path, MTP_REGIME="opt-out")
    mtp = MTP(app)
    mtp.user_loader(lambda: session.get("user"))
    identify, staff = blocks("identity.md", "python")
    exec(compile(staff, "docs", "exec"), {"mtp": mtp, "session": session})

    @app.get("/newsletter")
    def newsletter() -> str:
        exec(compile(identify, "docs", "exec"), {"mtp": mtp})
        return "thanks"

    @app.get("/act/<user>")
    def act(user: str) -> str:
        session["user"], session["acting_as"] = user, user
        return "as them"

    state = app.extensions["mtp"]
    visitor, clerk = app.test_client(), app.test_client()
    visitor.get("/newsletter", headers=BROWSER)
    (link,) = state.people.identity.links("active")
    with app.app_context():
        assert f"e:{mtp.hash_email('Ada@example.com')}" in (link.left, link.right)
    (profile_ids,) = state.journal.profile_ids()
    assert "ada@" not in repr(state.journal.profiles(profile_ids))
    clerk.get("/act/ada", headers=BROWSER)
    clerk.get("/newsletter", headers=BROWSER)
    sent = clerk.post("/mtp/v1/track", json={"event": "Page Viewed"}, headers=BROWSER).get_json()
    assert sent["dropped"][0]["reason"] == "staff"
    assert state.people.identity.links_of("u:ada") == []
    state.close()


def test_the_figures_of_the_model_are_those_shown() -> None:
    for name, steps in likeness.STEPS.items():
        for place in (1, 2):
            shown = " / ".join(f"{step[place]:.2f}" for step in steps)
            assert shown in PAGE, (name, shown)
    for name, (m, u) in likeness.SAME.items():
        assert f"{m:.2f}, {u:.2f}" in PAGE, name
    assert f"{likeness.TOGETHER[0]:.2f}, {likeness.TOGETHER[1]:.2f}" in PAGE
    assert f"{likeness.M_PRODUCT:.2f}, share" in PAGE
    assert f"counts {likeness.DAMPING} of" in PAGE


def test_every_guard_is_named() -> None:
    for reason in ("two-accounts", "shared", "no-id", "too-many"):
        assert f"`{reason}`" in PAGE
        assert f'"{reason}"' in Path(guards.__file__).read_text(encoding="utf-8")
    for reason in ("reused", "settled"):
        assert f"`{reason}`" in PAGE
        assert f'"{reason}"' in Path(ledger.__file__).read_text(encoding="utf-8")
