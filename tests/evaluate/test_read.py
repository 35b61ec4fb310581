"""Files of sessions as other shops and data sets write them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mtp_plugin.errors import InputError
from mtp_plugin.evaluate.read import read_cases, read_sessions

HOUR = 3600.0
NOON = 1_600_000_000.0


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "times",
    [
        ("1600000000", "1600003600"),
        ("1600000000.000", "1600003600.000"),
        ("1600000000000", "1600003600000"),
        ("1600000000000000", "1600003600000000"),
        ("2020-09-13T12:26:40Z", "2020-09-13T13:26:40.000Z"),
        ("2020-09-13 12:26:40", "2020-09-13 13:26:40"),
        ("2020-09-13T14:26:40+02:00", "2020-09-13T15:26:40+02:00"),
    ],
)
def test_times_are_seconds_however_they_are_written(tmp_path: Path, times: tuple[str, str]) -> None:
    text = "SessionId\tItemId\tTime\n" + "".join(f"1\t{item}\t{time}\n" for item, time in zip("ab", times, strict=True))
    rows, timed = read_sessions(written(tmp_path / "clicks.txt", text))
    assert timed
    assert [(session, item) for session, item, _ in rows] == [("1", "a"), ("1", "b")]
    assert [time for _, _, time in rows] == pytest.approx([NOON, NOON + HOUR])


def test_places_are_not_times(tmp_path: Path) -> None:
    rows, timed = read_sessions(written(tmp_path / "a.csv", "session,item,seq\ns,a,0\ns,b,1\n"))
    assert not timed
    assert rows == [("s", "a", 0.0), ("s", "b", 1.0)]


@pytest.mark.parametrize(
    "text",
    [
        "session_id;item_id;timeframe\n7;p/1 ä;20\n7;q;10\n",
        "\ufeffSession,Item,Seq\n7,p/1 ä,20\n7,q,10\n",
        'session,item,seq,more\n7,"p/1 ä",20,x\n7,q,10,y\n\n',
    ],
)
def test_columns_are_found_by_name(tmp_path: Path, text: str) -> None:
    assert read_cases(written(tmp_path / "a.csv", text)) == [(["q"], "p/1 ä")]


def test_a_compressed_file_is_told_by_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(b"session,item,seq\ns,a,0\ns,b,1\n"))
    assert len(read_sessions(path)[0]) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"prefix,target\na b\n", "line 2: there is no target"),
        (b"prefix,target\n", "no place to predict"),
        (b"session,item,seq\ns,a,0\nt,b,0\n", "no place to predict"),
        (b"", "has no column 'session'"),
        (b"session,item\ns,a\n", "has no column 'time'|has no column 'seq'"),
        (b"session,item,time\ns,a,nan\n", "line 2: 'nan' is no time"),
        (b"session,item,time\ns,a,noon\n", "line 2"),
        (b"session,item,time\ns,a\n", "line 2: a column is missing"),
        (b"session,item,time\ns,\xff,1\n", "not UTF-8"),
        (gzip.compress(b"session,item,time\ns,a,1\n", mtime=0)[:-9], "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_test_file_is_said(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "test.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_cases(path)
    assert caught.value.field == "test"
