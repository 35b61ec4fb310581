"""What a ``curl`` line of the documentation asks, sent without curl: not every machine has it."""

from __future__ import annotations

import argparse
import base64
import shlex
import urllib.error
import urllib.request


def curl(line: str) -> tuple[int, str]:
    """Send it and give status and body; an option that is not known here ends the test."""
    words = shlex.split(line)
    assert words[0] == "curl"
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("-u")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("url")
    asked = parser.parse_args(words[1:])
    headers = dict(header.split(": ", 1) for header in asked.H)
    if asked.u:
        headers["Authorization"] = f"Basic {base64.b64encode(asked.u.encode()).decode()}"
    body = asked.d.encode() if asked.d else None
    request = urllib.request.Request(asked.url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
