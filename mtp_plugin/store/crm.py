"""A declaration of a CRM, of ``MTP_CRM`` or ``mtp.crm``, as a :class:`Crm` with its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import SetupError
from ..outbound import Outbound
from ..ports import TraitSource
from ..profile.enrich.join import Crm
from .trait_sources import CallableRows, CsvRows, HttpRows, SqlRows

JOIN = {"id", "email", "traits", "everyone"}
SOURCES = {"csv": set(), "sql": {"query"}, "url": {"headers", "items", "next", "timeout"}, "rows": set()}
"""What names a source, and its options."""


def declared_crm(name: str, given: Mapping[str, Any], outbound: Outbound | None = None) -> Crm:
    """The CRM of this name.

    :param given: ``csv`` (a path), ``sql`` (a URL) with ``query``, ``url`` with ``headers``, ``items`` and ``next``, or
        ``rows`` (a callable); beside it ``id`` or ``email`` and perhaps ``traits`` and ``everyone``
    :param outbound: opens connections to a ``url``; without one only public addresses are reached
    :raises SetupError: what is given names no source, or options that do not exist
    """
    kinds = [kind for kind in SOURCES if kind in given]
    if len(kinds) != 1:
        raise SetupError(f"CRM {name!r}: say one of {', '.join(SOURCES)}")
    strange = set(given) - JOIN - {kinds[0]} - SOURCES[kinds[0]]
    if strange:
        raise SetupError(f"CRM {name!r}: there is no option {', '.join(sorted(strange))}")
    options = {option: given[option] for option in SOURCES[kinds[0]] if option in given}
    return Crm(
        name=name,
        source=_source(name, kinds[0], given[kinds[0]], options, outbound or Outbound()),
        id=given.get("id", ""),
        email=given.get("email", ""),
        traits=dict(given.get("traits") or {}),
        everyone=bool(given.get("everyone", False)),
    )


def crm_of(
    name: str,
    source: str | Path | Callable[..., Any] | Mapping[str, Any],
    options: Mapping[str, Any],
    outbound: Outbound | None = None,
) -> Crm:
    """The same, with the source said shortly: an address, a database's URL, a file or a callable."""
    if isinstance(source, Mapping):
        return declared_crm(name, {**source, **options}, outbound)
    if callable(source):
        return declared_crm(name, {"rows": source, **options}, outbound)
    text = str(source)
    kind = "url" if text.startswith(("http://", "https://")) else "sql" if "://" in text else "csv"
    return declared_crm(name, {kind: text, **options}, outbound)


def _source(name: str, kind: str, where: Any, options: Mapping[str, Any], outbound: Outbound) -> TraitSource:
    if kind == "rows":
        return CallableRows(where)
    if kind == "csv":
        return CsvRows(where)
    if kind == "url":
        return HttpRows(where, outbound=outbound, **options)
    if not options.get("query"):
        raise SetupError(f"CRM {name!r}: say what to select, query=...")
    return SqlRows(where, options["query"])
