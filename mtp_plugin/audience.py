"""Who takes part in an experiment: its condition, over the facts that rules know."""

from __future__ import annotations

from collections.abc import Mapping

from .conditions import Condition, compile_condition
from .errors import ConditionError, SettingError
from .experiment.rows import KEY, Row
from .facts import FactReader, Subject, vocabulary
from .pipeline import Pipeline
from .records import SegmentRef, SlateRequest
from .rules.tree import leaves, parse


class Audiences:
    """Tells of each experiment whether the visitor of a request takes part.

    :param excluded: categories of which nothing is said of visitors
    :raises SettingError: a condition that asks for a fact that there is not
    """

    def __init__(self, rows: Mapping[str, Row], pipeline: Pipeline, excluded: tuple[str, ...] = ()) -> None:
        self._pipeline = pipeline
        self._asked: dict[str, tuple[Condition, FactReader]] = {}
        for key, row in rows.items():
            if row.when:
                try:
                    vocabulary().check(row.when)
                except ConditionError as error:
                    raise SettingError(f"{KEY}[{key!r}]['when']", row.when, str(error)) from None
                paths = {leaf.path for leaf in leaves(parse(row.when))}
                self._asked[key] = compile_condition(row.when), FactReader(paths, excluded=excluded)

    def __contains__(self, key: object) -> bool:
        return key in self._asked

    def holds(self, key: str, request: SlateRequest) -> bool:
        """Whether the condition of an experiment holds of a visitor; without one it does of everybody.

        :param request: with the visitor's profiles, consent level, context and cart; its placement does not matter
        """
        asked = self._asked.get(key)
        if asked is None:
            return True
        holds, reader = asked
        profile = self._pipeline.profile_of(request.profile_ids, request.consent_level, request.now)
        serving = self._pipeline.live.get()
        segment = serving.segments.assign(profile, request.context, request.now)
        about = self._pipeline.steering.about(serving, segment)
        return holds(reader.facts(Subject(request, profile, segment, serving.table, about, serving.likely)))

    def segment(self, request: SlateRequest) -> SegmentRef | None:
        """The segment that the visitor is in now."""
        profile = self._pipeline.profile_of(request.profile_ids, request.consent_level, request.now)
        return self._pipeline.live.get().segments.assign(profile, request.context, request.now)
