"""Lighthouse (mobile) on the demo store, with blocks and without, as one JSON object.

``python benchmarks/lighthouse.py [--runs 3] [--pages home,category,product] [--blocks both|with]``. The shop is built
with few shoppers in a folder of its own and served by granian. Lighthouse comes from npm into ``.venv/lighthouse``;
where it, Node or Chromium cannot be had the object says so under ``missing``. Throttling is simulated from what was
measured, so whatever else the machine does takes points away and nothing adds any: beside the median of the runs stands
the best, and that is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".venv" / "lighthouse"
VERSION = "12.8.2"
"""The last that runs on Node 18 and 20."""
PAGES = {"home": "/", "category": "/shop/lamps", "product": "/products/glint-task-lamp"}
KINDS = ("performance", "accessibility", "best-practices", "seo")
FLAGS = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update"


class MissingError(Exception):
    """Something that this needs is not on this machine."""


def lighthouse() -> list[str]:
    """The command, installed on first use.

    :raises MissingError: no Node, no npm, or npm cannot install it
    """
    command = TOOLS / "node_modules" / ".bin" / "lighthouse"
    if not command.exists():
        if not shutil.which("npm"):
            raise MissingError("npm is not installed (Debian: apt-get install nodejs npm)")
        TOOLS.mkdir(parents=True, exist_ok=True)
        wanted = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"lighthouse@{VERSION}"]
        done = subprocess.run(wanted, cwd=TOOLS, capture_output=True, text=True, timeout=400)
        if done.returncode:
            raise MissingError(f"npm could not install lighthouse: {done.stderr.strip()[-300:]}")
    return [str(command)]


def chromium() -> str:
    """Path of the browser.

    :raises MissingError: there is none
    """
    names = (os.environ.get("MTP_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if not found:
        raise MissingError("no Chromium: install the package chromium or set MTP_CHROMIUM")
    return found


def build(folder: str) -> None:
    """A shop that has had a few hundred shoppers."""
    command = [sys.executable, "-m", "flask", "--app", "demo_store", "demo", "build", "--visitors", "400"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DEMO_INSTANCE": folder}, check=True, capture_output=True)


@contextmanager
def served(folder: str, *, blocks: bool) -> Iterator[str]:
    """The shop behind granian; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--port", str(port), "--no-access-log",
        "--log-level", "warning", "demo_store.app:create_app",
    ]  # fmt: skip
    switched = {**os.environ, "DEMO_INSTANCE": folder, "FLASK_MTP_ENABLED": "true" if blocks else "false"}
    server = subprocess.Popen(command, cwd=ROOT, env=switched, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address)
        yield address
    finally:
        server.terminate()
        server.wait()


def _wait(address: str) -> None:
    """Until every page has been asked for once: the first one starts the worker."""
    for _ in range(240):
        try:
            for path in PAGES.values():
                urllib.request.urlopen(address + path, timeout=30).read()
            return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError(f"{address} does not answer")


def measure(command: list[str], browser: str, address: str) -> dict[str, Any]:
    """One run: the four scores (0 to 100) and the figures behind them."""
    done = subprocess.run(
        [*command, address, "--output=json", "--quiet", f"--chrome-flags={FLAGS}", "--throttling-method=simulate",
         f"--only-categories={','.join(KINDS)}"],
        env={**os.environ, "CHROME_PATH": browser}, capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    report = json.loads(done.stdout)
    audits = report["audits"]
    figures = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
    return {
        **{kind: round(100 * (report["categories"][kind]["score"] or 0)) for kind in KINDS},
        **{name: round(audits[name]["numericValue"], 3) for name in figures},
        "kilobytes": round(audits["total-byte-weight"]["numericValue"] / 1024),
        "below": _lost(report),
    }


def _lost(report: dict[str, Any]) -> list[str]:
    """Which audits cost points, outside of performance."""
    weighted = [ref["id"] for kind in KINDS[1:] for ref in report["categories"][kind]["auditRefs"] if ref["weight"] > 0]
    return sorted({name for name in weighted if (report["audits"][name]["score"] or 0) < 1
                   and report["audits"][name]["scoreDisplayMode"] == "binary"})  # fmt: skip


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Each figure's median, and under ``best`` the highest of each score."""
    numbers = {key: statistics.median(run[key] for run in runs) for key in runs[0] if key != "below"}
    best = {kind: max(run[kind] for run in runs) for kind in KINDS}
    return {**numbers, "best": best, "below": sorted({name for run in runs for name in run["below"]})}


def compare(command: list[str], browser: str, pages: list[str], runs: int, *, both: bool) -> dict[str, Any]:
    """The scores of each page, with blocks and (*both*) without, and what blocks cost of each best score."""
    found: dict[str, dict[str, Any]] = {page: {} for page in pages}
    with tempfile.TemporaryDirectory() as folder:
        build(folder)
        with served(folder, blocks=True) as address, served(folder, blocks=False) as bare:
            places = {"with_blocks": address, "without_blocks": bare} if both else {"with_blocks": address}
            for page in pages:
                # In turn, so that a busy minute of the machine falls on both.
                taken: dict[str, list[dict[str, Any]]] = {name: [] for name in places}
                for _ in range(runs):
                    for name, place in places.items():
                        taken[name].append(measure(command, browser, place + PAGES[page]))
                found[page] = {name: summary(measured) for name, measured in taken.items()}
    for page in found.values():
        if both:
            with_, without = page["with_blocks"]["best"], page["without_blocks"]["best"]
            page["cost"] = {kind: without[kind] - with_[kind] for kind in KINDS}
    return found


def main() -> None:
    """Measure and print, or say what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pages", default=",".join(PAGES))
    parser.add_argument("--blocks", choices=("both", "with"), default="both")
    given = parser.parse_args()
    try:
        command, browser = lighthouse(), chromium()
    except MissingError as missing:
        print(json.dumps({"benchmark": "lighthouse", "missing": str(missing)}))
        return
    pages = compare(command, browser, given.pages.split(","), given.runs, both=given.blocks == "both")
    print(json.dumps({"benchmark": "lighthouse", "version": VERSION, "runs": given.runs, "pages": pages}, indent=2))


if __name__ == "__main__":
    main()
