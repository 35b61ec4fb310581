"""Training of all candidate models on a made-up history: seconds of one core, and memory. Prints one JSON object.

``python benchmarks/training.py`` takes about a minute; ``--rows 10000000 --products 100000 --stored`` is the long run.
Training runs in a process of its own that does nothing else, so its peak is training's (interpreter, libraries and the
log included). Times are CPU seconds of that process, by part; what is compiled once on a machine is compiled before.
Peers in the same run: scipy's product of the same sessions with themselves, for the item-item part alone, and, where it
is installed, implicit's item-item model. With ``--stored`` the events are also written to SQLite and read from there,
as ``flask mtp train`` does.
"""

from __future__ import annotations

import argparse
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

from mtp_plugin.candidates.log import PURCHASE, VIEW, TrainingLog  # noqa: E402

LIMITS = {1_000_000: {"seconds": 10}, 10_000_000: {"seconds": 60, "peak_mb": 1000}}


def peak_mb() -> float:
    """Most memory this process ever held, in megabytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


class Parts:
    """CPU seconds by what training says it is doing."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name, self._began = "", time.process_time()

    def __call__(self, text: str) -> None:
        now, name = time.process_time(), text.split(" ")[0] if text.startswith("content ") else text
        if self._name:
            self.seconds[self._name] = round(self.seconds.get(self._name, 0.0) + now - self._began, 2)
        if name != self._name:
            print(f"{name} ({peak_mb():.0f} MB so far)", file=sys.stderr, flush=True)
        self._name, self._began = name, now


def train_child(folder: Path) -> dict[str, Any]:
    """Train on the log in *folder*."""
    from mtp_plugin.candidates.train import train, train_content
    from mtp_plugin.ports import Bundle

    table = catalogue(int((folder / "products").read_text()))
    log = TrainingLog.from_arrays(
        {path.stem: np.load(path) for path in folder.glob("log_*.npy")},
        tuple(product.product_id for product in table.products),
        True,
    )
    before, parts, began = peak_mb(), Parts(), time.process_time()
    parts("content")
    content = train_content(table)
    bundle = Bundle(
        kind="content", version="", arrays=dict(content.arrays), strings=dict(content.strings), meta=dict(content.meta)
    )
    learnt = train(log, table=table, content=bundle, progress=parts)
    parts("end")
    return {
        "rows": len(log),
        "cpu_seconds": round(time.process_time() - began, 2),
        "parts": parts.seconds,
        "peak_mb": round(peak_mb()),
        "before_training_mb": round(before),
        "log_mb": round(sum(array.nbytes for array in log.arrays().values()) / 1e6),
        "bundle_mb": round(sum(array.nbytes for array in learnt.arrays.values()) / 1e6),
    }


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


def stored_child(folder: Path) -> dict[str, Any]:
    """The log of events in SQLite."""
    from mtp_plugin.store.database import Database
    from mtp_plugin.store.sql_journal import SqlJournal

    journal = SqlJournal(Database(f"sqlite:///{folder / 'events.sqlite'}", 1000.0), 86_400.0)
    began = time.process_time()
    log = TrainingLog.from_interactions(journal.interactions())
    return {
        "rows": len(log),
        "cpu_seconds": round(time.process_time() - began, 2),
        "peak_mb": round(peak_mb()),
        "file_mb": round((folder / "events.sqlite").stat().st_size / 1e6),
    }


def store(log: TrainingLog, folder: Path) -> None:
    """Write the log as events, as a browser's are stored, an order as one event."""
    import sqlite3

    from mtp_plugin.store.database import Database

    path = folder / "events.sqlite"
    database = Database(f"sqlite:///{path}", 1000.0)
    database.engine.dispose()
    names = np.array(["Product Viewed", "Product Added", "Order Completed"])
    same = np.append(False, (log.basket[1:] == log.basket[:-1]) & (log.basket[1:] >= 0))
    starts = np.flatnonzero(~same)
    stops = np.append(starts[1:], len(log))

    def rows() -> Any:
        for number, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True), 1):
            visitor = f"0190{log.visitor[start]:028x}"
            body = {
                "dedupe_key": f"a:{visitor}:{number:032x}",
                "message_id": f"{number:032x}",
                "anonymous_id": visitor,
                "products": [{"product_id": log.items[item], "price": 19.9} for item in log.item[start:stop].tolist()],
                "context": {"device": "phone", "page_type": "product", "referrer": "https://search.example/"},
            }
            moment = float(log.time[start])
            name = str(names[log.action[start]])
            yield (
                number,
                number.to_bytes(16, "big"),
                name,
                f"a:{visitor}",
                moment,
                moment,
                False,
                json.dumps(body),
                None,
            )

    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany("INSERT INTO mtp_event VALUES (?,?,?,?,?,?,?,?,?)", rows())


CHILDREN = {"warm": warm_child, "train": train_child, "peers": peers_child, "stored": stored_child}


def child(what: str, folder: Path) -> Any:
    """What *what* answers from a fresh process."""
    print(f"-- {what}", file=sys.stderr)
    command = [sys.executable, __file__, "--child", what, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Make a history, train on it, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="views, carts and order lines")
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--stored", action="store_true", help="also write the events to SQLite and read them")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(CHILDREN[given.child](given.folder)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        print("making a history", file=sys.stderr)
        log = history(given.rows, given.products)
        for part, array in log.arrays().items():
            np.save(folder / f"{part}.npy", array)
        (folder / "products").write_text(str(given.products))
        if given.stored:
            store(log, folder)
        del log
        result = {"benchmark": "training", "products": given.products, "limits": LIMITS.get(given.rows, {})}
        child("warm", folder)
        result |= {"training": child("train", folder), "peers": child("peers", folder)}
        if given.stored:
            result["stored"] = child("stored", folder)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
