"""A TCP proxy of the test's own before a real server: it can be slow, hold everything back, or break connections."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

FOR_EVER = 120.0


class SlowProxy:
    """Passes everything on to *port*; what comes back is *delay* seconds late, or waits for ``open``.

    ``cut`` breaks all connections; while ``refuses`` is set new ones end at once. It listens on *host*.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = port
        self.delay, self.refuses, self.open = 0.0, False, threading.Event()
        self.open.set()
        self._ends: list[socket.socket] = []
        self._door = socket.create_server((host, 0))
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._door.accept()
            except OSError:
                return
            if self.refuses:
                caller.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                caller.close()
                continue
            for end in (caller, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.settimeout(None)
            self._ends += [caller, server]
            threading.Thread(target=self._pass_on, args=(caller, server, False), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, caller, True), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, back: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if back:
                    time.sleep(self.delay)
                    self.open.wait(FOR_EVER)
                target.sendall(data)
        _end(source, target)

    def cut(self) -> None:
        """Break all connections."""
        _end(*self._ends)
        self._ends = []

    def close(self) -> None:
        self.open.set()
        _end(self._door)
        self.cut()


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)  # wakes who waits for it
        end.close()
