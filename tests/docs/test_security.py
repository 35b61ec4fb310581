"""The page on security: what it shows is taken, what it quotes is said."""

from __future__ import annotations

from pathlib import Path

from mtp_plugin.outbound import REFUSED

from ..core.shops import bare_app, mounted
from .fences import ROOT, blocks, names, rows


def test_the_hosts_shown_are_allowed(tmp_path: Path) -> None:
    (code,) = blocks("security.md", "python")
    app = bare_app(tmp_path)
    exec(code, {"app": app})
    _, state = mounted(tmp_path, MTP_OUTBOUND_ALLOW=app.config["MTP_OUTBOUND_ALLOW"])
    assert state.outbound.addresses("10.20.30.40", 80) == ["10.20.30.40"]
    state.close()


def test_the_refusal_quoted_is_the_one_given() -> None:
    assert f"`{REFUSED}`" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_the_threat_model_names_what_is_there() -> None:
    rows_ = rows("threat-model.md", "kind")
    kinds = {row[0] for row in rows_}
    assert kinds == {
        "spoofing", "tampering", "repudiation", "information disclosure", "denial of service", "elevation of privilege"
    }  # fmt: skip
    for row in rows_:
        paths = names(row[3])
        assert paths, row
        assert [path for path in paths if not (ROOT / path).is_file()] == []
