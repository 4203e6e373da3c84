"""Snapshots: kept side by side, exported for a colleague, and what a colleague's file may not do."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import struct
import zipfile
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop import snapshot_files
from desktop.market.database import StoreCorruptError
from desktop.snapshot import Mode
from desktop.snapshot_files import Parcel, SnapshotRefusedError, as_page, as_zip, read
from desktop.snapshots import (
    Album,
    SnapshotKnownError,
    SnapshotMissingError,
    SnapshotNotExportedError,
)

MOMENT = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
SAVED = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
NOTE = 'CPI cool <script>alert(1)</script> & "spread" +3.2 pp'


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(wide: int = 2, high: int = 2, grey: int = 0) -> bytes:
    """A picture as the PNG specification wants it, written by hand."""
    head = struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes([grey]) * 2 for _ in range(2))
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def figures(as_of: str = "2024-07-11T14:30:00Z", mode: str = "as_of") -> str:
    return json.dumps({"schema": 1, "mode": mode, "as_of": as_of, "ratio": {"value": 10.03}}, indent=2) + "\n"


WHOLE = Parcel(MOMENT, Mode.AS_OF, SAVED, NOTE, png(), figures())


@pytest.fixture
def album(tmp_path) -> Album:
    return Album(tmp_path / "mine")


# The list


def test_a_snapshot_is_two_files_and_a_record(album, tmp_path):
    assert album.all() == ()
    saved = album.keep(WHOLE)
    assert album.all() == (saved,)
    assert (saved.moment, saved.mode, saved.saved_at, saved.note, saved.origin) == (
        MOMENT, Mode.AS_OF, SAVED, NOTE, "",
    )  # fmt: skip
    folder = tmp_path / "mine" / "snapshots"
    assert sorted(one.name for one in folder.iterdir()) == [
        "2024-07-11T143000Z-as_of.json",
        "2024-07-11T143000Z-as_of.png",
    ]
    assert album.picture(saved).read_bytes() == png()
    assert json.loads(album.figures(saved).read_text())["ratio"] == {"value": 10.03}


def test_the_same_moment_twice_keeps_both(album):
    first, second = album.keep(WHOLE), album.keep(replace(WHOLE, picture=png(grey=9)))
    assert first.stem != second.stem
    assert album.picture(first).read_bytes() == png()
    assert album.picture(second).read_bytes() == png(grey=9)


def test_the_latest_moment_stands_first(album):
    early = album.keep(replace(WHOLE, moment=MOMENT - timedelta(days=1)))
    late = album.keep(WHOLE)
    assert album.all() == (late, early)


def test_a_note_is_changed_and_one_line_long(album):
    saved = album.keep(replace(WHOLE, note=""))
    assert album.set_note(saved.number, "  two\nlines\x00\t and a tab ").note == "two lines and a tab"
    assert album.all()[0].note == "two lines and a tab"
    assert len(album.set_note(saved.number, "x" * 5000).note) == 2000


def test_deleting_takes_files_and_record_even_where_a_file_is_gone(album):
    saved = album.keep(WHOLE)
    album.picture(saved).unlink()
    assert album.missing(saved) == ("2024-07-11T143000Z-as_of.png",)
    album.delete(saved)
    assert album.all() == ()
    assert not album.figures(saved).exists()


def test_a_note_for_what_was_deleted_is_told(album):
    saved = album.keep(WHOLE)
    album.delete(saved)
    with pytest.raises(SnapshotMissingError, match="it is gone"):
        album.set_note(saved.number, "too late")


def test_a_full_disk_leaves_neither_file_nor_record(album, monkeypatch):
    whole = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if ".json" in path.name:
            whole(path, content[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        album.keep(WHOLE)
    monkeypatch.undo()
    assert album.all() == ()
    assert list((album.picture(album.keep(WHOLE)).parent).glob("*.part")) == []


def test_a_book_that_cannot_be_written_leaves_no_files(album, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "book.sqlite").write_bytes(b"no database at all, but something else of some length" * 9)
    with pytest.raises(StoreCorruptError):
        album.keep(WHOLE)
    assert list((tmp_path / "mine" / "snapshots").iterdir()) == []


# For a colleague


@pytest.mark.parametrize("name", ["for you.zip", "for you.html", "FOR YOU.HTM"])
def test_a_colleague_gets_all_of_it(album, tmp_path, name):
    saved = album.keep(WHOLE)
    album.export(saved, tmp_path / name)
    theirs = Album(tmp_path / "theirs")
    got = theirs.bring_in(tmp_path / name)
    assert (got.moment, got.mode, got.saved_at, got.note, got.origin) == (MOMENT, Mode.AS_OF, SAVED, NOTE, name)
    assert theirs.picture(got).read_bytes() == png()
    assert json.loads(theirs.figures(got).read_text()) == json.loads(figures())


def test_the_page_is_self_contained_and_runs_nothing():
    page = as_page(WHOLE)
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert re.findall(r"(?:src|href)=\"(?!data:image/png;base64,)[^\"]*", page) == []
    assert "11 Jul 2024 10:30:00 ET" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_importing_twice_is_told(album, tmp_path):
    (tmp_path / "a.zip").write_bytes(as_zip(WHOLE))
    album.bring_in(tmp_path / "a.zip")
    with pytest.raises(SnapshotKnownError, match="11 Jul 2024 10:30:00 ET is in the list already"):
        album.bring_in(tmp_path / "a.zip")
    assert len(album.all()) == 1


def test_exporting_what_is_gone_names_the_file(album, tmp_path):
    saved = album.keep(WHOLE)
    album.figures(saved).unlink()
    with pytest.raises(SnapshotMissingError, match=r"2024-07-11T143000Z-as_of\.json: it is gone"):
        album.export(saved, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_exporting_as_something_else_is_refused(album, tmp_path):
    with pytest.raises(SnapshotNotExportedError, match=r"x.pdf: not exported: give a name that ends in .zip"):
        album.export(album.keep(WHOLE), tmp_path / "x.pdf")


# What is not to be trusted


def zipped(**parts: bytes) -> bytes:
    """The whole zip, with some parts in place of its own; a name of none is added."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(as_zip(WHOLE))) as good,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for name in good.namelist():
            content = parts.pop(name.partition(".")[0], good.read(name))
            if content:
                bad.writestr(name, content)
        for name, content in parts.items():
            bad.writestr(name, content)
    return made.getvalue()


def manifest(**told: object) -> bytes:
    with zipfile.ZipFile(io.BytesIO(as_zip(WHOLE))) as good:
        return json.dumps(json.loads(good.read("manifest.json")) | told).encode()


def of(picture: bytes) -> bytes:
    """A zip that agrees with itself on a picture."""
    return as_zip(replace(WHOLE, picture=picture))


BROKEN = {
    "nothing": (b"", "it is neither the zip nor the page"),
    "a csv": (b"Date,Close\n2024-07-11,1\n", "it is neither the zip nor the page"),
    "another page": (b"<!doctype html><p>hello</p>", "it is a page, but none of a snapshot"),
    "another zip": (zipped(**{"readme.txt": b"x"}), "it holds 'readme.txt', no part of a snapshot"),
    "a path that climbs": (zipped(**{"../../evil.sh": b"x"}), "it holds '../../evil.sh'"),
    "an absolute path": (zipped(**{"/etc/passwd": b"x"}), "it holds '/etc/passwd'"),
    "a part missing": (zipped(figures=b""), "a part is missing"),
    "half a zip": (as_zip(WHOLE)[:200], "the zip is damaged or locked"),
    "a bomb": (zipped(figures=b" " * 40_000_000), "figures.json is larger than 4 MB"),
    "no manifest": (zipped(manifest=b"[]"), "its manifest cannot be read"),
    "deep": (zipped(manifest=b"[" * 15_000), "its manifest cannot be read"),
    "of another program": (zipped(manifest=manifest(format="x")), "it is no snapshot of Rotation Monitor"),
    "of a later version": (
        zipped(manifest=manifest(format_version=2)),
        "a later version made it: format 2",
    ),
    "of no mode": (zipped(manifest=manifest(mode="best")), "it does not say whether it is of live prices"),
    "without zone": (zipped(manifest=manifest(moment="2024-07-11T10:30")), "its time 'moment' cannot be read"),
    "note of numbers": (zipped(manifest=manifest(note=7)), "its note cannot be read"),
    "numbers of another day": (
        zipped(figures=figures("2024-07-12T14:30:00Z").encode()),
        "its numbers are of another moment",
    ),
    "numbers with NaN": (zipped(figures=b'{"as_of": NaN}'), "the numbers cannot be read"),
    "letters of no code": (zipped(figures=b"\xff\xfe"), "it is no text in UTF-8"),
    "another picture": (zipped(picture=png(grey=1)), "its picture was changed after it was saved"),
    "a gif": (of(b"GIF89a" + b"0" * 40), "its picture is no PNG"),
    "half a picture": (of(png()[:-6]), "its picture is damaged"),
    "a bent picture": (of(png()[:40] + b"\0" + png()[41:]), "its picture is damaged"),
    "a huge picture": (of(png(50_000, 50_000)), "its picture is 50000 x 50000 pixels"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_file_is_refused_by_name_and_leaves_nothing(album, tmp_path, name):
    content, cause = BROKEN[name]
    path = tmp_path / "from a colleague.zip"
    path.write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SnapshotRefusedError) as refused:
        album.bring_in(path)
    assert str(refused.value).startswith(f"from a colleague.zip: not imported: {cause}")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_too_large_is_refused_without_reading_all_of_it(album, tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot_files, "MOST_FILE_BYTES", 1_000_000)
    (tmp_path / "big.zip").write_bytes(as_zip(WHOLE) + b"\0" * 1_000_000)
    with pytest.raises(SnapshotRefusedError, match="it is larger than 1 MB"):
        album.bring_in(tmp_path / "big.zip")


def test_a_file_that_is_not_there_is_told(album, tmp_path):
    with pytest.raises(FileNotFoundError):
        album.bring_in(tmp_path / "none.zip")


@given(at=st.integers(0, 2000), bits=st.integers(1, 255), page=st.booleans())
@example(at=519, bits=4, page=False)  # zipfile answers with an OSError
@example(at=699, bits=2, page=False)  # and here with a ValueError
def test_no_changed_byte_makes_another_snapshot(tmp_path_factory, at, bits, page):
    """Whatever one byte becomes, the file is refused by name or says what it said."""
    content = bytearray(as_page(WHOLE).encode() if page else as_zip(WHOLE))
    content[at % len(content)] ^= bits
    path = tmp_path_factory.getbasetemp() / "bent.zip"
    path.write_bytes(content)
    try:
        found = read(path)
    except SnapshotRefusedError:
        return
    assert (found.picture, found.mode) == (WHOLE.picture, WHOLE.mode)
    if not page:  # a page has no checksum of its words
        assert (found.moment, json.loads(found.figures)) == (WHOLE.moment, json.loads(WHOLE.figures))
