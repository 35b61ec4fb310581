"""JSON recommendations over HTTP: a slate for everybody and personal ones, beside a bare route that sends the same
bytes. Prints one JSON object.

Run it alone on the machine: ``python benchmarks/api.py [--products 10000] [--requests 4000] [--connections 8]``. The
server is granian with one worker in a process of its own, the client threads of this one; both take turns with the
floor, a Flask route of the same application. ``share`` is what is kept of the floor's requests per second.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from _serving import Server, send_all, serving
from _shop import Stock, shop, some_product

BROWSER = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140\r\nSec-Fetch-Site: same-origin\r\n"
VISITORS = 200
ROUNDS = 4
SHOP = """
from pathlib import Path
from flask import Flask, Response
from mtp_plugin import MTP, CallableCatalog
app = Flask("shop", instance_path={folder!r})
app.secret_key = "benchmarks only, and long enough"
app.config.update(MTP_REGIME="opt-out", MTP_RATE_LIMIT="1000000 per second")
mtp = MTP()
mtp.catalog(CallableCatalog(products=lambda: (), availability=lambda ids: dict.fromkeys(ids, True)))
mtp.init_app(app)
BODY = Path({folder!r}, "body.json")

@app.get("/bare")
def bare():
    return Response(body, content_type="application/json")

body = BODY.read_bytes() if BODY.exists() else b""
"""


def get(path: str, *headers: str) -> bytes:
    """A request as it goes over the line."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{BROWSER}{''.join(headers)}\r\n".encode()


def visitors(app: Any, count: int) -> list[str]:
    """Cookie headers of visitors who looked at some products each."""
    chance, found = random.Random(2), []
    for _ in range(VISITORS):
        client, kind = app.test_client(), chance.randrange(10)
        for _ in range(chance.randint(1, 20)):
            body = {"event": "Product Viewed", "properties": {"product_id": some_product(count, kind, chance)}}
            headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140", "Sec-Fetch-Site": "same-origin"}
            assert client.post("/mtp/v1/track", json=body, headers=headers).json["accepted"] == 1
        cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in client._cookies.values())
        found.append(f"Cookie: {cookies}\r\n")
    return found


def measure(server: Server, kinds: dict[str, list[bytes]], requests: int, connections: int) -> dict[str, Any]:
    """Requests per second, latency and the server's processor time of each kind, in turns."""
    seconds, cpu = dict.fromkeys(kinds, 0.0), dict.fromkeys(kinds, 0.0)
    waits: dict[str, list[float]] = {name: [] for name in kinds}
    each = max(1, requests // ROUNDS)
    for asked in kinds.values():
        send_all(server.port, [asked[at % len(asked)] for at in range(each // 2)], connections)
    for _ in range(ROUNDS):
        for name, asked in kinds.items():
            before = server.cpu()
            seconds[name] += send_all(
                server.port, [asked[at % len(asked)] for at in range(each)], connections, waits[name]
            )
            cpu[name] += server.cpu() - before
    return {
        name: {
            "requests_per_s": round(len(waits[name]) / seconds[name]),
            "p50_ms": round(statistics.median(waits[name]) * 1e3, 2),
            "p99_ms": round(statistics.quantiles(waits[name], n=100)[98] * 1e3, 2),
            "server_cpu_us": round(cpu[name] / len(waits[name]) * 1e6),
        }
        for name in kinds
    }


def main() -> None:
    """Make a shop, serve it, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=4000, help="of each kind")
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    path = "/mtp/v1/recommendations?placement=home-hero&limit=12"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = shop(name, options.products, Stock())
        known = visitors(app, options.products)
        everybody = get(path, "Sec-GPC: 1\r\n")
        body = app.test_client().get(path, headers={"Sec-GPC": "1", "Sec-Fetch-Site": "same-origin"}).data
        app.extensions["mtp"].close()
        (folder / "body.json").write_bytes(body)
        (folder / "shop.py").write_text(SHOP.format(folder=name))
        kinds = {
            "floor": [get("/bare", "Sec-GPC: 1\r\n")],
            "for_everybody": [everybody],
            "personal": [get(path, cookie) for cookie in known],
        }
        print("asking", file=sys.stderr)
        with serving("granian", folder, workers=1, threads=1) as server:
            figures = measure(server, kinds, options.requests, options.connections)
    floor = figures["floor"]["requests_per_s"]
    share = {kind: round(figures[kind]["requests_per_s"] / floor, 3) for kind in kinds if kind != "floor"}
    bench = {"benchmark": "api", "products": options.products, "connections": options.connections, "bytes": len(body)}
    print(json.dumps({**bench, **figures, "share": share}))


if __name__ == "__main__":
    main()
