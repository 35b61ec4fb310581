"""Where a model comes from, for the registry and in words: data, settings, code, and how it did against another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from .ports import BundleInfo

WINDOWS = (("data_from", "data_until"), ("since", "until"))
"""Names, in a lineage, of the seconds between which its data lies."""
COUNTS = ("interactions", "visitors", "products")


def code_version() -> str:
    """The version of the code that learns."""
    return metadata.version("mtp-plugin")


def superfluous(infos: Sequence[BundleInfo], keep: int, spared: Collection[str] = ()) -> list[str]:
    """The versions of a kind that may go: those beyond the newest *keep*, and all but the newest two of those that were
    only counted anew, which come every hour and would push out the others.

    :param infos: newest first
    :param spared: versions that stay
    """
    counted = [info for info in infos if "refreshed_from" in info.lineage]
    trained = [info for info in infos if "refreshed_from" not in info.lineage]
    old = (*trained[keep:], *counted[2:])
    return [info.version for info in old if not info.current and info.version not in spared]


def words_of(info: BundleInfo) -> list[str]:
    """A line each of data, settings and code, and contest, of what is known of them."""
    lines = (_data(info.lineage), _made(info.lineage), _contest(info.lineage))
    return [line for line in lines if line]


def _data(lineage: Mapping[str, Any]) -> str:
    parts = [f"{_day(lineage[one])} to {_day(lineage[two])}" for one, two in WINDOWS if one in lineage]
    parts += [f"{lineage[name]:,} {name}" for name in COUNTS if name in lineage]
    return f"data {', '.join(parts)}" if parts else ""


def _made(lineage: Mapping[str, Any]) -> str:
    parts = [f"code {lineage['code']}"] if "code" in lineage else []
    known = {name: lineage[name] for name in ("estimator", "seed") if name in lineage} | lineage.get("settings", {})
    parts += [f"{name.replace('_', ' ')} {value}" for name, value in known.items()]
    if "refreshed_at" in lineage:
        parts.append(f"counted anew {datetime.fromtimestamp(lineage['refreshed_at'], UTC):%Y-%m-%d %H:%M} UTC")
    return ", ".join(parts)


def _contest(lineage: Mapping[str, Any]) -> str:
    contest = lineage.get("contest")
    if not contest:
        return ""
    outcome = "won" if contest["won"] else "challenger, does not serve"
    return f"{outcome} against {contest['against']} over {contest['cases']:,} cases: {contest['reason']}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
