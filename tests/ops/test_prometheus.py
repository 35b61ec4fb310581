"""Rules, dashboard and runbooks: promtool takes them, and a real Prometheus finds every metric they name in a shop."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..servers import RedisServer, Tethered, free_port, kill, missing, wait_until

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "mtp.json").read_text(encoding="utf-8"))
ALERTS = re.findall(r"- alert: (\w+)", (RULES / "alerts.yml").read_text(encoding="utf-8"))

SHOP = """
import sys
from flask import Flask
from mtp_plugin import MTP
app = Flask("shop", instance_path=sys.path[0])
app.secret_key = "of the tests, and long enough"
app.config |= {"MTP_SECRET_KEYS": ["sk_yours"], "MTP_REGIME": "opt-out", "MTP_RATE_LIMIT": "10000 per second",
               "MTP_STREAM_URL": STREAM,
               "MTP_BANDITS": {"hero": {"placement": "home-hero", "about": "strategy",
                               "arms": ["best-sellers", "trending-items"]}}}
mtp = MTP()
mtp.crm("gone", sys.path[0] + "/gone.csv", id="customer", traits={"plan": "plan"})
mtp.init_app(app)

@app.get("/unknown")
def unknown():
    return app.jinja_env.from_string('{{ mtp_block("made-up") }}').render()
"""


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed: apt-get install prometheus")
    return found


def promtool(*words: str) -> None:
    done = subprocess.run([program("promtool"), *words], cwd=RULES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_configuration_are_taken() -> None:
    promtool("check", "rules", "alerts.yml")
    promtool("check", "config", "prometheus.yml")


def test_each_alert_fires_when_it_should_and_only_then() -> None:
    text = (RULES / "alerts_test.yml").read_text(encoding="utf-8")
    tested = re.findall(r"alertname: (\w+)\n\s+exp_alerts:( \[\])?", text)
    assert sorted(tested) == sorted((name, quiet) for name in ALERTS for quiet in ("", " []"))
    promtool("test", "rules", "alerts_test.yml")


def test_each_alert_has_a_runbook() -> None:
    links = re.findall(r"runbook: docs/runbooks\.md#(\w+)", (RULES / "alerts.yml").read_text(encoding="utf-8"))
    text = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
    assert links == [name.lower() for name in ALERTS]
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == ALERTS
    for section in text.split("\n## ")[1:]:
        assert re.findall(r"^- \*\*(\w+):\*\*", section, re.MULTILINE) == ["Means", "See", "Do"], section


def named() -> set[str]:
    """Every metric and recorded series that dashboard and rules ask for."""
    rules = (RULES / "alerts.yml").read_text(encoding="utf-8")
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    asked += re.findall(r"expr: (.*)", rules) + re.findall(r"record: (.*)", rules)
    return {name for text in asked for name in re.findall(r"\bmtp[_:][a-z_:0-9]+", text)}


def fetch(url: str, **headers: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return str(answer.read().decode())


class Served:
    """A shop under gunicorn with two workers, and a Prometheus that scrapes it by the sample configuration."""

    def __init__(self, folder: Path, stream: str) -> None:
        self.port, self.prometheus = free_port(), free_port()
        (folder / "shop.py").write_text(SHOP.replace("STREAM,", f"{stream!r},"), encoding="utf-8")
        (folder / "figures").mkdir()
        words = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "deploy" / "gunicorn.conf.py")]
        words += ["--bind", f"127.0.0.1:{self.port}", "shop:app"]
        environment = {"PROMETHEUS_MULTIPROC_DIR": str(folder / "figures"), "PATH": "/usr/bin:/bin"}
        with (folder / "log").open("w") as log:
            self.shop = subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log, text=True)
        home = Path(tempfile.mkdtemp(prefix="mtp-prometheus-"))
        sample = (RULES / "prometheus.yml").read_text(encoding="utf-8")
        assert sample.count("15s") == 2
        assert sample.count("127.0.0.1:8000") == 1
        # Rates need several scrapes: as sampled it takes a minute, here seconds.
        config = sample.replace("15s", "1s").replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        (home / "prometheus.yml").write_text(config, encoding="utf-8")
        shutil.copy(RULES / "alerts.yml", home)
        options = [f"--web.listen-address=127.0.0.1:{self.prometheus}", "--config.file=prometheus.yml"]
        self.server = Tethered(home, "TERM", [program("prometheus"), *options, f"--storage.tsdb.path={home}/data"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def figures(self) -> str:
        return fetch(f"{self.url}/mtp/metrics", Authorization="Bearer sk_yours")

    def ask(self, query: str) -> list[dict[str, Any]]:
        address = f"http://127.0.0.1:{self.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            found: list[dict[str, Any]] = json.loads(fetch(address))["data"]["result"]
        except OSError:
            return []
        return found

    def close(self) -> None:
        self.server.close()
        self.shop.terminate()
        try:
            self.shop.wait(20)
        except subprocess.TimeoutExpired:
            kill(self.shop)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("shop")
    made = Served(folder, redis_server.url)
    try:
        wait_until(lambda: answers(f"{made.url}/mtp/health/ready"), "an answer of the shop")
        rows = "product_id,title,price\n" + "\n".join(f"p{n},Lamp {n},{10 + n}" for n in range(12))
        (folder / "products.csv").write_text(rows, encoding="utf-8")
        flask = [sys.executable, "-m", "flask", "--app", "shop", "mtp"]
        for words in (
            ["import-catalog", "products.csv"],
            *(["jobs", "run", job] for job in ("train", "feedback", "carts")),
        ):
            subprocess.run([*flask, *words], cwd=folder, check=True, capture_output=True)
        failed = subprocess.run([*flask, "jobs", "run", "traits"], cwd=folder, check=False, capture_output=True)
        assert failed.returncode, "there is a job that failed, for the panel that names such jobs"
        yield made
    finally:
        made.close()


def answers(url: str) -> bool:
    try:
        return bool(fetch(url))
    except OSError:
        return False


BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140", "Sec-Fetch-Site": "same-origin"}


def visit(served: Served) -> None:
    """What a visitor does, and something that fails."""
    for path in ("v1/recommendations?placement=home-hero", "v1/blocks/home-trending"):
        fetch(f"{served.url}/mtp/{path}", **BROWSER)
    event = json.dumps({"event": "Product Viewed", "properties": {"product_id": "p1"}}).encode()
    headers = BROWSER | {"Content-Type": "application/json", "Origin": served.url}
    for path, body in (("v1/track", event), ("v1/privacy/consent", b'{"choice": true}')):
        urllib.request.urlopen(urllib.request.Request(f"{served.url}/mtp/{path}", body, headers), timeout=10).close()
    fetch(f"{served.url}/unknown")


def test_a_prometheus_finds_everything_that_dashboard_and_rules_name(served: Served) -> None:
    wanted = named()
    assert len(wanted) > 25

    present: set[str] = set()

    def complete() -> bool:
        visit(served)
        present.update(row["metric"]["__name__"] for row in served.ask('{__name__=~"mtp.*"}'))
        return wanted <= present

    try:
        wait_until(complete, "every figure")
    except AssertionError:
        assert wanted <= present
    assert served.ask('up{job="mtp"}')[0]["value"][1] == "1"


def test_the_dashboard_is_laid_out_as_grafana_reads_it() -> None:
    """Its documented JSON model: ids, places on a grid of 24 columns that do not overlap, one data source, queries."""
    panels, taken = DASHBOARD["panels"], set[tuple[int, int]]()
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["type"] in ("timeseries", "stat")
        assert panel["fieldConfig"]["defaults"]["unit"] in ("ops", "percentunit", "s", "short")
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    named = set(re.findall(r"\$\{?(\w+)", json.dumps(panels)))
    assert named <= variables | {"__rate_interval"}, "every variable is declared, or Grafana's own"


def test_every_query_of_every_panel_has_an_answer(served: Served) -> None:
    """As Grafana asks it: for all shops, over an interval of four scrapes or more."""
    queries = {
        (panel["title"], target["refId"]): target["expr"].replace("$app", ".+").replace("$__rate_interval", "1m")
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    }
    assert len(queries) > 25
    silent = dict(queries)

    def answered() -> bool:
        visit(served)
        for place in [place for place, query in silent.items() if served.ask(query)]:
            del silent[place]
        return not silent

    try:
        wait_until(answered, "an answer to every query")
    except AssertionError:
        assert silent == {}
    assert served.ask("count by (app) (mtp_requests_total)"), "the variable app has values"


def test_made_up_names_add_no_labels(served: Served) -> None:
    visit(served)
    before = labels(served.figures())
    for number in range(30):
        for path in (f"v1/recommendations?placement=x{number}", f"v1/blocks/x{number}", f"x{number}", f"v1/x{number}"):
            with pytest.raises(urllib.error.HTTPError):
                fetch(f"{served.url}/mtp/{path}", **BROWSER)
        fetch(f"{served.url}/mtp/v1/recommendations?placement=home-hero&exclude_ids=x{number}", **BROWSER)
    more = labels(served.figures()) - before
    # Both answers of the two routes, at most: found and not found, from the cache and not.
    assert not [label for label in more if re.search(r"x\d", label)]
    assert len(more) < 30


def labels(text: str) -> set[str]:
    return {line.rpartition(" ")[0] for line in text.splitlines() if line.startswith("mtp_")}


def test_workers_count_together_and_an_ended_one_says_nothing_of_now(served: Served) -> None:
    def slates() -> float:
        lines = [line for line in served.figures().splitlines() if line.startswith("mtp_slates_total")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    before = slates()
    for _ in range(20):
        fetch(f"{served.url}/mtp/v1/recommendations?placement=home-hero", **BROWSER)
    assert slates() == before + 20
    folder = next(iter(Path(f"/proc/{served.shop.pid}/cwd").resolve().glob("figures")))
    ended = next(path for path in folder.glob("gauge_livesum_*.db"))
    pid = int(ended.stem.rpartition("_")[2])
    subprocess.run(["kill", "-TERM", str(pid)], check=True)
    wait_until(lambda: not ended.exists(), "the end of the worker's figures of now")
    assert slates() >= before + 20
