"""Pictures of segments as PNG or SVG, drawn by matplotlib (the extra ``plots``) without a screen.

Segments are told apart by colour and by sign or number, so that no picture needs colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import SetupError
from .story import Migration, Point, Series, Story

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#5b3fa0", "#7f7f7f")
"""Okabe and Ito's, told apart by people who see few colours; darker where theirs are too light on white."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "h")
DASHES = ("-", "--", ":", "-.")
MOST = 12
"""Segments or flows in one picture; the rest is in the commands' output."""


def plot_map(points: Sequence[Point], names: Mapping[str, str], path: Path, method: str) -> None:
    """Visitors on a plane; each segment has its colour and its sign, and its id at its middle.

    :raises SetupError: matplotlib is not installed
    """
    figure = _figure(9, 6.5)
    axes = figure.subplots()
    ids = sorted({point.segment_id for point in points}, key=_by_number)
    for place, segment_id in enumerate(ids):
        mine = [point for point in points if point.segment_id == segment_id]
        xs, ys = [point.x for point in mine], [point.y for point in mine]
        label = f"{segment_id}  {names.get(segment_id, '')}"
        axes.scatter(xs, ys, s=14, alpha=0.6, color=_color(place), marker=_sign(place), linewidths=0, label=label)
        middle = sorted(xs)[len(xs) // 2], sorted(ys)[len(ys) // 2]
        axes.annotate(segment_id, middle, weight="bold", ha="center", va="center", bbox=_BOX)
    axes.set(xticks=[], yticks=[], title={"pca": "Principal components", "tsne": "t-SNE"}[method])
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    _save(figure, path, f"Map of {len(points)} visitors in {len(ids)} segments")


def plot_history(series: Sequence[Series], moved: Migration, path: Path) -> None:
    """Sizes over time above, the largest movements of the last refresh below."""
    figure = _figure(9, 8)
    above, below = figure.subplots(2, 1, height_ratios=[3, 2])
    for place, one in enumerate(series[:MOST]):
        known = [(datetime.fromtimestamp(size.at, UTC), size.size) for size in one.sizes if size.size]
        above.plot(
            [at for at, _ in known], [size for _, size in known], DASHES[place // len(COLORS) % len(DASHES)],
            color=_color(place), marker=_sign(place), label=f"{one.segment_id}  {one.name}",
        )  # fmt: skip
    above.set(title="Visitors of each segment", ylim=(0, None))
    above.tick_params(axis="x", labelsize=8)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    flows = [flow for flow in moved.flows if flow.before != flow.after][:MOST][::-1]
    labels = [f"{flow.before or 'outside'} → {flow.after or 'none'}" for flow in flows]
    below.barh(range(len(flows)), [flow.count for flow in flows], color=COLORS[0])
    below.set_yticks(range(len(flows)), labels, fontsize=8)
    below.set(title="Visitors who moved at the last refresh" if flows else "Nobody moved in numbers that may be shown")
    _save(figure, path, "Sizes of segments over time, and who moved")


def plot_story(told: Story, path: Path) -> None:
    """What sets one segment apart: each feature's mean here against everyone's."""
    figure = _figure(9, 5)
    axes = figure.subplots()
    rows = told.apart[::-1]
    ratios = [(inside / everyone if everyone else 0.0) for _, inside, everyone, _ in rows]
    colors = [COLORS[0] if ratio >= 1 else COLORS[1] for ratio in ratios]
    axes.barh(range(len(rows)), ratios, color=colors)
    axes.axvline(1.0, color="#444444", linewidth=1)
    axes.set_yticks(range(len(rows)), [feature for feature, *_ in rows], fontsize=8)
    for place, (_, inside, everyone, _) in enumerate(rows):
        axes.annotate(f" {inside:.3g} / {everyone:.3g}", (max(ratios[place], 0), place), va="center", fontsize=8)
    size = f"{told.segment.size:,} visitors, {told.segment.share:.1%}"
    axes.set(title=f"{told.segment.name}\n{size}, {told.stability or 'stability not known'}")
    axes.set_xlabel("times everyone's mean (here / everyone)")
    axes.margins(x=0.2)
    _save(figure, path, f"What sets {told.segment.name} apart")


_BOX = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "#444444", "alpha": 0.85}


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SetupError(
            "pictures are drawn by matplotlib, which is not installed: pip install 'mtp-plugin[plots]'"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path, title: str) -> None:
    """The same picture gives the same bytes: no date, no ids by chance."""
    import matplotlib as mpl

    svg = path.suffix.lower() == ".svg"
    metadata = {"Title": title, "Date": None} if svg else {"Title": title}
    with mpl.rc_context({"svg.hashsalt": "mtp", "svg.fonttype": "none"}):
        try:
            figure.savefig(path, format=path.suffix.lower()[1:], dpi=144, metadata=metadata)
        except OSError as error:
            raise SetupError(f"{path} cannot be written: {error}") from error


def _color(place: int) -> str:
    return COLORS[place % len(COLORS)]


def _sign(place: int) -> str:
    return MARKERS[place % len(MARKERS)]


def _by_number(segment_id: str) -> tuple[int, str]:
    return (int(segment_id[1:]), "") if segment_id[1:].isdecimal() else (1 << 30, segment_id)
