"""An HTTP shared cache in front of a WSGI application, after RFC 9111: what a CDN would do, as a test can see it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

from flask import Flask
from werkzeug.datastructures import Headers, ResponseCacheControl
from werkzeug.http import parse_cache_control_header, parse_set_header
from werkzeug.test import Client, TestResponse

SAFE = ("GET", "HEAD")


@dataclass
class Stored:
    """A response that may be used again for requests whose *vary* headers are the same."""

    vary: tuple[tuple[str, str], ...]
    response: TestResponse
    body: bytes
    until: float


@dataclass
class SharedCache:
    """Answers from what it stored, else asks the application.

    Section numbers are of RFC 9111. The cache is a bold one: it stores whatever it may (a response with ``Set-Cookie``
    too), so that a test finds every permission that was given too freely.

    :param blind: as if ``Vary`` were not there
    """

    app: Flask
    blind: bool = False
    hits: int = 0
    stored: dict[str, list[Stored]] = field(default_factory=dict)

    def ask(self, path: str, *, method: str = "GET", headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Send a request through the cache."""
        if method in SAFE:
            for entry in self.stored.get(path, ()):
                if entry.until > time.monotonic() and all(headers.get(name, "") == value for name, value in entry.vary):
                    self.hits += 1
                    return Answer(entry.response, entry.body, from_cache=True)
        response = Client(self.app, use_cookies=False).open(path, method=method, headers=Headers(headers), data=body)
        answer = Answer(response, response.get_data())
        if method in SAFE:
            self._store(path, headers, answer)
        else:
            self.stored.pop(path, None)  # 4.4
        return answer

    def _store(self, path: str, headers: dict[str, str], answer: Answer) -> None:
        """Keep the response if that is allowed (3)."""
        control = parse_cache_control_header(answer.response.headers.get("Cache-Control"), cls=ResponseCacheControl)
        if control.no_store or control.private or control.no_cache:
            return
        if "Authorization" in headers and not (control.public or control.s_maxage or control.must_revalidate):
            return  # 3.5
        seconds = control.s_maxage if control.s_maxage is not None else control.max_age
        if not seconds or answer.response.status_code != 200:
            return
        names = [] if self.blind else sorted(parse_set_header(answer.response.headers.get("Vary")))
        if "*" in names:
            return
        vary = tuple((name, headers.get(canonical(name), "")) for name in names)
        vary = tuple((canonical(name), value) for name, value in vary)
        self.stored.setdefault(path, []).append(Stored(vary, answer.response, answer.body, time.monotonic() + seconds))


def canonical(name: str) -> str:
    """A header's name as the tests write it."""
    known = {"dnt": "DNT", "sec-gpc": "Sec-GPC"}
    return known.get(name.lower(), name.title())


@dataclass
class Answer:
    """A response and where it came from."""

    response: TestResponse
    body: bytes
    from_cache: bool = False

    @property
    def text(self) -> str:
        """Body and headers: a canary in either is a leak."""
        return self.body.decode() + str(self.response.headers)


class Jar:
    """Cookies of one visitor, as a ``Cookie`` header; also taken from responses of the cache, as a browser would."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def take(self, answer: Answer) -> None:
        for line in answer.response.headers.getlist("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value

    def header(self) -> dict[str, str]:
        text = "; ".join(f"{name}={value}" for name, value in sorted(self.cookies.items()))
        return {"Cookie": text} if text else {}
