"""``segments``: exports and pictures."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from flask.cli import with_appcontext

from ..errors import InputError, NotFoundError
from ..segment.story import migration, points, sizes, story
from ..state import State
from .base import answer, command, mounted, say


def register(segments: click.Group) -> None:
    """Add these commands to the group."""
    _register_export(segments)

    @command(segments, "map")
    @click.argument("file", type=click.Path(dir_okay=False))
    @click.option(
        "--method", default="pca", show_default=True, type=click.Choice(["pca", "tsne"]), help="How it is flattened."
    )
    @with_appcontext
    def draw_map(file: str, method: str, as_json: bool) -> None:
        """Draw visitors on a plane into FILE (.png or .svg), each with the colour and the sign of its segment."""
        state = mounted()
        found = points(_bundle(state), method)
        if not found:
            raise NotFoundError("there is no map: run `flask mtp segments refresh`", field="method")
        from ..segment.plots import plot_map

        plot_map(found, _names(state), _picture(file), method)
        answer({"file": file, "method": method, "points": len(found)}, as_json, f"{len(found):,} visitors in {file}.")

    @command(segments, "history")
    @click.argument("file", type=click.Path(dir_okay=False))
    @click.option("--last", default=26, show_default=True, type=click.IntRange(1), help="Refreshes to show.")
    @with_appcontext
    def draw_history(file: str, last: int, as_json: bool) -> None:
        """Draw sizes over time, and who moved at the last refresh, into FILE (.png or .svg)."""
        state = mounted()
        refreshes, floor = state.segments.refreshes(last), state.settings.segment_min_size
        if not refreshes:
            raise NotFoundError("there was no refresh yet: run `flask mtp segments refresh`", field="last")
        from ..segment.plots import plot_history

        names = _names(state)
        plot_history(sizes(refreshes, names, floor), migration(refreshes[0], names, floor), _picture(file))
        answer({"file": file, "refreshes": len(refreshes)}, as_json, f"{len(refreshes)} refreshes in {file}.")

    @command(segments, "profile")
    @click.argument("segment_id")
    @click.argument("file", type=click.Path(dir_okay=False))
    @with_appcontext
    def draw_profile(segment_id: str, file: str, as_json: bool) -> None:
        """Draw what sets SEGMENT_ID apart into FILE (.png or .svg)."""
        from .segments import known

        state = mounted()
        told = story(
            known(state, segment_id), state.segments.refreshes(), _names(state), state.settings.segment_min_size
        )
        _refuse_small(state, told.shown)
        from ..segment.plots import plot_story

        plot_story(told, _picture(file))
        answer({"file": file, "segment_id": segment_id}, as_json, f"{told.segment.name} in {file}.")


def _register_export(segments: click.Group) -> None:
    @command(segments, "export")
    @click.option(
        "--members", "segment_id", default="", help="Profile ids of this segment's visitors at the last refresh."
    )
    @click.option(
        "--out", default="-", show_default=True, type=click.Path(dir_okay=False), help="The file; - is stdout."
    )
    @with_appcontext
    def export(segment_id: str, out: str, as_json: bool) -> None:
        """Write all segments as JSON lines, or one segment's members as CSV; none of fewer visitors than the floor."""
        state = mounted()
        rows = _members(state, segment_id) if segment_id else _segments(state)
        if as_json:
            answer({"members" if segment_id else "segments": list(rows)}, True, "")
            return
        if out == "-":
            written = _write(sys.stdout, rows, bool(segment_id))
        else:
            with open(out, "w", encoding="utf-8", newline="") as file:
                written = _write(file, rows, bool(segment_id))
        say(f"{written:,} rows written")


def _write(file: Any, rows: Iterator[Any], as_csv: bool) -> int:
    writer, count = csv.writer(file), 0
    if as_csv:
        writer.writerow(["profile_id"])
    for count, row in enumerate(rows, 1):  # noqa: B007
        if as_csv:
            writer.writerow([row])
        else:
            file.write(msgspec.json.encode(row).decode() + "\n")
    return count


def _segments(state: State) -> Iterator[Any]:
    floor = state.settings.segment_min_size
    return (one for one in state.pipeline.live.refresh().segments.all() if one.size >= floor)


def _members(state: State, segment_id: str) -> Iterator[str]:
    found = [who for batch in state.segments.members() for who, where in batch if where == segment_id]
    if not found and segment_id not in _names(state):
        raise NotFoundError(f"there is no segment {segment_id!r}", field="segment_id")
    _refuse_small(state, len(found) >= state.settings.segment_min_size)
    return iter(found)


def _refuse_small(state: State, visible: bool) -> None:
    if not visible:
        raise InputError(
            f"fewer than {state.settings.segment_min_size} visitors (MTP_SEGMENT_MIN_SIZE) were in it at the last "
            "refresh: it is not shown",
            field="segment_id",
            code="too-few",
        )


def _picture(file: str) -> Path:
    path = Path(file)
    if path.suffix.lower() not in (".png", ".svg"):
        raise InputError("a picture's name ends in .png or .svg", field="file")
    return path


def _names(state: State) -> dict[str, str]:
    return {one.segment_id: one.name for one in state.pipeline.live.refresh().segments.all()}


def _bundle(state: State) -> Any:
    bundles: Sequence[Any] = state.pipeline.live.refresh().bundles
    return bundles[2]
