"""Mail and webhooks arrive at real receivers, once, grouped; what cannot be told is tried again without a secret."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from mtp_plugin.alert_targets import AlertTarget, load_alert_targets
from mtp_plugin.alerts.deliver import deliver, send
from mtp_plugin.alerts.run import run, silence
from mtp_plugin.errors import SettingError, UnavailableError
from mtp_plugin.outbound import Outbound
from mtp_plugin.ports import Alert, JobRun
from mtp_plugin.state import State

from ..core.shops import mounted
from ..servers import free_port

SECRET = "hunter2"


class Mailbox:
    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(envelope.content)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[int, Mailbox]]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port, box
    controller.stop()


class Receiver:
    """Takes what is posted; answers with a status that can be changed."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, json.loads(body)))
                self.send_response(receiver.status)
                if receiver.status == 302:
                    self.send_header("Location", "http://169.254.169.254/")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def failing(state: State, *names: str) -> None:
    for name in names:
        state.leases.record_run(JobRun(name=name, started_at=1.0, seconds=1.0, ok=False, message="no room"))


def test_each_target_hears_once_grouped_and_of_the_end(
    tmp_path: Path, mailbox: tuple[int, Mailbox], receiver: Receiver
) -> None:
    port, box = mailbox
    mail = {"kind": "email", "host": "127.0.0.1", "port": port, "starttls": False}
    _, state = mounted(
        tmp_path,
        MTP_OUTBOUND_ALLOW=["127.0.0.1"],
        MTP_ALERTS={
            "ops": {**mail, "sender": "shop@shop.example", "to": ["ada@shop.example"]},
            "chat": {"kind": "webhook", "url": receiver.url},
            "manager": {"kind": "alertmanager", "url": receiver.url},
            "pager": {"kind": "webhook", "url": receiver.url, "severities": ["page"]},
        },
    )
    now = time.time()
    failing(state, "train", "forward")
    said = run(state, now)
    assert "ops: 2 told" in said
    assert "pager" not in said
    run(state, now + 60)
    assert len(box.messages) == 1
    message = message_from_bytes(box.messages[0])
    assert message["Subject"].endswith("and 1 more")
    assert "It said: no room" in message.get_payload()
    posts = dict(receiver.got)
    assert len(receiver.got) == 2
    assert posts[f"/{SECRET}"]["text"].startswith("[firing]")
    assert {block["type"] for block in posts[f"/{SECRET}"]["blocks"]} == {"section"}
    assert {one["labels"]["key"] for one in posts[f"/{SECRET}/api/v2/alerts"]} == {"job:train", "job:forward"}
    state.leases.record_run(JobRun(name="train", started_at=now, seconds=1.0, ok=True, message=""))
    run(state, now + 120)
    assert message_from_bytes(box.messages[1])["Subject"] == "[resolved] The job train failed"
    assert receiver.got[-1][1][0]["endsAt"]
    state.close()


def test_what_cannot_be_told_is_tried_again_with_pauses_and_without_secrets(
    tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    chat = {"kind": "webhook", "url": receiver.url}
    app, state = mounted(tmp_path, MTP_ALERTS={"chat": chat}, MTP_OUTBOUND_ALLOW="127.0.0.1")
    receiver.status, now = 503, time.time()
    failing(state, "train")
    said = run(state, now)
    assert said.endswith("chat: answered 503")
    assert deliver(state, now + 10) == ""  # thirty seconds, then a minute
    receiver.status = 302
    assert deliver(state, now + 31) == "chat: answered 302"
    assert deliver(state, now + 80) == ""
    receiver.server.shutdown()
    receiver.server.server_close()
    said = deliver(state, now + 100)
    assert "could not be told" in said
    told = app.test_cli_runner().invoke(args=["mtp", "alerts", "test", "chat"]).output
    kept = str([one.sends for one in state.alerts.kept()])
    assert SECRET not in said + told + kept + caplog.text
    assert len(receiver.got) == 2
    state.close()


def test_silenced_alerts_wait(tmp_path: Path, receiver: Receiver) -> None:
    chat = {"kind": "webhook", "url": receiver.url}
    _, state = mounted(tmp_path, MTP_ALERTS={"chat": chat}, MTP_OUTBOUND_ALLOW="127.0.0.1")
    now = time.time()
    silence(state, "job:", 1, by="ada", now=now)
    failing(state, "train")
    run(state, now)
    assert receiver.got == []
    run(state, now + 3601)
    assert len(receiver.got) == 1
    state.close()


def test_a_webhook_to_this_machine_is_refused_unless_it_is_meant(receiver: Receiver) -> None:
    alert = Alert(key="k", kind="job", severity="note", title="T", message="M", opened_at=1.0, last_at=1.0)
    with pytest.raises(UnavailableError, match="MTP_OUTBOUND_ALLOW"):
        send(Outbound(), AlertTarget(kind="webhook", url=receiver.url), [alert])
    assert receiver.got == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "webhook"}, "needs url"),
        ({"kind": "email", "host": "h"}, "sender and to"),
        ({"kind": "webhook", "url": "file:///etc/passwd"}, "https://"),
        ({"kind": "pigeon"}, "pigeon"),
        ({"kind": "webhook", "url": "https://x.example", "severities": ["loud"]}, "page, ticket"),
        ({"kind": "webhook", "url": "https://x.example", "timeout_s": 0}, "timeout_s"),
        ({"kind": "email", "host": "h", "sender": "a@b\nBcc: x", "to": ["c@d"]}, "line break"),
    ],
)
def test_targets_that_cannot_work_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said) as caught:
        load_alert_targets({"x": given})
    assert SECRET not in str(caught.value)
