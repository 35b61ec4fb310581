"""``init``, ``import-catalog``, ``import-events``, ``rebuild``: what comes in from outside."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice

import click
from flask.cli import with_appcontext

from ..catalog.importer import import_file
from ..errors import SetupError
from ..records import Event, ImportResult, RowError
from ..scheduled import import_declared, learn_catalog
from ..state import State
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

    @command(mtp, "rebuild")
    @with_appcontext
    def rebuild(as_json: bool) -> None:
        """Fold all profiles anew from the stored events."""
        count = mounted().pipeline.rebuild(progress=lambda done: say(f"{done:,} profiles"))
        answer({"profiles": count}, as_json, f"{count:,} profiles rebuilt")


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
