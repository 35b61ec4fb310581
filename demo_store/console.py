"""Who may open the console of the demo: whoever sits at this machine, in the role chosen on the page ``/console``.

A rule for a demo only. A real shop asks who is signed in: ``docs/console.md`` shows how.
"""

from __future__ import annotations

from ipaddress import ip_address

from flask import request, session

ROLES = ("viewer", "merchandiser", "administrator")
HERE = ("localhost", "127.0.0.1", "[::1]")
PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")
"""Headers of a proxy: behind one everybody seems to sit at this machine."""


def console_guard() -> tuple[str, str] | None:
    """The role chosen, and a name that says what it is."""
    role = chosen_role()
    return (role, f"Demo {role}") if is_local() else None


def chosen_role() -> str:
    """The role of this browser."""
    role = session.get("console_role")
    return role if role in ROLES else "administrator"


def is_local() -> bool:
    """Whether the browser runs on this machine and asked for it by name."""
    host = request.host.rpartition(":")[0] or request.host
    if host not in HERE or any(name in request.headers for name in PASSED_ON):
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
