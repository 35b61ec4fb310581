"""Commands: one line or one object for every error, and a doctor that tells the truth."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from mtp_plugin import MTP
from mtp_plugin.catalog.mapped import CallableCatalog
from mtp_plugin.ports import Alert

from .shops import bare_app, mounted, watches
from .test_pipeline import seen


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["mtp", *words])


def found(app: Flask) -> dict[str, dict[str, Any]]:
    """What the doctor finds, by subject; the last of several."""
    return {finding["subject"]: finding for finding in json.loads(run(app, "doctor", "--json").stdout)["findings"]}


@pytest.mark.parametrize(
    ("words", "code", "field", "message"),
    [
        (("train",), "model", "", "no product views"),
        (("models", "list", "--kind", "words"), "not-found", "kind", "there are behaviour, content"),
        (("models", "prune", "words"), "not-found", "kind", "there is no kind 'words'"),
        (("models", "activate", "../x", "1"), "not-found", "kind", "there is no kind"),
        (("models", "activate", "content", "1"), "model", "", "1"),
        (("jobs", "run", "dance"), "not-found", "name", "there is no job 'dance'"),
        (("import-catalog",), "setup", "", "no catalogue is declared"),
    ],
)
def test_an_error_is_one_line_or_one_object(
    tmp_path: Path, words: tuple[str, ...], code: str, field: str, message: str
) -> None:
    app, _ = mounted(tmp_path, watches(6))
    as_text = run(app, *words)
    assert (as_text.exit_code, as_text.stdout) == (1, "")
    assert message in as_text.stderr.splitlines()[-1]
    assert "Traceback" not in as_text.stderr

    as_json = run(app, *words, "--json")
    assert as_json.exit_code == 1
    error = json.loads(as_json.stdout)["error"]
    assert (error["code"], error["field"]) == (code, field)
    assert message in error["message"]


def test_a_declared_catalogue_that_fails_is_one_clear_line(tmp_path: Path) -> None:
    def products() -> list[Any]:
        raise RuntimeError("no such table: item\n[SQL: SELECT ...]")

    mtp, app = MTP(), bare_app(tmp_path)
    mtp.catalog(CallableCatalog(products=products, availability=lambda ids: dict.fromkeys(ids, True)))
    mtp.init_app(app)
    done = run(app, "import-catalog")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "the declared catalogue failed, nothing was changed: RuntimeError: no such table: item" in done.stderr
    assert json.loads(run(app, "import-catalog", "--json").stdout)["error"]["code"] == "setup"


def test_skipped_rows_are_totalled_by_reason(tmp_path: Path) -> None:
    app, _ = mounted(tmp_path / "shop", watches(6))
    file = tmp_path / "events.jsonl"
    good = {"type": "track", "event": "Product Viewed", "anonymousId": "v1", "timestamp": "2024-05-01T10:00:00Z"}
    lines = [{**good, "messageId": "m1", "properties": {"product_id": "p01"}}, {**good, "type": "dance"}]
    file.write_text("".join(json.dumps(line) + "\n" for line in [*lines, lines[1], lines[1]]))
    text = run(app, "import-events", str(file)).stdout.splitlines()
    assert text[0] == "1 events imported, 0 known already, 3 rows skipped"
    (total,) = text[1:]
    assert total.split()[0] == "3"
    result = json.loads(run(app, "import-events", str(file), "--json").stdout)
    assert (result["repeated"], list(result["reasons"].values())) == (1, [3])


def test_due_jobs_of_a_new_shop_are_well(tmp_path: Path) -> None:
    app, _ = mounted(tmp_path, watches(6))
    done = run(app, "jobs", "run-due")
    assert done.exit_code == 0, done.output
    assert "nothing to learn from yet" in done.stdout


def test_the_doctor_opens_the_models(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, watches(6))
    state.pipeline.ingest([seen(f"p0{n}", visitor=f"v{v}", ago=60 + n) for v in range(4) for n in range(4)])
    assert run(app, "train").exit_code == 0
    assert {found(app)[f"{kind} model"]["status"] for kind in ("behaviour", "content")} == {"well"}

    folder = tmp_path / "mtp_models" / "behaviour" / str(state.registry.current("behaviour"))
    largest = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-7] + b"damaged")
    damaged = found(app)["behaviour model"]
    assert damaged["status"] == "broken"
    assert "flask mtp models activate behaviour" in damaged["remedy"]

    shutil.rmtree(tmp_path / "mtp_models" / "content" / str(state.registry.current("content")))
    done = run(app, "doctor")
    assert done.exit_code == 1
    assert "BROKEN  content model" in done.stdout
    assert found(app)["content model"]["status"] == "broken"


def test_who_is_paged_hears_of_open_alerts_and_failing_jobs(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, watches(6))
    assert "alerts" not in found(app)
    told = json.loads(run(app, "status", "--json").stdout)
    assert (told["alerts_open"], told["jobs_failing"]) == (0, [])
    given = {"kind": "kpi", "title": "Clicks fell by half", "message": "m", "opened_at": 1.0, "last_at": 1.0}
    state.alerts.add(Alert(key="a", severity="ticket", **given))
    assert found(app)["alerts"]["says"] == "1 open: Clicks fell by half"
    assert json.loads(run(app, "status", "--json").stdout)["alerts_open"] == 1


def test_the_doctor_asks_how_long_data_may_lie(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, watches(6))
    assert found(app)["retention"]["status"] == "advice"
    assert "exports" not in found(app)
    state.subjects.ask_export(["u:1"], "webhook:shopify")
    assert found(app)["exports"]["says"] == "1 requests wait for an export, the oldest for 0 of 30 days"
    kept = mounted(tmp_path / "b", watches(6), MTP_PROFILE_DAYS=400, MTP_EVENT_DAYS=200)[0]
    assert found(kept)["retention"]["says"] == "events 200 days, visitors go after 400 days without an event"
    short = mounted(tmp_path / "c", watches(6), MTP_EVENT_DAYS=7)[0]
    assert (found(short)["retention"]["status"], "MTP_EVENT_DAYS" in found(short)["retention"]["remedy"]) == (
        "advice",
        True,
    )


def test_the_doctor_speaks_of_what_there_is(tmp_path: Path) -> None:
    app, _ = mounted(tmp_path, watches(6))
    findings = found(app)
    assert "admin_guard" not in findings
    assert "mtp.hash_email" in findings["pii key"]["says"]
    assert "pii key" not in found(mounted(tmp_path / "b", watches(6), MTP_PII_KEY="a key of its own")[0])
