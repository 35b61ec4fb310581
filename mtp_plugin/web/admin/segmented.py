"""Segments as the console's forms offer them; a shop without segments offers none."""

from __future__ import annotations

from ...state import State


def segment_choices(state: State) -> list[tuple[str, str]]:
    """Id and name of each segment."""
    return [(segment.segment_id, segment.name) for segment in state.pipeline.live.get().segments.all()]
