"""``segments``: find micro-segments among all visitors, read them, name them, write some by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from ..errors import InputError, NotFoundError
from ..ports import SegmentRefresh
from ..records import Segment
from ..segment.story import Migration, Story, compare, migration, readable, sentences, shown, story
from ..state import State
from . import segments_files, segments_written
from .base import answer, command, mounted, say


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    segments = click.Group("segments", help="Micro-segments: find them, read them, write some by hand.")
    mtp.add_command(segments)
    _register_reading(segments)
    segments_written.register(segments)
    segments_files.register(segments)

    @command(segments, "refresh")
    @click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
    @with_appcontext
    def refresh(seed: int, as_json: bool) -> None:
        """Find segments among all visitors and publish them; workers switch within seconds."""
        from ..segmenting import refresh_segments

        state, started = mounted(), time.time()
        version = refresh_segments(
            state.journal, state.registry, state.segments, state.settings, now=started, seed=seed, progress=say,
            likely=state.pipeline.live.get().likely,
        )  # fmt: skip
        found, told = state.pipeline.live.refresh().segments.all(), state.segments.refreshes(1)[0]
        seconds = round(time.time() - started, 1)
        lines = [*map(_line, found), *sentences(told, {})]
        body = {"version": version, "segments": found, "seconds": seconds, "changes": told.changes}
        answer(body | {"kept_id": told.kept_id, "drift": told.drift}, as_json, "\n".join(lines) or "No segments.")


def _register_reading(segments: click.Group) -> None:
    @command(segments, "list")
    @with_appcontext
    def list_segments(as_json: bool) -> None:
        """All segments, those written by hand first, in the order in which they are tried."""
        state = mounted()
        found = [_masked(one, state) for one in state.pipeline.live.refresh().segments.all()]
        answer(
            {"segments": found}, as_json, "\n".join(map(_line, found)) or "None yet: run `flask mtp segments refresh`."
        )

    @command(segments, "describe")
    @click.argument("segment_id")
    @with_appcontext
    def describe(segment_id: str, as_json: bool) -> None:
        """What sets SEGMENT_ID apart, a rule for it, how stable it is, who joined and who left."""
        state = mounted()
        names = {one.segment_id: one.name for one in state.pipeline.live.refresh().segments.all()}
        told = story(known(state, segment_id), state.segments.refreshes(), names, state.settings.segment_min_size)
        answer(told, as_json, _told(told, state.settings.segment_min_size))

    @command(segments, "compare")
    @click.option(
        "--back", default=1, show_default=True, type=click.IntRange(1), help="Refreshes to go back from the last."
    )
    @click.option("--to", default=0, show_default=True, type=click.IntRange(0), help="Of the later one: the same.")
    @with_appcontext
    def compare_refreshes(back: int, to: int, as_json: bool) -> None:
        """A refresh, the last one if no other is named, against an earlier one: sizes, splits, who moved, what drifted.

        Moves are told refresh by refresh: who was in which segment before that is not kept.
        """
        state = mounted()
        refreshes = state.segments.refreshes(back + 1)
        if len(refreshes) <= back:
            raise NotFoundError(
                f"there are {len(refreshes)} refreshes; going back {back} needs {back + 1}", field="back"
            )
        if to >= back:
            raise InputError(f"--to {to} is no later than --back {back}: the later refresh goes back less", field="to")
        names = {one.segment_id: one.name for one in state.pipeline.live.refresh().segments.all()}
        floor, before, last = state.settings.segment_min_size, refreshes[back], refreshes[to]
        changed, between = compare(before, last, names, floor), refreshes[to:back]
        moves = [migration(one, names, floor) for one in between]
        lines = [
            f"{one.segment_id:12} {_count(one.before, floor):>8} -> {_count(one.after, floor):>8}  {one.name}"
            for one in changed
        ]
        for refresh, moved in zip(between, moves, strict=True):
            lines += [*sentences(refresh, names), *_moved(moved)]
        steps = [
            {"version": one.version, "refreshed_at": one.refreshed_at, "migration": moved, "changes": one.changes,
             "kept_id": one.kept_id, "drift": one.drift}
            for one, moved in zip(between, moves, strict=True)
        ]  # fmt: skip
        body = {"before": before.version, "after": last.version, "segments": changed, "migration": moves[0]}
        more = {"changes": [one.changes for one in between], "kept_id": last.kept_id, "drift": last.drift}
        answer(body | more | {"steps": steps}, as_json, "\n".join(lines + _figures(last)))


def _moved(moved: Migration) -> list[str]:
    """Who changed segments at one refresh, in words."""
    day = time.strftime("%Y-%m-%d", time.gmtime(moved.at))
    went = [flow for flow in moved.flows if flow.before != flow.after]
    return [f"{day}: {flow.count:,} from {flow.before_name or 'none'} to {flow.after_name or 'none'}" for flow in went]


def known(state: State, segment_id: str) -> Segment:
    """The segment of this id.

    :raises NotFoundError: there is none
    """
    found = {one.segment_id: one for one in state.pipeline.live.refresh().segments.all()}
    if segment_id not in found:
        raise NotFoundError(f"there is no segment {segment_id!r}; see `flask mtp segments list`", field="segment_id")
    return found[segment_id]


def _masked(one: Segment, state: State) -> Segment:
    import msgspec

    visible = shown(one.size, state.settings.segment_min_size) is not None
    return one if visible else msgspec.structs.replace(one, size=0, share=0.0, lifts=())


def _count(size: int | None, floor: int) -> str:
    return f"{size:,}" if size is not None else f"<{floor}"


def _line(one: Segment) -> str:
    kind = "by hand" if one.kind == "written" else ""
    sizes = f"{one.size:8,} {one.share:6.1%}" if one.size else f"{'few':>8} {'':6}"
    return f"{one.segment_id:12} {sizes}  {one.name}{f'  ({kind})' if kind else ''}"


def _told(told: Story, floor: int) -> str:
    one = told.segment
    size = f"{one.size:,} visitors, {one.share:.1%}" if told.shown else f"fewer than {floor} visitors: no more is shown"
    lines = [f"{one.name} ({one.segment_id})", size]
    if told.stability:
        lines.append(f"{told.stability}: Jaccard {one.stability:.2f} under resampling")
    lines.append(f"rule: {readable(one.rule)}")
    if one.precision is not None:
        lines.append(f"  right for {one.precision:.0%} of those it picks, picks {one.recall or 0:.0%} of the members")
    for feature, inside, everyone, lift in told.apart:
        lines.append(f"  {feature}: {inside:.3g} here, {everyone:.3g} among all{f', {lift:.1f} times' if lift else ''}")
    lines += [f"joined from {flow.before_name or 'outside'}: {flow.count:,}" for flow in told.joined]
    lines += [f"left to {flow.after_name or 'nowhere'}: {flow.count:,}" for flow in told.left]
    return "\n".join([*lines, *told.changes])


def _figures(refresh: SegmentRefresh) -> list[str]:
    made = datetime.fromtimestamp(refresh.refreshed_at, UTC).strftime("%Y-%m-%d %H:%M")
    lines = [f"last refresh {made} UTC, {refresh.visitors:,} visitors"]
    if refresh.kept_id is not None:
        lines.append(f"{refresh.kept_id:.1%} of those who stayed with their group kept its id")
    return lines + [f"{name} moved: {value:.2f}" for name, value in refresh.drift.items()]
