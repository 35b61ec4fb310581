"""Who takes part in an experiment: its condition, over the facts that rules know."""

from __future__ import annotations

from .conditions import Condition, compile_condition
from .errors import ConditionError, SettingError
from .experiment.rows import KEY, Row
from .experiments import LiveExperiments
from .facts import FactReader, Subject, vocabulary
from .pipeline import Pipeline
from .records import SegmentRef, SlateRequest
from .rules.tree import leaves, parse


def check_audience(row: Row) -> None:
    """Whether a condition can be asked.

    :raises SettingError: it asks for a fact that there is not
    """
    try:
        vocabulary().check(row.when)
    except ConditionError as error:
        raise SettingError(f"{KEY}[{row.key!r}]['when']", row.when, str(error)) from None


class Audiences:
    """Tells of each experiment whether the visitor of a request takes part.

    :param excluded: categories of which nothing is said of visitors
    :raises SettingError: a condition of the settings that asks for a fact that there is not
    """

    def __init__(self, experiments: LiveExperiments, pipeline: Pipeline, excluded: tuple[str, ...] = ()) -> None:
        self._experiments, self._pipeline, self._excluded = experiments, pipeline, excluded
        self._asked: dict[str, tuple[Row, Condition, FactReader]] = {}
        for row in experiments.declared.values():
            check_audience(row)

    def __contains__(self, key: object) -> bool:
        row = self._experiments.rows.get(str(key))
        return row is not None and bool(row.when)

    def holds(self, key: str, request: SlateRequest) -> bool:
        """Whether the condition of an experiment holds of a visitor; without one it does of everybody.

        :param request: with the visitor's profiles, consent level, context and cart; its placement does not matter
        """
        row = self._experiments.rows.get(key)
        if row is None or not row.when:
            return True
        holds, reader = self._compiled(row)
        profile = self._pipeline.profile_of(request.profile_ids, request.consent_level, request.now)
        serving = self._pipeline.live.get()
        segment = serving.segments.assign(profile, request.context, request.now)
        about = self._pipeline.steering.about(serving, segment)
        return holds(reader.facts(Subject(request, profile, segment, serving.table, about, serving.likely)))

    def _compiled(self, row: Row) -> tuple[Condition, FactReader]:
        known = self._asked.get(row.key)
        if known is None or known[0] is not row:
            reader = FactReader({leaf.path for leaf in leaves(parse(row.when))}, excluded=self._excluded)
            known = self._asked[row.key] = (row, compile_condition(row.when), reader)
        return known[1:]

    def segment(self, request: SlateRequest) -> SegmentRef | None:
        """The segment that the visitor is in now."""
        profile = self._pipeline.profile_of(request.profile_ids, request.consent_level, request.now)
        return self._pipeline.live.get().segments.assign(profile, request.context, request.now)
