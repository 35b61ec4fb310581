"""A made-up request: who, where, with what in view; read from an address, asked of the pipeline, shown as a form."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from ...records import ConsentLevel, Context, Profile, SlateRequest
from ...state import State
from ..sender import recorded_level

FIELDS = ("visitor", "segment", "product", "cart", "category")
PREFIXES = ("", "u:", "a:")
MOST = 200


@dataclass(slots=True)
class Asking:
    """What a form asks for; ``values`` are its fields as typed, ``errors`` what is wrong with them."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    profile: Profile | None = None
    level: ConsentLevel = ConsentLevel.NON_PERSONAL
    context: Context = field(default_factory=Context)

    @property
    def given(self) -> bool:
        """Whether anything was said at all."""
        return any(self.values.values())

    @property
    def context_given(self) -> bool:
        """Whether something of the moment was made up."""
        return any(value for name, value in self.values.items() if name.startswith("context."))

    def request(self, placement: str) -> SlateRequest:
        """The question to the pipeline."""
        who = (self.profile.profile_id,) if self.profile and self.level is ConsentLevel.FULL else ()
        return SlateRequest(
            placement=placement,
            now=time.time(),
            seed=zlib.crc32(who[0].encode()) if who else 0,
            consent_level=self.level,
            profile_ids=who,
            context=self.context,
            product_ids=_ids(self.values.get("product", "")),
            cart_ids=_ids(self.values.get("cart", "")),
            segment_id=self.values.get("segment", ""),
            private_facts=True,
            explain=True,
        )


def read_asking(state: State, source: Mapping[str, str]) -> Asking:
    """What *source*, such as the arguments of an address, asks for."""
    names = (*FIELDS, *(f"context.{name}" for name, _ in context_fields()))
    asking = Asking({name: source.get(name, "").strip()[:MOST] for name in names})
    values = asking.values
    if values["visitor"]:
        asking.profile = find_visitor(state, values["visitor"])
        if asking.profile is None:
            asking.errors["visitor"] = "No visitor is known by this id"
        else:
            asking.level = recorded_level(state, asking.profile.profile_id)
    _check_products(state, asking)
    _check_segment(state, asking)
    asking.context = _context(asking)
    if asking.level is ConsentLevel.NON_PERSONAL and (values["cart"] or asking.context != Context()):
        asking.level = ConsentLevel.CONTEXTUAL
    return asking


def find_visitor(state: State, name: str) -> Profile | None:
    """The profile of an account or browser, with or without the letter before its id."""
    found = state.journal.profiles([f"{prefix}{name}" for prefix in PREFIXES])
    return next((profile for profile in found if profile is not None), None)


def some_visitors(state: State, most: int = 8) -> list[str]:
    """Ids to try."""
    return list(islice(next(state.journal.profile_ids(batch=most), []), most))


CHOICES: Mapping[str, tuple[str, ...]] = {
    "device": ("mobile", "tablet", "desktop", "tv"),
    "daypart": ("night", "morning", "afternoon", "evening"),
    "weekday": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "urban": ("yes", "no"),
    "commuting": ("yes", "no"),
}
"""Values that a form offers to choose from."""


def context_fields() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The fields of a context that can be made up, each with what there is to choose from (nothing: any text)."""
    names = (found.name for found in msgspec.structs.fields(Context))
    return tuple((name, CHOICES.get(name, ())) for name in names if name not in ("category", "extra"))


def _context(asking: Asking) -> Context:
    """What was made up of the moment; what cannot be such a value is told at its field."""
    made: dict[str, Any] = {"category": asking.values["category"]}
    for found in msgspec.structs.fields(Context):
        text = asking.values.get(f"context.{found.name}", "")
        if not text:
            continue
        typed = {"yes": "true", "no": "false"}.get(text, text) if found.name in ("urban", "commuting") else text
        try:
            made[found.name] = msgspec.convert(typed, found.type, strict=False)
        except msgspec.ValidationError:
            asking.errors[f"context.{found.name}"] = "This is no such value"
    return Context(**made)


def _check_products(state: State, asking: Asking) -> None:
    index = state.pipeline.live.get().table.index
    for name in ("product", "cart"):
        unknown = [product for product in _ids(asking.values[name]) if product not in index]
        if unknown:
            asking.errors[name] = f"The catalogue has no {unknown[0]}"


def _check_segment(state: State, asking: Asking) -> None:
    name = asking.values["segment"]
    if name and state.pipeline.live.get().segments.find(name) is None:
        asking.errors["segment"] = "There is no such segment"


def _ids(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
