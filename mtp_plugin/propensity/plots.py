"""Pictures of how good probabilities are, as PNG or SVG, drawn by matplotlib (the extra ``plots``) without a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import SetupError

Curve = Sequence[Mapping[str, float]]
COLORS, MARKERS = ("#0072b2", "#d55e00"), ("o", "s")


def plot_calibration(curves: Mapping[str, Curve], path: Path) -> None:
    """Of each tenth of the pairs, how probable a purchase was said to be, and how many bought.

    :param curves: by target, see :func:`mtp_plugin.propensity.learn.judge.curve`
    :raises SetupError: matplotlib is not installed, or the file cannot be written
    """
    figure = _figure()
    for axes, (place, (target, curve)) in zip(_axes(figure, len(curves)), enumerate(curves.items()), strict=True):
        said, done = ([one[name] for one in curve] for name in ("probability", "bought"))
        most = max([*said, *done, 1e-9]) * 1.05
        axes.plot([0, most], [0, most], color="#444444", linewidth=1, linestyle="--", label="as said")
        axes.plot(said, done, color=COLORS[place % 2], marker=MARKERS[place % 2], label=target)
        axes.set(title=f"Purchases of a {target}", xlabel="said to be probable", ylabel="share that bought")
        axes.legend(frameon=False)
    _save(figure, path, "Calibration of purchase propensity")


def plot_lift(curves: Mapping[str, Curve], path: Path) -> None:
    """How many times the mean each tenth of the pairs bought, the most probable first.

    :raises SetupError: as :func:`plot_calibration`
    """
    figure = _figure()
    for axes, (place, (target, curve)) in zip(_axes(figure, len(curves)), enumerate(curves.items()), strict=True):
        axes.bar(range(1, len(curve) + 1), [one["lift"] for one in curve], color=COLORS[place % 2])
        axes.axhline(1.0, color="#444444", linewidth=1)
        axes.set(title=f"Purchases of a {target}", xlabel="tenth, the most probable first", ylabel="times the mean")
    _save(figure, path, "Lift of purchase propensity")


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SetupError(
            "pictures are drawn by matplotlib, which is not installed: pip install 'mtp-plugin[plots]'"
        ) from error
    return Figure(figsize=(10, 4.5), layout="constrained")


def _axes(figure: Any, count: int) -> list[Any]:
    return list(figure.subplots(1, count, squeeze=False)[0])


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
