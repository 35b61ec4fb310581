"""Placements: what each shows, on or off; change one, see it before saving, go back to what it was."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Response, request

from ....block.placements import LAYOUTS, MAX_SIZE, with_options
from ....errors import InputError, NotFoundError, SettingError
from ....ports import Change
from ....records import Placement, Strategy
from ....state import State
from ...parts import get_parts, get_state
from ..asking import read_asking, some_visitors
from ..changes import note_change
from ..forms import Form
from ..frame import address, back_to, current_person, page
from ..notices import Notice
from ..panel import Hit, Page, Panel
from ..roles import Role
from ..segmented import segment_choices
from ..slates import SlateView, preview

RUNGS = 4
"""Strategies that the form offers room for; a longer ladder keeps its tail."""
DAYS = 7
MOST_TRIED = 50
"""Percent of slates that may try a new product."""
FIELDS = (
    "title", "strategies", "size", "min_items", "layout", "enabled", "exclude_in_view", "allow_repeats", "exploration",
)  # fmt: skip
HINTS: Mapping[str, str] = {
    Strategy.RECOMMENDED_FOR_YOU: "what suits this visitor",
    Strategy.RELATED_PRODUCTS: "like what is in view",
    Strategy.FREQUENTLY_BOUGHT_TOGETHER: "bought with what is in view or in the cart",
    Strategy.TRENDING_ITEMS: "rising now",
    Strategy.BEST_SELLERS: "bought most",
    Strategy.RECENTLY_VIEWED: "what the visitor looked at",
    Strategy.BUY_IT_AGAIN: "what the visitor bought and may need again",
    Strategy.ON_SALE: "reduced now",
    Strategy.LIKELY_TO_BUY: "what the visitor will most probably buy within a week",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A placement as it stands; ``shown`` are slates of the last week, ``change`` the newest one of the console."""

    placement: Placement
    title: str
    switched_off_by: str
    change: Change | None
    shown: int


def rows(state: State) -> list[Row]:
    """Every placement."""
    now = time.time()
    counts = state.activity.slates(now - DAYS * 86400, now, 86400)
    changes = state.placements.changes.current()
    return [
        Row(
            placement,
            _title(placement),
            _off_by(state, placement),
            change if (change := changes.get(name)) and change.options else None,
            sum(counts.get(name, {}).values()),
        )
        for name, placement in state.placements.items()
    ]


def show() -> Response:
    """The list."""
    return page("placements.html", title="Placements", rows=rows(get_state()))


def show_one(name: str) -> Response:
    """One placement: its form and what it would show."""
    placement = _known(name)
    return _page(name, _values(placement), placement, {})


def save(name: str) -> Response:
    """Take the form: show what it would give, or save it."""
    state, form = get_state(), Form.sent()
    placement = _known(name)
    options = _options(form, placement)
    try:
        wanted = with_options(state.placements.declared[name], options)
    except SettingError as error:
        form.refuse(_field_of(error), error.remedy)
        wanted = placement
    if form.errors:
        return _page(name, form.values, placement, form.errors, status=422)
    if form.values.get("intent") == "preview":
        return _page(name, form.values, wanted, {}, unsaved=wanted != placement)
    return _change(name, _differing(state.placements.declared[name], wanted), "saved")


def switch(name: str) -> Response:
    """On or off at once."""
    state, placement = get_state(), _known(name)
    on = request.form.get("on") == "yes"
    wanted = msgspec.structs.replace(placement, enabled=on)
    return _change(name, _differing(state.placements.declared[name], wanted), "switched on" if on else "switched off")


def restore(name: str) -> Response:
    """Go back to what it was after an earlier change, or to what the code says."""
    _known(name)
    number = request.form.get("number", "")
    if number == "0":
        return _change(name, {}, "back to what the code says")
    history = get_state().placements.changes.history(name)
    change = next((change for change in history if str(change.number) == number), None)
    if change is None:
        raise NotFoundError("there is no such version", field="number")
    return _change(name, change.options, "restored")


def _change(name: str, options: Mapping[str, Any], what: str) -> Response:
    state = get_state()
    before = state.placements.changes.current().get(name)
    if options == (before.options if before else {}):
        return back_to(address("placements_show_one", name=name), Notice(text="Nothing was different.", kind="note"))
    state.placements.changes.change(name, options, who=current_person().name, now=time.time())
    state.placements.refresh()
    note_change("placement.changed", f"placement:{name}", before=before.options if before else {}, after=dict(options))
    notice = Notice(
        text=f"{name} is {what}. It shows within seconds.",
        undo_url=address("placements_restore", name=name),
        undo_fields={"number": str(before.number) if before else "0"},
    )
    return back_to(address("placements_show_one", name=name), notice)


def _known(name: str) -> Placement:
    placement: Placement | None = get_state().placements.get(name)
    if placement is None:
        raise NotFoundError(f"there is no placement {name}", field="name")
    return placement


def _page(
    name: str, values: Mapping[str, str], shown: Placement, errors: Mapping[str, str], *,
    unsaved: bool = False, status: int = 200,
) -> Response:  # fmt: skip
    state = get_state()
    asking = read_asking(state, request.args)
    return page(
        "placements_one.html",
        title=name,
        status=status,
        name=name,
        placement=_known(name),
        values=values,
        errors=errors,
        unsaved=unsaved,
        slate=_preview(state, name, shown) if not errors and not asking.errors else None,
        asking=asking,
        visitors=some_visitors(state),
        segments=segment_choices(state),
        strategies=[(str(strategy), f"{strategy}: {HINTS[strategy]}") for strategy in Strategy],
        rungs=range(max(RUNGS, len(_known(name).strategies))),
        layouts_told=[(layout, layout) for layout in LAYOUTS],
        most=MAX_SIZE,
        off_by=_off_by(state, _known(name)),
        history=state.placements.changes.history(name, 20),
        own_title=_title(shown),
    )


def _preview(state: State, name: str, placement: Placement) -> SlateView | None:
    try:
        return preview(state, read_asking(state, request.args), name, placement)
    except InputError:
        return None


def _values(placement: Placement) -> dict[str, str]:
    """The placement as fields of the form."""
    values = {f"strategy{place}": name for place, name in enumerate(placement.strategies)}
    texts = {name: str(getattr(placement, name)) for name in ("title", "size", "min_items", "layout")}
    flags = {name: "on" for name in ("enabled", "exclude_in_view", "allow_repeats") if getattr(placement, name)}
    return {**values, **texts, **flags, "exploration": f"{100 * placement.exploration:g}"}


def _options(form: Form, placement: Placement) -> dict[str, Any]:
    names = [str(strategy) for strategy in Strategy]
    ladder = []
    for place in range(max(RUNGS, len(placement.strategies))):
        chosen = form.values.get(f"strategy{place}", "")
        if chosen and chosen not in names:
            form.refuse(f"strategy{place}", "Choose one of the list")
        elif chosen in ladder:
            form.refuse(f"strategy{place}", "Name each strategy once")
        elif chosen:
            ladder.append(chosen)
    if not ladder:
        form.refuse("strategy0", "Choose at least one strategy")
    size = form.number("size", 1, MAX_SIZE)
    least = form.number("min_items", 1, MAX_SIZE)
    tried = form.decimal("exploration", 0, MOST_TRIED) / 100 if "exploration" in form.values else placement.exploration
    if not form.errors and least > size:
        form.refuse("min_items", f"Use at most the size, {size}")
    return {
        "title": form.text("title", most=120),
        "strategies": ladder or list(placement.strategies),
        "size": size,
        "min_items": min(least, size),
        "layout": form.choice("layout", LAYOUTS),
        "exploration": round(tried, 6),
        **{name: form.flag(name) for name in ("enabled", "exclude_in_view", "allow_repeats")},
    }


def _differing(declared: Placement, wanted: Placement) -> dict[str, Any]:
    """What must be laid over the code's placement to get this one."""
    found = {name: getattr(wanted, name) for name in FIELDS if getattr(wanted, name) != getattr(declared, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _field_of(error: SettingError) -> str:
    return next((name for name in FIELDS if f"'{name}'" in error.key), "title")


def _off_by(state: State, placement: Placement) -> str:
    """What switches it off, ``""`` when it is on."""
    if not state.settings.enabled:
        return "MTP_ENABLED"
    if placement.name in state.settings.placements_off:
        return "MTP_PLACEMENTS_OFF"
    return "" if placement.enabled else "console"


def _title(placement: Placement) -> str:
    """The heading that visitors read where the placement has none of its own."""
    return placement.title or get_parts().words.first(f"title.{placement.strategies[0]}")


def _find(state: State, query: str) -> list[Hit]:
    wanted = query.casefold()
    return [
        Hit(name, _title(placement), "placements_show_one", {"name": name})
        for name, placement in state.placements.items()
        if wanted in name or wanted in _title(placement).casefold()
    ]


PANEL = Panel(
    key="placements",
    title="Placements",
    group="Shop",
    pages=(
        Page("/", "show", show),
        Page("/<name>", "show_one", show_one),
        Page("/<name>", "save", save, "POST", Role.MERCHANDISER),
        Page("/<name>/switch", "switch", switch, "POST", Role.MERCHANDISER),
        Page("/<name>/restore", "restore", restore, "POST", Role.MERCHANDISER),
    ),
    count=lambda state: len(state.placements),
    find=_find,
)
