"""Models: the versions of each kind, their figures, which one serves; switch to another, or roll back."""

from __future__ import annotations

from flask import Response, request

from ....errors import NotFoundError
from ....lineage import words_of
from ....ports import BundleInfo
from ....state import State
from ...parts import get_state
from ..changes import note_change
from ..frame import address, back_to, page
from ..notices import Notice
from ..panel import Page, Panel
from ..roles import Role
from ..tables import part_of

HELP = {
    "behaviour": "What shoppers do: what is looked at, put into the cart and bought together, or one after the other.",
    "content": "What products are like each other by their words.",
    "feedback": "What slates taught: how much each source, and the probability of a purchase, tells of clicks.",
    "propensity": "How probable it is that a shopper buys from a category, or a product, within a week.",
    "segments": "Groups of shoppers, and how a visitor is told to belong to one.",
}


def by_kind(state: State) -> dict[str, list[BundleInfo]]:
    """All versions, newest first."""
    found: dict[str, list[BundleInfo]] = {}
    for info in state.registry.list():
        found.setdefault(info.kind, []).append(info)
    return dict(sorted(found.items()))


def show() -> Response:
    """What serves, by kind."""
    kinds = [
        (kind, HELP.get(kind, ""), next((info for info in infos if info.current), None), _before(infos), len(infos))
        for kind, infos in by_kind(get_state()).items()
    ]
    return page("models.html", title="Models", kinds=kinds)


def show_kind(kind: str) -> Response:
    """All versions of one kind."""
    infos = by_kind(get_state()).get(kind)
    if not infos:
        raise NotFoundError(f"there is no model of the kind {kind}", field="kind")
    names = list(dict.fromkeys(name for info in infos for name in info.figures))
    return page("models_kind.html", title=f"{kind.capitalize()} model", kind=kind, part=part_of(infos), names=names,
                help=HELP.get(kind, ""), words_of=words_of)  # fmt: skip


def switch(kind: str) -> Response:
    """Let another version serve."""
    state, version = get_state(), request.form.get("version", "")
    infos = by_kind(state).get(kind, [])
    if version not in {info.version for info in infos}:
        raise NotFoundError(f"there is no version {version!r} of the {kind} model", field="version")
    before = state.registry.current(kind) or ""
    state.registry.activate(kind, version)
    state.pipeline.live.refresh()
    note_change("model.switched", f"model:{kind}", before=before, after=version)
    undo = {"version": before} if before and before != version else {}
    notice = Notice(
        text=f"{version} of the {kind} model serves now.",
        undo_url=address("models_switch", kind=kind) if undo else "",
        undo_fields=undo,
    )
    return back_to(address("models_show_kind", kind=kind), notice)


def _before(infos: list[BundleInfo]) -> BundleInfo | None:
    """The version before the one that serves: what rolling back goes to."""
    place = next((place for place, info in enumerate(infos) if info.current), None)
    return infos[place + 1] if place is not None and place + 1 < len(infos) else None


PANEL = Panel(
    key="models",
    title="Models",
    group="Engine",
    pages=(
        Page("/", "show", show),
        Page("/<kind>", "show_kind", show_kind),
        Page("/<kind>/switch", "switch", switch, "POST", Role.ADMINISTRATOR),
    ),
)
