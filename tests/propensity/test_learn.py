"""What is learnt: no future in it, planted habits found, the same arrays as the library's estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mtp_plugin.errors import SetupError, TooLittleError
from mtp_plugin.ports import Bundle
from mtp_plugin.propensity.features import DAY, Features
from mtp_plugin.propensity.learn.calibrate import calibrate
from mtp_plugin.propensity.learn.distil import fidelity
from mtp_plugin.propensity.learn.estimators import HIST, LIGHTGBM, LINEAR, MLP, XGBOOST, Fitted
from mtp_plugin.propensity.learn.examples import Examples, Plan, draw, examples
from mtp_plugin.propensity.learn.history import History
from mtp_plugin.propensity.learn.judge import calibration_error, figures
from mtp_plugin.propensity.learn.search import search
from mtp_plugin.propensity.learn.train import Learnt, learn
from mtp_plugin.propensity.model import Propensity
from mtp_plugin.records import Profile

from . import world

CUT = world.START + 6 * 7 * DAY


def learnt_from(people: world.People, now: float = world.NOW, **options: Any) -> Learnt:
    table, given = world.table(), world.options(**options)
    return learn(
        world.visitors(people), world.fold(table), table, now=now, options=given, progress=lambda text: None
    )  # fmt: skip


def opened(learnt: Learnt) -> Propensity:
    bundle = Bundle(
        kind="propensity", version="v1", arrays=learnt.arrays, strings=learnt.strings, meta=learnt.meta
    )  # fmt: skip
    return Propensity(bundle, world.table())


def profile_of(people: world.People, who: str, until: float) -> Profile:
    return world.fold(world.table())(None, tuple(event for event in people[who] if event.timestamp < until))


def features(people: world.People) -> Features:
    table = world.table()
    history = History.read(world.visitors(people), table, CUT)
    standing = history.standing(table, history.categories(table, 10, frozenset()), CUT)
    return Features(table, standing, half_life=14 * DAY, idle=1800.0)


def rows_at_cut(people: world.People) -> tuple[Examples, Examples]:
    made, table = features(people), world.table()
    plan = Plan((CUT,), lambda moment: made, 0, visits=False, seed=0)
    return examples(world.visitors(people), world.fold(table), table, plan)


FOREST, NEIGHBOURS = "sklearn.ensemble.RandomForestClassifier", "sklearn.neighbors.KNeighborsClassifier"


@pytest.fixture(scope="module")
def people() -> world.People:
    return world.people()


@pytest.fixture(scope="module")
def learnt(people: world.People) -> Learnt:
    return learnt_from(people, traits=("age",))


def same(a: Learnt, b: Learnt) -> bool:
    return (a.strings, a.arrays.keys()) == (b.strings, b.arrays.keys()) and all(
        np.array_equal(a.arrays[name], b.arrays[name], equal_nan=True) for name in a.arrays
    )


def test_another_future_changes_nothing_learnt_before_it(people: world.People) -> None:
    other = world.people(seed=2)
    swapped = {
        who: [one for one in events if one.timestamp < CUT] + [one for one in other[who] if one.timestamp >= CUT]
        for who, events in people.items()
    }
    assert same(learnt_from(people, CUT), learnt_from(swapped, CUT))
    assert not same(learnt_from(people), learnt_from(swapped)), "the test can tell"


def test_rows_of_a_cut_off_see_nothing_after_it(people: world.People) -> None:
    cut_short = {who: [one for one in events if one.timestamp < CUT] for who, events in people.items()}
    whole, short = rows_at_cut(people)[0], rows_at_cut(cut_short)[0]
    assert np.array_equal(whole.x, short.x, equal_nan=True)
    assert whole.y.sum() > 50
    assert not short.y.any()


def test_a_row_of_training_is_the_row_of_a_request(people: world.People) -> None:
    rows, products, made = *rows_at_cut(people), features(people)
    for place, who in enumerate(list(people)[:10]):
        visitor = made.visitor(profile_of(people, who, CUT), CUT)
        for kind, make in ((rows, made.categories), (products, made.products)):
            mine = kind.rows(kind.visitor == place)
            assert len(mine)
            assert np.array_equal(make(visitor, mine.code.astype(np.int64)), mine.x, equal_nan=True)


def test_pairs_that_are_drawn_stand_for_all_of_their_like() -> None:
    random = np.random.default_rng(5)
    chosen, y, weight = draw({3, 7}, {7, 11}, 1_000, 8, random)
    assert chosen[:3].tolist() == [3, 7, 11]
    assert y.tolist() == [False, True, True] + [False] * (len(chosen) - 3)
    assert weight[:3].tolist() == [1.0, 1.0, 1.0]
    assert len(chosen) > 8
    assert weight.sum() == pytest.approx(1_000)
    assert draw({3}, set(), 30, 8, random)[0].tolist() == list(range(30)), "so few are all taken"


def test_planted_habits_are_told(people: world.People, learnt: Learnt) -> None:
    told = opened(learnt)
    for who in ("u:v0", "u:v1", "u:v2", "u:v33"):
        own, profile = world.KINDS[int(who[3:]) % 3], profile_of(people, who, world.NOW)
        found = told.of_categories(profile, world.NOW)
        assert next(iter(found)) == f"Shop > {own}"
        assert found[f"Shop > {own}"] > 0.6
        assert all(value < 0.15 for name, value in found.items() if name != f"Shop > {own}")
        rows = np.array([told.features.table.index[f"{name.split(' > ')[1].lower()}-0"] for name in found])
        assert np.nanargmax(told.of_products(profile, rows, world.NOW)) == 0


def test_the_report_says_how_good_it_is(learnt: Learnt) -> None:
    said = learnt.meta["report"]["category"]
    assert said["roc_auc"] > 0.95
    assert said["log_loss"] < said["of_base_rate"]["log_loss"] / 2
    assert said["brier"] < said["of_base_rate"]["brier"] / 2
    assert sum(one["bought"] for one in said["curve"][:3]) > 10 * sum(one["bought"] for one in said["curve"][7:])
    assert said["importance"][0]["log_loss"] > 0.05
    assert learnt.strings["traits"] == ("age",)


def test_excluded_categories_are_not_told_of(people: world.People) -> None:
    learnt = learnt_from(people, excluded=frozenset({"Shop > Tea"}))
    assert "Shop > Tea" not in learnt.strings["categories"]
    assert not any(name.startswith("tea") for name in learnt.strings["products"])
    told = opened(learnt)
    rows = np.array([told.features.table.index["tea-0"], told.features.table.index["soap-0"]])
    found = told.of_products(profile_of(people, "u:v1", world.NOW), rows, world.NOW)
    assert np.isnan(found[0])
    assert found[1] > 0


def test_a_short_history_is_told_so(people: world.People) -> None:
    with pytest.raises(TooLittleError, match="35 days"):
        learnt_from(people, world.START + 20 * DAY)


@pytest.mark.parametrize("dotted", [HIST, LINEAR, MLP, XGBOOST, LIGHTGBM])
def test_arrays_say_what_the_estimator_says(dotted: str, people: world.People) -> None:
    pytest.importorskip(dotted.partition(".")[0], reason=f"{dotted} is not installed")
    rows = rows_at_cut(people)[0]
    fitted = Fitted(dotted, {"max_iter": 5} if dotted in (HIST, MLP) else {}, 1).fit(rows)
    exported = calibrate(fitted.export(), rows).estimator
    said = 1 / (1 + np.exp(-exported.scores(rows.x)))
    assert np.abs(said - fitted.probabilities(rows.x)).max() < 1e-6


@pytest.mark.parametrize("dotted", [FOREST, NEIGHBOURS])
def test_any_other_estimator_is_distilled(dotted: str, people: world.People) -> None:
    """Where it was not fitted on a visitor, its trees say what it says."""
    rows = rows_at_cut(people)[0]
    early = rows.rows(rows.visitor % 3 > 0)
    late = rows.rows(rows.visitor % 3 == 0)
    fitted = Fitted(dotted, {"n_estimators": 40} if dotted == FOREST else {"n_neighbors": 15}, 1).fit(early)
    assert not fitted.exact
    said = fitted.export().scores(late.x)
    assert fidelity(fitted.probabilities(late.x), said) > 0.5
    assert np.corrcoef(said, late.y)[0, 1] > 0.6, "it tells who buys"


def test_what_is_distilled_serves_and_the_report_says_how_alike_it_is(people: world.People) -> None:
    learnt = learnt_from(
        people, estimator=FOREST, params={"category": {"n_estimators": 20}, "product": {"n_estimators": 20}}
    )
    said = learnt.meta["report"]["category"]
    assert said["roc_auc"] > 0.9
    assert 0.5 < said["fidelity"] <= 1
    told = opened(learnt)
    assert next(iter(told.of_categories(profile_of(people, "u:v1", world.NOW), world.NOW))) == "Shop > Tea"


def test_an_estimator_that_fails_is_named(people: world.People) -> None:
    with pytest.raises(SetupError, match="SVC' cannot learn purchases"):
        Fitted("sklearn.svm.SVC", {}, 0).fit(rows_at_cut(people)[0])


@pytest.mark.parametrize("dotted", ["sklearn.svm.LinearSVC", "nowhere.XGBClassifier", "nonsense", "json.loads"])
def test_what_cannot_be_served_is_refused_before_anything_is_learnt(dotted: str, people: world.People) -> None:
    with pytest.raises(SetupError, match="MTP_PROPENSITY_ESTIMATOR"):
        learnt_from(people, estimator=dotted)


def test_the_search_halves_and_takes_what_does_best() -> None:
    random, count = np.random.default_rng(0), 4_000
    x = random.normal(size=(count, 3)).astype(np.float32)
    rows = Examples(
        x, x[:, 0] + random.normal(size=count) > 0.5, np.ones(count), random.integers(0, 4, count),
        random.integers(0, 400, count), np.zeros(count, dtype=np.int32),
    )  # fmt: skip
    params, tried = search(HIST, rows, tries=4, seed=0, progress=lambda text: None)
    first = [one for one in tried if one["rows"] == tried[0]["rows"]]
    assert len(first) == 4
    assert params == min(first, key=lambda one: float(one["log_loss"]))["params"]


def test_calibration_makes_probabilities_true() -> None:
    random, count = np.random.default_rng(4), 20_000
    logits = random.normal(size=count)
    y, none = random.random(count) < 1 / (1 + np.exp(-logits)), np.zeros(count, dtype=np.int32)
    rows = Examples(logits[:, None].astype(np.float32), y, np.ones(count), none, np.arange(count), none)
    fitted = Fitted(LINEAR, {"C": 1e-5}, 0).fit(rows)  # far too careful: all near the mean
    before, careful = fitted.probabilities(rows.x), rows.weight
    said = calibrate(fitted.export(), rows).probabilities(rows.x)
    # Of 20,000 draws a tenth has an error of about sqrt(0.25 / 2,000) = 0.011.
    assert calibration_error(y, said, careful) < 0.02 < 0.05 < calibration_error(y, before, careful)
    assert figures(y, said, careful)["log_loss"] < figures(y, before, careful)["log_loss"]
