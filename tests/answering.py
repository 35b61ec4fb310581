"""A little HTTP server of the test's own, for what speaks to services elsewhere."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class AnsweringServer:
    """``answer`` is what the test sets: a status and a body, or a function of the handler.

    ``asked`` and ``headers`` are what came.
    """

    def __init__(self, body=None):
        self.answer, self.asked, self.headers, self.go = (200, body), [], [], threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                outer.headers.append(dict(self.headers))
                if callable(outer.answer):
                    outer.answer(self)
                    return
                status, body = outer.answer
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def close(self):
        self.go.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()
