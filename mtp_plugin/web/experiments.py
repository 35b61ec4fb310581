"""``v1/experiments``: what is tested and what it says by now, for servers with a secret key."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import msgspec
from flask import Response, request
from msgspec import Meta

from ..errors import NotFoundError, UnauthorizedError
from ..experiments import About
from .errors import invalid
from .parts import get_state
from .sender import current_sender


class ExperimentQuery(msgspec.Struct, kw_only=True):
    """By what visitors are told apart."""

    part: Annotated[Literal["segment", "device"], Meta(description="Effects in parts of the visitors, by this.")] = (
        "segment"
    )


class ExperimentList(msgspec.Struct, kw_only=True, frozen=True):
    """All experiments, drafts too."""

    experiments: tuple[About, ...]


class ExperimentReport(msgspec.Struct, kw_only=True, frozen=True):
    """What an experiment says by now. Intervals are of relative effects: ``always`` holds at any look, ``once`` at the
    number of visitors that was planned. ``parts`` of an effect are drawn together, by segment or device.
    """

    about: About
    verdict: dict[str, Any]
    visitors: dict[str, int]
    saw_two_variations: int
    sample_ratio_p: float
    metrics: dict[str, dict[str, float | None]]
    effects: tuple[dict[str, Any], ...]
    factors: tuple[dict[str, Any], ...]
    part: str
    part_visitors: dict[str, int]
    part_names: dict[str, str]
    days: tuple[dict[str, Any], ...]


def read_experiments() -> Response:
    """Tell of all."""
    _only_servers()
    return _answer(ExperimentList(experiments=tuple(get_state().experiments.about(time.time()))))


def read_experiment(key: str) -> Response:
    """Tell what one says."""
    _only_servers()
    # A process that serves loads no statistics until somebody asks for them.
    from ..experiment_report import report

    state, now, query = get_state(), time.time(), _query()
    row = state.experiments.rows.get(key)
    if row is None:
        raise NotFoundError("there is no experiment of this key that has begun", field="key")
    about = next(one for one in state.experiments.about(now) if one.key == key)
    return _answer(ExperimentReport(about=about, **report(state, row, now, part=query.part)))


def _query() -> ExperimentQuery:
    try:
        return msgspec.convert(
            {name: request.args[name] for name in ("part",) if name in request.args}, ExperimentQuery
        )
    except msgspec.ValidationError as error:
        raise invalid(error) from None


def _only_servers() -> None:
    if current_sender().kind != "server":
        raise UnauthorizedError("experiments are told to servers only; show a key of MTP_SECRET_KEYS")


def _answer(body: msgspec.Struct) -> Response:
    response = Response(msgspec.json.encode(body), content_type="application/json")
    response.cache_control.no_store = True
    return response
