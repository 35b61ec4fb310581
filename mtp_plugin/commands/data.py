"""``init``, ``import-catalog``, ``import-events``, ``rebuild``: what comes in from outside."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import click
from flask.cli import with_appcontext

from ..catalog.importer import import_file
from ..errors import NotFoundError, SetupError
from ..profile.enrich.join import Crm
from ..records import Event, ImportResult, RowError
from ..scheduled import import_declared, import_traits, learn_catalog
from ..state import State
from ..store.crm import declared_crm
from .base import answer, command, mounted, read_json, say

BATCH = 5000
SHOWN_ERRORS = 20
FILE = click.Path(exists=True, dir_okay=False)


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""

    @command(mtp, "init")
    @with_appcontext
    def init(as_json: bool) -> None:
        """Make the database and the model folder now instead of on first use."""
        state = mounted()
        found = {"events": state.journal.count(), "catalog_version": state.catalog_store.version()}
        answer(found, as_json, f"The stores are ready: {found['events']:,} events.")

    @command(mtp, "import-catalog")
    @click.argument("file", type=FILE, required=False)
    @click.option("--format", "format_", default="", help="Told by the file if not said.")
    @click.option("--mapping", type=FILE, help="JSON file: our field to the file's column.")
    @click.option("--strict", is_flag=True, help="Import nothing if any row is bad.")
    @click.option("--keep-missing", is_flag=True, help="Do not hide products that are not in the file.")
    @with_appcontext
    def import_catalog(
        file: str | None, format_: str, mapping: str | None, strict: bool, keep_missing: bool, as_json: bool
    ) -> None:
        """Import products from FILE, or from the catalogue that the shop declared; known ids are updated.

        Formats: csv, shopify, google-merchant, google-retail, online-retail.
        """
        state = mounted()
        result = _import(state, file, format_, mapping, strict, not keep_missing)
        for error in result.errors[:SHOWN_ERRORS]:
            say(f"line {error.line}: {error.field}: {error.reason}")
        if not (strict and result.errors):
            learn_catalog(state, say)
        answer(result, as_json, result.line())
        if strict and result.errors:
            sys.exit(1)

    @command(mtp, "import-events")
    @click.argument("file", type=FILE)
    @click.option("--format", "format_", default="", help="Told by the file if not said.")
    @click.option("--mapping", type=FILE, help="JSON file: our field to the file's column.")
    @with_appcontext
    def import_events(file: str, format_: str, mapping: str | None, as_json: bool) -> None:
        """Import history from FILE; the same file run twice counts once.

        Formats: csv, parquet, jsonl, online-retail.
        """
        from ..track.files import read_events

        state = mounted()
        reasons: dict[str, int] = {}
        added = repeated = 0
        zone = state.settings.time_zone
        rows = read_events(file, format=format_, mapping=read_json(mapping), time_zone=zone, now=time.time())
        for batch in _batches(_events(rows, reasons), BATCH):
            new = sum(state.pipeline.ingest(batch))
            added, repeated = added + new, repeated + len(batch) - new
            say(f"{added + repeated:,} events read, {added:,} new")
        skipped = sum(reasons.values())
        result = {"added": added, "repeated": repeated, "skipped": skipped, "reasons": reasons}
        line = f"{added:,} events imported, {repeated:,} known already, {skipped:,} rows skipped"
        answer(result, as_json, "\n".join([line, *_totals(reasons)]))

    @command(mtp, "import-traits")
    @click.argument("file", type=FILE, required=False)
    @click.option("--source", "sources", multiple=True, help="A declared CRM by name; may be repeated.")
    @click.option("--name", default="file", show_default=True, help="Of FILE, for the origin of its traits.")
    @click.option("--id", "id_", default="", help="Column of FILE with the account's id.")
    @click.option("--email", default="", help="Column of FILE with an e-mail address, or its hash.")
    @click.option("--traits", "traits_file", type=FILE, help="JSON file: our name of a trait to the file's column.")
    @click.option("--everyone", is_flag=True, help="Keep traits of accounts that were never seen here, too.")
    @with_appcontext
    def traits(sources: tuple[str, ...], as_json: bool, **given: Any) -> None:
        """Take traits of customers from a CSV FILE, or from the CRMs that are declared; without either from all."""
        state = mounted()
        results = [import_traits(state, crm, say) for crm in _crms(state, sources, **given)]
        for error in [error for result in results for error in result.errors][:SHOWN_ERRORS]:
            say(f"row {error.line}: {error.field}: {error.reason}")
        answer({"results": results}, as_json, "\n".join(result.line() for result in results))

    @command(mtp, "partition-events")
    @with_appcontext
    def partition_events(as_json: bool) -> None:
        """Keep events in a table a month from now on (PostgreSQL), so that old ones are dropped at once.

        Nothing is copied, but writers wait while PostgreSQL reads the table once and makes its new primary key. It
        cannot be undone by a command: back up before.
        """
        done = mounted().journal.partition(time.time())
        text = "Events are in a table a month now." if done else "They were already; months to come are there."
        answer({"partitioned": done}, as_json, text)

    @command(mtp, "rebuild")
    @with_appcontext
    def rebuild(as_json: bool) -> None:
        """Fold all profiles anew from the stored events."""
        count = mounted().pipeline.rebuild(progress=lambda done: say(f"{done:,} profiles"))
        answer({"profiles": count}, as_json, f"{count:,} profiles rebuilt")


def _crms(
    state: State, sources: tuple[str, ...], *, file: str | None, traits_file: str | None, id_: str, **join: Any
) -> list[Crm]:
    """The CRMs that a command names."""
    if file is not None:
        if sources:
            raise SetupError("give a FILE or --source, not both")
        given = {"csv": file, "id": id_, "traits": read_json(traits_file), **join}
        return [declared_crm(given.pop("name"), given)]
    if id_ or join["email"] or traits_file or join["everyone"]:
        raise SetupError("--id, --email, --traits and --everyone go with a FILE; a declared CRM says its own")
    if not state.crms:
        raise SetupError("no CRM is declared: give a FILE, set MTP_CRM or call mtp.crm(...)")
    unknown = [name for name in sources if name not in state.crms]
    if unknown:
        raise NotFoundError(f"there is no CRM {unknown[0]!r}; there are {', '.join(state.crms)}", field="source")
    return [state.crms[name] for name in sources or state.crms]


def _import(
    state: State, file: str | None, format_: str, mapping: str | None, strict: bool, hide_missing: bool
) -> ImportResult:
    if file is not None:
        return import_file(
            file,
            state.catalog_store,
            format=format_,
            mapping=read_json(mapping),
            currency=state.settings.currency,
            strict=strict,
            hide_missing=hide_missing,
            progress=lambda count: say(f"{count:,} products read"),
        )
    if format_ or mapping or strict or not hide_missing:
        raise SetupError(
            "--format, --mapping, --strict and --keep-missing go with a FILE; the declared catalogue has none"
        )
    return import_declared(state, say)


def _events(rows: Iterable[Event | RowError], reasons: dict[str, int]) -> Iterator[Event]:
    """The events; of the others the first few are shown and all are counted by reason."""
    for row in rows:
        if isinstance(row, Event):
            yield row
            continue
        reasons[row.reason] = reasons.get(row.reason, 0) + 1
        if sum(reasons.values()) <= SHOWN_ERRORS:
            say(f"line {row.line}: {row.field}: {row.reason}")


def _totals(reasons: dict[str, int]) -> list[str]:
    """How many rows were skipped for each reason, most first."""
    return [f"{count:>10,}  {reason}" for reason, count in sorted(reasons.items(), key=lambda row: (-row[1], row[0]))]


def _batches(rows: Iterator[Event], size: int) -> Iterator[list[Event]]:
    while batch := list(islice(rows, size)):
        yield batch
