"""The page on forwarding: its configuration is taken, its options are what there is."""

from __future__ import annotations

from pathlib import Path

from mtp_plugin import MTP
from mtp_plugin.forwarding import REFUSED, forward
from mtp_plugin.track.outgoing import GA4_EVENTS, SEGMENT_EVENTS, Target

from ..core.shops import bare_app
from .fences import PAGES, blocks, names, rows

PAGE = next(path for path in PAGES if path.name == "forwarding.md").read_text(encoding="utf-8")


def test_the_targets_shown_are_taken(tmp_path: Path) -> None:
    app = bare_app(tmp_path)
    (code,) = blocks("forwarding.md", "python")
    exec(compile(code, "docs", "exec"), {"app": app})
    MTP(app)
    state = app.extensions["mtp"]
    assert list(state.targets) == ["segment", "ga4", "mail"]
    assert forward(state).count("begins with the next event") == 3
    state.close()


def test_every_option_is_listed() -> None:
    listed = {name for row in rows("forwarding.md", "option") for name in names(row[0])}
    assert listed == set(Target.__struct_fields__)


def test_figures_are_those_that_hold() -> None:
    assert f"at most {SEGMENT_EVENTS} events" in PAGE
    assert f"{GA4_EVENTS} events of one visitor" in PAGE
    assert f"({', '.join(map(str, sorted(REFUSED)))})" in PAGE
