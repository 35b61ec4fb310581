"""What another policy would have earned, from a file of logged decisions; needs no application or database."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from ..bandit.off_policy import Log, Report, Target, compare
from ..errors import InputError
from .read import open_text

FORMATS = ("open-bandit",)
COLUMNS = ("item_id", "position", "click", "propensity_score")


def evaluate_policy(
    events: str, *, like: str = "", format: str = "open-bandit", level: float = 0.95, matters: float = 0.1
) -> dict[str, Any]:
    """Estimate what a policy would have earned where another one served.

    :param events: file of the one that served
    :param like: file of the one to judge, whose choices on average are read from its own log; uniform random if empty
    :param level: of the intervals
    :param matters: the smallest difference that matters, as part of what was earned
    :raises InputError: a file that cannot be read so
    """
    log = read_open_bandit(events)
    target, other = Target.uniform(log), None
    if like:
        other = read_open_bandit(like)
        target = target_like(log, other)
    report = as_data(compare(log, target, level=level, matters=matters))
    report["target"] = f"as in {like}" if like else "uniform random"
    if other is not None:
        # What it really earned when it served: a check that a shop seldom has.
        report["on_policy"] = as_data(compare(other, target_like(other, other), level=level))["logged"]
    return report


def read_open_bandit(path: str) -> Log:
    """A log in the layout of the Open Bandit Dataset (Saito et al. 2020), a row a product shown; rewards are clicks.

    :raises InputError: columns are missing or a value is none
    """
    try:
        rows = [
            (int(r["item_id"]), int(r["position"]), float(r["click"]), float(r["propensity_score"]))
            for r in _rows(path)
        ]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} lacks one of the columns {', '.join(COLUMNS)}", field="events") from error
    except (ValueError, OSError, EOFError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}", field="events") from error
    if not rows:
        raise InputError(f"{path} has no rows", field="events")
    item, position, click, propensity = (np.array(column) for column in zip(*rows, strict=True))
    if item.min() < 0 or position.min() < 1:
        raise InputError(f"{path}: item_id must be from 0, position from 1", field="events")
    return Log(click, propensity, item, int(item.max()) + 1, position=position, group=position - 1)


def _rows(path: str) -> Iterator[Mapping[str, str]]:
    with open_text(path) as file:
        yield from csv.DictReader(file)


def target_like(log: Log, other: Log) -> Target:
    """What the policy of another log did on average at each position, at the rows of this one.

    It is told by how often it took what: propensities of what was taken, averaged, would be too high wherever a policy
    that learns changed in its time.

    :raises InputError: there are products or positions in *log* alone
    """
    if other.n_actions < log.n_actions or other.n_groups < log.n_groups:
        raise InputError("the policy to judge must know all products and positions of the log", field="like")
    if other.n_actions > log.n_actions:
        raise InputError("the policy to judge knows products that the log never showed", field="like")
    counts = np.bincount(other.cells, minlength=other.n_groups * other.n_actions).reshape(-1, other.n_actions)
    return Target.dense((counts / np.maximum(counts.sum(1, keepdims=True), 1))[log.group])


def as_data(report: Report) -> dict[str, Any]:
    """A report as JSON has it; what has no end is null."""
    return {name: _finite(value) for name, value in asdict(report).items()}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
