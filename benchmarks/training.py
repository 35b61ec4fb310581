"""Training of all candidate models on a made-up history: seconds of one core, and memory. Prints one JSON object.

``python benchmarks/training.py`` takes about two minutes; ``--rows 10000000 --products 100000`` is the long run.
Training runs in a process of its own that does nothing else, so its peak is training's (interpreter, libraries and the
log included). Times are CPU seconds of that process, by part, and so are peaks; what is compiled once on a machine is
compiled before. Candidate models and re-rankers are told apart: the limit speaks of the former. Peers in the same run:
scipy's product of the same sessions with themselves, for the item-item part alone, and, where it is installed,
implicit's item-item model.

With ``--stored`` the events are written to SQLite, and what is trained on is read from there as ``flask mtp train``
does, in the same process: ``--rows 20100000 --products 200000 --most-visits 100 --stored`` is a million visitors and
twenty million rows, ``--rows 200000 --products 5000 --stored`` the same in a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"  # before numpy: limits are per core

import numpy as np  # noqa: E402
from _history import catalogue, history  # noqa: E402

from mtp_plugin.candidates.learn import experts  # noqa: E402
from mtp_plugin.candidates.log import PURCHASE, VIEW, TrainingLog  # noqa: E402
from mtp_plugin.records import ProductTable  # noqa: E402

GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": "262144"}
LIMITS = {
    1_000_000: {"seconds": 10}, 10_000_000: {"seconds": 60, "peak_mb": 1000}, 20_100_000: {"peak_mb": 4000},
}  # fmt: skip


def peak_mb() -> float:
    """Most memory this process held since :func:`forget_peak`, in megabytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def forget_peak() -> None:
    """Peaks are told from here on, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


class Parts:
    """CPU seconds and peaks in megabytes by what training says it is doing."""

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, float]] = {}
        self._name, self._began = "", time.process_time()

    def __call__(self, text: str) -> None:
        name = text.split(" ")[0] if text.startswith("content ") else text
        if name == self._name:
            return
        if self._name:
            part = self.parts.setdefault(self._name, {"cpu_seconds": 0.0, "peak_mb": 0})
            part["cpu_seconds"] = round(part["cpu_seconds"] + time.process_time() - self._began, 2)
            part["peak_mb"] = max(part["peak_mb"], round(peak_mb()))
            print(f"{self._name}: {part}", file=sys.stderr, flush=True)
        forget_peak()
        self._name, self._began = name, time.process_time()

    def all(self) -> dict[str, Any]:
        """Of candidate models and of re-rankers, and part by part."""
        kinds: dict[str, list[dict[str, float]]] = {"candidate_models": [], "re_rankers": []}
        for name, part in self.parts.items():
            if not name.startswith("reading"):
                kinds["re_rankers" if name.startswith(experts.RERANKING) else "candidate_models"].append(part)
        sums = {
            kind: {
                "cpu_seconds": round(sum(part["cpu_seconds"] for part in parts), 2),
                "peak_mb": max((part["peak_mb"] for part in parts), default=0),
            }
            for kind, parts in kinds.items()
        }
        return {**sums, "parts": self.parts, "peak_mb": max(part["peak_mb"] for part in self.parts.values())}


def train_child(folder: Path) -> dict[str, Any]:
    """Train on the log in *folder*."""
    table = catalogue(int((folder / "products").read_text()))
    parts, before = Parts(), peak_mb()
    return {
        **_learn(_saved(folder, table), table, parts, not (folder / "candidates").exists()),
        "before_training_mb": round(before),
    }


def _saved(folder: Path, table: ProductTable) -> TrainingLog:
    arrays = {path.stem: np.load(path) for path in folder.glob("log_*.npy")}
    return TrainingLog.from_arrays(arrays, tuple(product.product_id for product in table.products), True)


def stored_child(folder: Path) -> dict[str, Any]:
    """Read the events in SQLite, and train on them."""
    from mtp_plugin.store.database import Database
    from mtp_plugin.store.sql_journal import SqlJournal

    path = folder / "events.sqlite"
    table, parts = catalogue(int((folder / "products").read_text())), Parts()
    journal = SqlJournal(Database(f"sqlite:///{path}", 1000.0), 86_400.0)
    parts("reading events")
    found = _learn(
        TrainingLog.from_interactions(journal.interactions()), table, parts, not (folder / "candidates").exists()
    )
    return {"events": journal.count(), "file_mb": round(path.stat().st_size / 1e6), **found}


def _learn(log: TrainingLog, table: ProductTable, parts: Parts, rerank: bool) -> dict[str, Any]:
    from mtp_plugin.candidates.learn.reranker import Grown
    from mtp_plugin.candidates.train import train, train_content

    if not rerank:
        experts.grow_reranker = lambda *told, **more: Grown(None, {"serves": False, "why": "not asked for"})
    told = {
        "rows": len(log),
        "visitors": len(log.owners),
        "log_mb": round(sum(array.nbytes for array in log.arrays().values()) / 1e6),
    }
    parts("content")
    content = train_content(table).bundle("content")
    whole = [log]
    del log
    learnt = train(whole.pop(), table=table, content=content, progress=parts)  # nobody else holds it
    parts("end")
    return {**told, **parts.all(), "bundle_mb": round(sum(array.nbytes for array in learnt.arrays.values()) / 1e6)}


def warm_child(folder: Path) -> dict[str, Any]:
    """Compile what is compiled once on a machine."""
    from mtp_plugin.candidates.train import train

    train(history(20_000, 300), table=catalogue(300))
    return {}


def peers_child(folder: Path) -> dict[str, Any]:
    """Item-item alone, by others, of who looked at or bought what in the same session."""
    from scipy import sparse

    action, item, session = (np.load(folder / f"log_{name}.npy") for name in ("action", "item", "session"))
    products = int((folder / "products").read_text())
    kept = (action == VIEW) | (action == PURCHASE)
    ones = np.ones(int(kept.sum()), dtype=np.float32)
    matrix = sparse.csr_matrix((ones, (session[kept], item[kept])), shape=(int(session[-1]) + 1, products))
    del action, item, session, ones
    return {"scipy_product": _timed(lambda: matrix.T.tocsr() @ matrix), **_implicit(matrix)}


def _implicit(matrix: Any) -> dict[str, Any]:
    try:
        from implicit.nearest_neighbours import CosineRecommender
    except ImportError:
        return {}
    model = CosineRecommender(K=100, num_threads=1)
    return {"implicit_cosine": _timed(lambda: model.fit(matrix, show_progress=False))}


def _timed(run: Callable[[], Any]) -> dict[str, float]:
    began = time.process_time()
    made = run()
    seconds, peak = time.process_time() - began, peak_mb()
    del made
    return {"cpu_seconds": round(seconds, 2), "peak_mb": round(peak)}


def store(log: TrainingLog, folder: Path) -> None:
    """Write the log as events, as a browser's are stored, an order as one event."""
    import sqlite3

    from mtp_plugin.store.database import Database

    path = folder / "events.sqlite"
    database = Database(f"sqlite:///{path}", 1000.0)
    database.engine.dispose()
    names = ("Product Viewed", "Product Added", "Order Completed")
    same = np.append(False, (log.basket[1:] == log.basket[:-1]) & (log.basket[1:] >= 0))
    starts = np.flatnonzero(~same)
    stops = np.append(starts[1:], len(log))
    products = [json.dumps({"product_id": item, "price": 19.9}) for item in log.items]
    context = json.dumps({"device": "phone", "page_type": "product", "referrer": "https://search.example/"})

    def rows() -> Any:
        for number, (start, stop) in enumerate(zip(starts, stops, strict=True), 1):
            visitor, moment, message = f"0190{log.visitor[start]:028x}", float(log.time[start]), f"{number:032x}"
            bought = ",".join([products[item] for item in log.item[start:stop]])
            body = (
                f'{{"dedupe_key":"a:{visitor}:{message}","message_id":"{message}","anonymous_id":"{visitor}",'
                f'"products":[{bought}],"context":{context}}}'
            )
            name = names[log.action[start]]
            yield number, number.to_bytes(16, "big"), name, f"a:{visitor}", moment, moment, False, body, None

    with sqlite3.connect(path) as connection:
        for pragma in ("synchronous=OFF", "journal_mode=OFF", "cache_size=-500000"):
            connection.execute(f"PRAGMA {pragma}")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type='index' AND tbl_name='mtp_event' AND sql IS NOT NULL"
        ).fetchall()
        for index, _ in indexes:
            connection.execute(f"DROP INDEX {index}")  # made again in one go
        connection.executemany("INSERT INTO mtp_event VALUES (?,?,?,?,?,?,?,?,?)", rows())
        for _, sql in indexes:
            connection.execute(sql)
        connection.execute("PRAGMA journal_mode=WAL")


CHILDREN = {"warm": warm_child, "train": train_child, "peers": peers_child, "stored": stored_child}


def child(what: str, folder: Path) -> Any:
    """What *what* answers from a fresh process."""
    print(f"-- {what}", file=sys.stderr)
    command = [sys.executable, __file__, "--child", what, "--folder", str(folder)]
    # What is freed goes back to the system, as docs/performance.md says of trainings.
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ, **GIVEN_BACK})
    return json.loads(done.stdout)


def main() -> None:
    """Make a history, train on it, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="views, carts and order lines")
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--most-visits", type=int, default=400, help="of one visitor: fewer make more visitors")
    parser.add_argument("--stored", action="store_true", help="write the events to SQLite and train on what is there")
    parser.add_argument(
        "--candidates-only", action="store_true", help="leave re-rankers out, which take as long at any size"
    )
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(CHILDREN[given.child](given.folder)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        print("making a history", file=sys.stderr)
        log = history(given.rows, given.products, most_visits=given.most_visits)
        for part, array in log.arrays().items():
            np.save(folder / f"{part}.npy", array)
        (folder / "products").write_text(str(given.products))
        if given.candidates_only:
            (folder / "candidates").touch()
        if given.stored:
            store(log, folder)
        del log
        result = {"benchmark": "training", "products": given.products, "limits": LIMITS.get(given.rows, {})}
        child("warm", folder)
        result |= {"training": child("stored" if given.stored else "train", folder), "peers": child("peers", folder)}
        result["load"] = [round(load, 1) for load in os.getloadavg()]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
