"""What every book of segments promises."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.ports import MadeSegment, SegmentBook, SegmentChange, SegmentCount, SegmentMove, SegmentRefresh
from mtp_plugin.store.memory import MemorySegments
from mtp_plugin.store.open import Stores

from .conftest import DATABASES, settings_of

Open = Callable[[], SegmentBook]


@pytest.fixture(params=("memory", *DATABASES))
def books(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Open:
    """Opens the same book again, as another worker would."""
    if request.param == "memory":
        only = MemorySegments()
        return lambda: only
    settings = settings_of(request.param, request)
    return lambda: open_again(settings).segments


def made(segment_id: str, precedence: int = 100) -> MadeSegment:
    condition = {"profile.margin_affinity": {"$gte": 0.4}, "context.city": "Zürich"}
    return MadeSegment(
        segment_id=segment_id,
        name=f"Größe {segment_id}",
        condition=condition,
        precedence=precedence,
        created_at=1.5,
        changed_at=2.5,
    )


def refresh(version: str, at: float = 10.0) -> SegmentRefresh:
    return SegmentRefresh(
        version=version,
        refreshed_at=at,
        method="kmeans",
        visitors=90,
        segments=(SegmentCount(segment_id="s1", name="Watch browsers", size=90, stability=0.8),),
        moves=(SegmentMove("", "s1", 90),),
        changes=(SegmentChange(kind="new", before=(), after=("s1",)),),
        kept_id=None,
        drift={"orders": 0.25},
        figures={"silhouette": 0.5},
    )


def test_made_segments_come_in_order_of_precedence(books: Open) -> None:
    book, other = books(), books()
    assert book.made() == []
    for segment in (made("b"), made("a"), made("z", 1)):
        book.save(segment)
    assert other.made() == [made("z", 1), made("a"), made("b")]
    changed = msgspec.structs.replace(made("b"), enabled=False, precedence=0, condition={})
    other.save(changed)
    assert book.made()[0] == changed
    assert len(book.made()) == 3


def test_counts_are_noted_on_what_there_is(books: Open) -> None:
    book, other = books(), books()
    book.save(made("a"))
    book.counted({"a": 250, "gone": 3}, 99.5)
    assert other.made() == [msgspec.structs.replace(made("a"), size=250, counted_at=99.5)]


def test_deleted_is_gone(books: Open) -> None:
    book = books()
    book.save(made("a"))
    assert book.delete("a")
    assert not book.delete("a")
    assert not book.delete("\0")
    assert book.made() == []


def test_names_are_given_and_taken_back(books: Open) -> None:
    book, other = books(), books()
    book.rename("s1", "Uhrenfreunde")
    book.rename("s2", "x")
    book.rename("s1", "Freunde der Uhr")
    assert other.names() == {"s1": "Freunde der Uhr", "s2": "x"}
    book.rename("s2", "")
    assert other.names() == {"s1": "Freunde der Uhr"}


def test_each_change_is_seen_by_its_version(books: Open) -> None:
    book, other = books(), books()
    changes: list[Callable[[], object]] = [
        lambda: book.save(made("a")),
        lambda: book.rename("s1", "x"),
        lambda: book.record_refresh(refresh("1")),
        lambda: book.delete("a"),
    ]
    seen = [other.version()]
    for change in changes:
        change()
        seen.append(other.version())
    assert seen == sorted(set(seen))


def test_refreshes_come_back_newest_first(books: Open) -> None:
    book, other = books(), books()
    for number in range(4):
        book.record_refresh(refresh(str(number), number))
    assert other.refreshes(3) == [refresh("3", 3), refresh("2", 2), refresh("1", 1)]
    assert len(other.refreshes()) == 4


def test_members_are_replaced_with_their_refresh(books: Open) -> None:
    book, other = books(), books()
    book.record_refresh(refresh("1"), [(f"a:{n:03d}", f"s{n % 3}") for n in range(50)])
    assert [row for rows in other.members(batch=7) for row in rows] == [(f"a:{n:03d}", f"s{n % 3}") for n in range(50)]
    book.record_refresh(refresh("2"), iter([("a:ü", "s9"), ("a:1", "s1")]))
    book.record_refresh(refresh("3"))
    assert list(other.members()) == [[("a:1", "s1"), ("a:ü", "s9")]]


def test_a_visitor_is_forgotten(books: Open) -> None:
    book = books()
    book.record_refresh(refresh("1"), [("a:1", "s1"), ("a:2", "s1")])
    assert book.forget("a:1")
    assert not book.forget("a:1")
    assert not book.forget("\0")
    assert list(book.members()) == [[("a:2", "s1")]]


@pytest.mark.parametrize("kind", DATABASES)
def test_an_erased_visitor_is_in_no_segment(
    kind: str, request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]
) -> None:
    stores = open_again(settings_of(kind, request))
    stores.segments.record_refresh(refresh("1"), [("a:1", "s1"), ("a:2", "s1")])
    stores.journal.erase("a:1")
    assert list(stores.segments.members()) == [[("a:2", "s1")]]
