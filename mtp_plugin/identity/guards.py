"""What keeps a link from being made: reasons in one word, found one after the other."""

from __future__ import annotations

from collections.abc import Set

ACCOUNT, BROWSER = "u:", "a:"
KINDS = ("u:", "a:", "e:", "p:", "o:")

NOBODY = frozenset(
    {
        *("", "0", "-1", "1970-01-01", "null", "nil", "none", "undefined", "nan", "false", "true", "n/a", "na", "-"),
        *("anonymous", "guest", "unknown", "user", "test", "default", "visitor", "[object object]", "example"),
        *("00000000-0000-0000-0000-000000000000",),
    }
)
"""What programs write where an id is missing: everybody would be one person."""

MOST = 50
"""Nodes of one person, unless said otherwise: more is a robot, a kiosk or a mistake."""


def is_usable(node: str) -> bool:
    """Whether a node names somebody.

    >>> is_usable("u:ada"), is_usable("u:null"), is_usable("ada")
    (True, False, False)
    """
    return node[:2] in KINDS and node[2:].strip().lower() not in NOBODY


def refusal(left: str, right: str, ours: Set[str], theirs: Set[str], shared: Set[str], most: int = MOST) -> str:
    """Why two nodes must not become one person, ``""`` if they may.

    :param ours: all nodes of the left one's cluster
    :param theirs: all nodes of the right one's
    :param shared: nodes that several people use
    :param most: nodes that one person may have
    """
    if left == right or not (is_usable(left) and is_usable(right)):
        return "no-id"
    if left in shared or right in shared:
        return "shared"
    together = ours | theirs
    if sum(node.startswith(ACCOUNT) for node in together) > 1:
        return "two-accounts"
    if len(together) > most:
        return "too-many"
    return ""
