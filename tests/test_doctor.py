"""`doctor`: a broken installation is looked at as it is, and no secret leaves it."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keyring.core
import numpy as np
import pytest
from keyring.backends import fail

from desktop import doctor
from desktop.book_file import open_book
from desktop.credentials import Credentials, Key
from desktop.doctor import Diagnosis, Finding, Level, Patient
from desktop.market.clock import Clock
from desktop.market.quotes import Bars, Closes, Interval
from desktop.market.store import FILE_NAME, SCHEMA_VERSION, Priority, Store
from desktop.redact import redact, secrets_of
from desktop.sources import remote
from desktop.sources.contract import Publisher
from desktop.sources.fred import FredCalendar
from desktop.sources.treasury import Treasury
from desktop.store_file import STORE
from tests.sources.alpaca_server import KEY_ID, SECRET, AlpacaServer, trade
from tests.sources.publisher_server import TREASURY, TREASURY_CSV, Hand, PublisherServer, good_pages, nothing
from tests.sources.publisher_server import Fault as PublisherFault
from tests.sources.yahoo_server import Fault, YahooServer, forget_client, quote_row
from tests.test_book_file import damage

NOW = datetime(2024, 7, 11, 14, 30, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "hünter2/geheim"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in (*doctor._PROXIES, *doctor._NO_PROXIES, *doctor._BUNDLES, *doctor._DISPLAY):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)  # whatever was chosen before
    monkeypatch.setattr(remote, "trouble", lambda: "")  # a second each; the command below starts a real child


@pytest.fixture
def server() -> Iterator[YahooServer]:
    forgetting = forget_client()
    next(forgetting)
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    with YahooServer() as one:
        for symbol, price in (("^RUT", 2125.04), ("^NDX", 20211.36)):
            one.quotes[symbol] = quote_row(symbol, price, int(NOW.timestamp()) - 5)
        yield one
        one.released.set()
    next(forgetting, None)


def offline(folder: Path) -> Patient:
    return Patient(folder, offline=True, clock=Hand(NOW))


def online(folder: Path, server: YahooServer, *, said: datetime | None = None, probe_s: float = 10.0) -> Patient:
    def session() -> Any:
        made = server.session()
        send = type(made).request.__get__(made)

        def request(*args: Any, **kwargs: Any) -> Any:
            response = send(*args, **kwargs)
            if said is not None:
                response.headers["Date"] = format_datetime(said, usegmt=True)
            return response

        vars(made)["request"] = request
        return made

    return Patient(folder, clock=Hand(NOW), session_factory=session, probe_s=probe_s)


def found(diagnosis: Diagnosis, section: str, what: str) -> Finding:
    (part,) = (part for part in diagnosis.sections if part.name == section)
    matching = [one for one in part.findings if one.what == what]
    assert matching, [one.what for one in part.findings]
    return matching[0]


def fill(folder: Path) -> None:
    days = np.array(["2024-07-09", "2024-07-10"], dtype="datetime64[D]")
    start_s = np.array([1720708200, 1720708260])  # 11 July 2024, 14:30 and 14:31 UTC
    price = np.array([201.0, 202.0])
    with Store(folder / FILE_NAME) as store:
        for symbol in ("^RUT", "^NDX", "AAPL", "MSFT"):
            store.put_closes(Closes(symbol, days, price), source="yahoo", priority=Priority.VENDOR)
        bars = Bars("IWM", Interval.MINUTE, start_s, price, price, price, price, np.ones(2))
        store.put_bars(bars, source="yahoo", priority=Priority.VENDOR)


# --- what works -------------------------------------------------------------------------------------------------


def test_all_is_well_with_a_filled_store_and_a_source_that_answers(tmp_path, server):
    fill(tmp_path)
    diagnosis = doctor.examine(online(tmp_path, server, said=NOW))
    assert diagnosis.usable, diagnosis.problems()
    # Whether this system keeps keys is not what is asked here.
    assert [part for part, _ in diagnosis.problems() if part != "keyring"] == []
    assert found(diagnosis, "store", "^RUT 1d").found == "2 rows, 2024-07-09 to 2024-07-10, yahoo"
    assert found(diagnosis, "store", "IWM 1m").found == "2 rows, 2024-07-11 14:30 to 2024-07-11 14:31, yahoo"
    assert found(diagnosis, "store", "2 more series").found == "4 rows, 2024-07-09 to 2024-07-10"
    assert found(diagnosis, "sources", "yahoo ^NDX").found.startswith("20,211.36 of 2024-07-11 14:29:55 UTC")
    told = found(diagnosis, "clock", "New York").found  # the clock goes on while sources are asked
    assert told.startswith("2024-07-11 10:30:"), told
    assert told.endswith(" EDT"), told
    assert found(diagnosis, "keyring", "back end").found.startswith("null Keyring")
    assert found(diagnosis, "display", "window").found == "can open"
    assert found(diagnosis, "libraries", "market").found.startswith("yfinance 1.7.0, curl_cffi 0.")


def test_the_probe_is_light_and_leaves_nothing_behind(tmp_path, server):
    doctor.examine(online(tmp_path / "absent", server))
    assert server.count("/v7/finance/quote") == 1
    assert server.count("/v8/") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_child_process_that_cannot_be_started_is_a_warning(tmp_path, monkeypatch):
    assert found(doctor.examine(offline(tmp_path)), "program", "child process").level is Level.OK
    monkeypatch.setattr(remote, "trouble", lambda: "works inside the program, which may stutter: not allowed")
    diagnosis = doctor.examine(offline(tmp_path))
    one = found(diagnosis, "program", "child process")
    assert (one.level, diagnosis.usable) == (Level.WARN, True)
    assert "not allowed" in one.found
    assert "virus scanner" in one.cure


def test_offline_asks_no_source(tmp_path, server):
    diagnosis = doctor.examine(offline(tmp_path))
    assert found(diagnosis, "sources", "yahoo").found == "not asked (--offline)"
    assert found(diagnosis, "clock", "against a server").found.startswith("not compared")
    assert diagnosis.usable


def test_text_is_aligned_and_says_what_to_do(tmp_path):
    lines = doctor.as_text(doctor.examine(offline(tmp_path))).splitlines()
    facts = [line for line in lines if line[:2] in ("  ", "! ", "X ") and not line.startswith("! store, ")]
    column = next(line.index("2024-07-11 14:30:00") for line in facts if line.startswith("  UTC"))
    inside = facts[: next(i for i, line in enumerate(facts) if line == "  none")]
    assert {line[column - 1] for line in inside} == {" "}
    assert all(line[column] != " " for line in inside)
    assert "! store, store: it fills with `refresh`, with `import FILE`, or when the window is open" in lines


# --- what is broken ---------------------------------------------------------------------------------------------


def test_a_damaged_store_is_told_and_left_as_it_is(tmp_path):
    damaged = b"this was a store once " * 500
    (tmp_path / FILE_NAME).write_bytes(damaged)
    diagnosis = doctor.examine(offline(tmp_path))
    store = found(diagnosis, "store", "store")
    assert (store.level, diagnosis.usable) == (Level.FAIL, False)
    assert "damaged" in store.found
    assert store.cure == "move this file away while no window is open: the next one begins a new one"
    assert (tmp_path / FILE_NAME).read_bytes() == damaged
    assert found(diagnosis, "display", "window").level is Level.OK  # the rest was looked at all the same


def test_a_page_damaged_in_the_middle_is_found(tmp_path):
    fill(tmp_path)
    path = tmp_path / FILE_NAME
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bars'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    store = found(doctor.examine(offline(tmp_path)), "store", "store")
    assert store.level is Level.FAIL
    assert "damaged" in store.found


def test_the_cure_of_a_store_damaged_where_nobody_read_yet_works(tmp_path):
    kept(tmp_path)
    path = tmp_path / FILE_NAME
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 16_384)
    store = found(doctor.examine(offline(tmp_path)), "store", "store")
    assert store.cure == "move this file away while no window is open: the next one opens the copy of 2024-07-11"
    path.rename(tmp_path / "moved away")
    opened, told = STORE.open(tmp_path, NOW)
    opened.close()
    assert told.endswith("the copy of 2024-07-11 is open")


def test_the_cure_of_a_store_whose_damage_was_met_is_a_window(tmp_path):
    kept(tmp_path)
    damage(tmp_path / FILE_NAME)
    (tmp_path / "rotation.sqlite.check").touch()
    store = found(doctor.examine(offline(tmp_path)), "store", "store")
    assert store.cure == "open the window anew: it keeps this file aside and opens the copy of 2024-07-11"


def test_a_store_of_a_later_version_is_named(tmp_path):
    fill(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    store = found(doctor.examine(offline(tmp_path)), "store", "store")
    assert (store.level, "99" in store.found) == (Level.FAIL, True)


def listing(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def kept(folder: Path) -> None:
    """A store and a book as two days of use leave them: with copies."""
    fill(folder)
    for day in range(2):
        now = NOW - timedelta(days=7 * (1 - day))
        open_book(folder, now)[0].close()
        with Store(folder / FILE_NAME) as store:
            STORE.keep_copy(store, folder, now)


def test_store_and_book_are_told_with_their_copies_and_nothing_is_touched(tmp_path):
    kept(tmp_path)
    before = listing(tmp_path)
    diagnosis = doctor.examine(offline(tmp_path))
    for section, schema in (("store", SCHEMA_VERSION), ("book", 1)):
        told = found(diagnosis, section, section)
        assert told.level is Level.OK
        assert told.found.startswith(f"{tmp_path / ('rotation' if section == 'store' else 'book')}.sqlite (")
        assert told.found.endswith(f", schema {schema}), every page can be read")
    copies = found(diagnosis, "store", "copies")
    assert copies.found == "rotation-2024-07-11.sqlite of 2024-07-11 and 1 older, back to 2024-07-04"
    assert (
        found(diagnosis, "book", "copies").found
        == "book-2024-07-11.sqlite of 2024-07-11 and 1 older, back to 2024-07-04"
    )
    assert listing(tmp_path) == before
    data = doctor.as_dict(diagnosis)["sections"]["book"]
    assert [one["day"] for one in data["copies"]] == ["2024-07-11", "2024-07-04"]


def test_a_window_that_is_open_meanwhile_is_not_disturbed(tmp_path):
    kept(tmp_path)
    book, _ = open_book(tmp_path, NOW)
    with book, Store(tmp_path / FILE_NAME) as store:
        day = np.array(["2024-07-11"], dtype="datetime64[D]")
        store.put_closes(Closes("^NDX", day, np.array([203.0])), source="yahoo", priority=Priority.VENDOR)
        before = set(listing(tmp_path))
        diagnosis = doctor.examine(offline(tmp_path))
        assert found(diagnosis, "store", "^NDX 1d").found == "3 rows, 2024-07-09 to 2024-07-11, yahoo"
        assert found(diagnosis, "book", "book").level is Level.OK
        assert set(listing(tmp_path)) == before


def test_a_damaged_book_is_told_with_the_copy_that_takes_its_place(tmp_path):
    kept(tmp_path)
    damage(tmp_path / "book.sqlite")
    (tmp_path / "book-2024-07-11.sqlite").write_bytes(b"spoilt")
    before = listing(tmp_path)
    diagnosis = doctor.examine(offline(tmp_path))
    book = found(diagnosis, "book", "book")
    assert (book.level, diagnosis.usable) == (Level.FAIL, False)
    assert "the file is damaged" in book.found
    copies = found(diagnosis, "book", "copies")
    assert copies.level is Level.WARN
    assert "the newest cannot be used: the file is damaged" in copies.found
    assert copies.cure == "delete book-2024-07-11.sqlite: it would be passed over"
    assert book.cure == "open the window anew: it keeps this file aside and opens the copy of 2024-07-04"
    assert listing(tmp_path) == before


def test_a_book_of_another_program_is_not_called_mendable(tmp_path):
    Store(tmp_path / "book.sqlite").close()
    book = found(doctor.examine(offline(tmp_path)), "book", "book")
    assert book.level is Level.FAIL
    assert "belongs to another program" in book.found
    assert "choose another --data-dir" in book.cure


def test_damaged_files_kept_aside_are_told_with_what_to_do(tmp_path):
    kept(tmp_path)
    damage(tmp_path / FILE_NAME)
    STORE.open(tmp_path, NOW)[0].close()
    diagnosis = doctor.examine(offline(tmp_path))
    aside = found(diagnosis, "store", "kept aside")
    assert (aside.level, diagnosis.usable) == (Level.WARN, True)
    assert aside.found.startswith("rotation.sqlite.damaged-2024-07-11T143000Z (")
    assert aside.cure.startswith("delete it once nothing is missed")


def test_damage_met_before_is_told_until_it_was_looked_into(tmp_path):
    kept(tmp_path)
    (tmp_path / "rotation.sqlite.check").write_text("database disk image is malformed")
    mark = found(doctor.examine(offline(tmp_path)), "store", "mark")
    assert (mark.level, "damage was met before" in mark.found) == (Level.WARN, True)
    assert "open the window anew" in mark.cure


def test_a_file_that_is_gone_is_told_with_the_copy_that_comes_back(tmp_path):
    kept(tmp_path)
    (tmp_path / "book.sqlite").unlink()
    diagnosis = doctor.examine(offline(tmp_path))
    book = found(diagnosis, "book", "book")
    assert (book.level, book.found) == (Level.WARN, f"{tmp_path / 'book.sqlite'} is gone")
    assert book.cure == "open the window: it opens the copy of 2024-07-11"
    assert not (tmp_path / "book.sqlite").exists()


def test_an_old_store_is_told_and_not_migrated(tmp_path):
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.executescript((ROOT / "tests" / "samples" / "store-schema-1.sql").read_text(encoding="utf-8"))
    before = listing(tmp_path)
    store = found(doctor.examine(offline(tmp_path)), "store", "store")
    assert store.level is Level.OK
    assert f"schema 1 of {SCHEMA_VERSION}, brought up to date when the window opens" in store.found
    assert listing(tmp_path) == before


def test_a_folder_that_is_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    diagnosis = doctor.examine(offline(tmp_path / "file"))
    data = found(diagnosis, "folders", "data")
    assert (data.level, "is no folder" in data.found, "--data-dir" in data.cure) == (Level.FAIL, True, True)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such mode")
def test_a_folder_that_may_not_be_written_is_told(tmp_path, monkeypatch):
    if os.geteuid() == 0:  # root writes everywhere: let the system refuse in the same words
        monkeypatch.setattr("tempfile.TemporaryFile", _refused)
    else:
        tmp_path.chmod(0o500)
    data = found(doctor.examine(offline(tmp_path)), "folders", "data")
    tmp_path.chmod(0o700)
    assert data.level is Level.FAIL
    assert "cannot be written (Permission denied)" in data.found


def _refused(**_where: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=5_000_000))
    data = found(doctor.examine(offline(tmp_path)), "folders", "data")
    assert (data.level, "5.0 MB free" in data.found) == (Level.WARN, True)


def test_broken_settings_are_told_and_stay(tmp_path):
    (tmp_path / "settings.toml").write_text("theme = = 3")
    settings = found(doctor.examine(offline(tmp_path)), "folders", "settings")
    assert settings.level is Level.WARN
    assert (tmp_path / "settings.toml").read_text() == "theme = = 3"


@pytest.mark.parametrize(
    ("fault", "words", "cure"),
    [
        (Fault.RATE_LIMITED, "rate limited", "wait"),
        (Fault.DROPPED, "offline", "check network, proxy and certificate settings"),
    ],
)
def test_a_source_that_refuses_is_told_in_words(tmp_path, server, fault, words, cure):
    server.faults["/v"] = fault
    diagnosis = doctor.examine(online(tmp_path, server))
    source = found(diagnosis, "sources", "yahoo")
    assert (source.level, diagnosis.usable) == (Level.FAIL, False)
    assert source.found.startswith(words)
    assert cure in source.cure


def test_a_source_that_hangs_is_given_up(tmp_path, server):
    server.faults["/v"] = Fault.HANG
    source = found(doctor.examine(online(tmp_path, server, probe_s=0.5)), "sources", "yahoo")
    assert source.level is Level.FAIL
    assert "timeout" in source.found or "no answer within" in source.found


@pytest.mark.parametrize(
    ("off_s", "level", "told"),
    [(31, Level.WARN, "31 s behind"), (20, Level.OK, "20 s behind"), (-90, Level.WARN, "90 s ahead of")],
)
def test_a_clock_that_is_off_is_told(tmp_path, server, off_s, level, told):
    # The header tells whole seconds; half of one is added, and the call itself takes a little.
    diagnosis = doctor.examine(online(tmp_path, server, said=NOW + timedelta(seconds=off_s)))
    clock = found(diagnosis, "clock", "against a server")
    assert clock.level is level
    seconds, way = told.split(" s ")
    assert abs(float(clock.found.split()[0]) - float(seconds)) <= 1.5
    assert f" s {way} " in clock.found
    assert diagnosis.usable


def test_a_keyring_that_hangs_does_not_hold_up_the_rest(tmp_path, monkeypatch):
    import keyring

    released = threading.Event()
    monkeypatch.setattr(keyring, "get_keyring", released.wait)
    try:
        patient = Patient(tmp_path, offline=True, clock=Hand(NOW), keyring_s=0.05)
        back_end = found(doctor.examine(patient), "keyring", "back end")
    finally:
        released.set()
    assert (back_end.level, back_end.found) == (Level.WARN, "no answer within 0.05 s")


def test_no_keyring_is_a_warning(tmp_path, monkeypatch):
    import keyring
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring, "get_keyring", Keyring)
    back_end = found(doctor.examine(offline(tmp_path)), "keyring", "back end")
    assert (back_end.level, back_end.found) == (Level.WARN, "none on this system")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there a display can lack")
@pytest.mark.parametrize(("display", "level"), [(None, Level.WARN), (":97", Level.FAIL)])
def test_a_display_that_is_set_must_work(tmp_path, monkeypatch, display, level):
    monkeypatch.delenv("QT_QPA_PLATFORM")
    if display:
        monkeypatch.setenv("DISPLAY", display)
    window = found(doctor.examine(offline(tmp_path)), "display", "window")
    assert window.level is level
    assert "Xvfb" in window.cure


def test_missing_libraries_and_time_zones_are_named(tmp_path, monkeypatch):
    def gone(*_name: object) -> None:
        raise ImportError("libGL.so.1: cannot open shared object file")

    def no_zone(key: str) -> None:
        raise LookupError(f"No time zone found with key {key}")

    monkeypatch.setattr("importlib.metadata.version", _no_metadata)
    monkeypatch.setattr("importlib.import_module", gone)
    monkeypatch.setattr(doctor, "ZoneInfo", no_zone)
    diagnosis = doctor.examine(offline(tmp_path))
    assert "numpy missing" in found(diagnosis, "libraries", "numbers").found
    assert found(diagnosis, "clock", "New York").level is Level.FAIL
    assert not diagnosis.usable


def _no_metadata(name: str) -> str:
    from importlib.metadata import PackageNotFoundError

    raise PackageNotFoundError(name)


def test_a_part_that_fails_as_nobody_expected_leaves_the_rest(tmp_path, monkeypatch):
    def broken() -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(doctor, "_display", broken)
    diagnosis = doctor.examine(offline(tmp_path))
    assert "ZeroDivisionError: of all things" in found(diagnosis, "display", "display").found
    assert found(diagnosis, "program", "version").level is Level.OK


# --- network settings -------------------------------------------------------------------------------------------


def test_the_certificate_bundle_in_use_is_examined(tmp_path, monkeypatch):
    good = tmp_path / "ca.pem"
    good.write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(good))
    assert found(doctor.examine(offline(tmp_path)), "network", "certificates (SSL_CERT_FILE)").level is Level.OK
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    diagnosis = doctor.examine(offline(tmp_path))
    bundle = found(diagnosis, "network", "certificates (REQUESTS_CA_BUNDLE)")
    assert bundle.level is Level.FAIL
    assert "No such file" in bundle.found
    assert "REQUESTS_CA_BUNDLE" in bundle.cure
    assert found(diagnosis, "network", "not used").found == f"SSL_CERT_FILE = {good}"


def test_a_bundle_without_certificates_or_with_a_strange_path_is_told(tmp_path, monkeypatch):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    strange = tmp_path / "zertifikäte.pem"
    strange.write_text("-----BEGIN CERTIFICATE-----")
    monkeypatch.setenv("CURL_CA_BUNDLE", str(empty))
    assert found(doctor.examine(offline(tmp_path)), "network", "certificates (CURL_CA_BUNDLE)").level is Level.FAIL
    monkeypatch.setenv("CURL_CA_BUNDLE", str(strange))
    bundle = found(doctor.examine(offline(tmp_path)), "network", "certificates (CURL_CA_BUNDLE)")
    assert bundle.level is (Level.FAIL if sys.platform == "win32" else Level.WARN)
    assert "ASCII" in bundle.found


# --- secrets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_json", [False, True])
def test_no_secret_is_told(tmp_path, monkeypatch, capsys, as_json):
    from urllib.parse import quote

    coded = quote(PASSWORD, safe="")
    monkeypatch.setenv("HTTPS_PROXY", f"http://jo.doe:{coded}@proxy.example:3128")
    monkeypatch.setenv("http_proxy", "jo.doe:s3cr3t-two@proxy.example:3128")
    monkeypatch.setenv("ALPACA_API_KEY", "PKLONGKEYVALUE123")
    (tmp_path / doctor.LOG_NAME).write_text(
        f"2024-07-11 10:00:00,000 ERROR MainThread desktop: via http://jo.doe:{coded}@proxy.example:3128/ failed\n"
        f"2024-07-11 10:00:01,000 WARNING MainThread desktop: password was {PASSWORD}\n"
        "2024-07-11 10:00:02,000 WARNING MainThread desktop: GET https://x.example/q?api_key=abc123def&id=7\n"
        "2024-07-11 10:00:03,000 WARNING MainThread desktop: Authorization: Bearer eyJhbGciOi.payload.sign\n"
        "2024-07-11 10:00:04,000 WARNING MainThread desktop: header PKLONGKEYVALUE123 refused\n",
        encoding="utf-8",
    )
    doctor.run(offline(tmp_path), as_json=as_json)
    out, err = capsys.readouterr()
    if as_json:
        out = json.dumps(json.loads(out), ensure_ascii=False)
    for secret in (
        PASSWORD,
        coded,
        "hünter2",
        "geheim",
        "s3cr3t",
        "PKLONGKEY",
        "abc123def",
        "eyJhbGciOi",
        "jo.doe",
    ):
        assert secret not in out + err, secret
    assert out.count("proxy.example:3128") >= 2
    assert "id=7" in out


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://u:p@h.example/a?b=1", "https://***@h.example/a?b=1"),
        ("https://u:p/w@rd@h.example/a", "https://***@h.example/a"),
        ("jo:p@proxy:3128 refused", "***@proxy:3128 refused"),
        ("https://h.example:443/users/@jo", "https://h.example:443/users/@jo"),
        ("http://token@h.example", "http://***@h.example"),
        ("socks5h://u:p@[::1]:1080", "socks5h://***@[::1]:1080"),
        ("?apikey=abc&crumb=xyz&symbol=^RUT", "?apikey=***&crumb=***&symbol=^RUT"),
        ('{"password": "p w", "a": 1}', '{"password": ***, "a": 1}'),
        ("Cookie: A3=d; B=e", "Cookie: ***"),
        ("Proxy-Authorization: Basic dXNlcjpwYXNz", "Proxy-Authorization: ***"),
        ("answered Bearer abcdefgh12345", "answered Bearer ***"),
        ("mail jo@example.com at 10:30:00", "mail jo@example.com at 10:30:00"),
        ("^RUT 1d: 2 rows, back end keyring: none", "^RUT 1d: 2 rows, back end keyring: none"),
        ("no key is needed for Yahoo", "no key is needed for Yahoo"),
    ],
)
def test_redaction(text, clean):
    assert redact(text) == clean


def test_secrets_of_an_environment():
    environment = {
        "HTTPS_PROXY": "http://jo:long-enough@h:1", "MY_TOKEN": "abcdefgh", "PWD": "/work", "PATH": "/bin",
        "SHORT_TOKEN": "1", "no_proxy": "localhost",
    }  # fmt: skip
    assert secrets_of(environment) == {"long-enough", "jo:long-enough", "abcdefgh"}


# --- the log ----------------------------------------------------------------------------------------------------


def test_the_last_twenty_troubles_of_the_log_are_told(tmp_path):
    entries = [f"2024-07-11 10:{n:02d}:00,000 WARNING Thread-1 (work) desktop.feed: number {n}" for n in range(25)]
    entries.insert(20, "2024-07-11 10:20:30,000 INFO MainThread desktop: all is well")
    entries += [
        "2024-07-11 10:30:00,000 ERROR MainThread desktop.app: unexpected",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in <module>',
        "ValueError: the last line says it",
    ]
    (tmp_path / doctor.LOG_NAME).write_bytes(("\n".join(entries) + "\n").encode() + b"\xff\xfe broken bytes\n")
    log = doctor.examine(offline(tmp_path)).log
    assert len(log) == 20
    assert "number 6" in log[0]
    assert not any("all is well" in line for line in log)
    assert log[-1].startswith("2024-07-11 10:30:00,000 ERROR MainThread desktop.app: unexpected | ")


def test_the_older_log_file_counts_too(tmp_path):
    (tmp_path / f"{doctor.LOG_NAME}.1").write_text("2024-07-10 10:00:00,000 ERROR MainThread a: older\n")
    (tmp_path / doctor.LOG_NAME).write_text("2024-07-11 10:00:00,000 ERROR MainThread a: newer\n")
    log = doctor.examine(offline(tmp_path)).log
    assert [line.rsplit(" ", 1)[1] for line in log] == ["older", "newer"]


# --- Alpaca -----------------------------------------------------------------------------------------------------


@pytest.fixture
def alpaca() -> Iterator[AlpacaServer]:
    with AlpacaServer() as one:
        one.trades["IWM"] = trade(205.5, NOW - timedelta(seconds=2))
        yield one


def with_key(patient: Patient, server: AlpacaServer, secret: str = SECRET) -> Patient:
    keys = Credentials(5.0, fail.Keyring)
    keys.set(Key.ALPACA_ID, KEY_ID)
    keys.set(Key.ALPACA_SECRET, secret)
    return replace(patient, keys=keys, vendor_session=server.session)


def test_alpaca_that_works_tells_a_price_after_one_request(tmp_path, server, alpaca):
    one = found(doctor.examine(with_key(online(tmp_path, server), alpaca)), "sources", "alpaca")
    assert (one.level, one.found) == (Level.OK, "works: IWM 205.50, traded Thu 11 Jul 10:29 ET")
    assert len(alpaca.requests) == 1


def test_alpaca_without_a_key_is_not_asked(tmp_path, server):
    one = found(doctor.examine(online(tmp_path, server)), "sources", "alpaca")
    assert (one.level, one.found) == (Level.OK, "not asked (no key)")
    assert found(doctor.examine(offline(tmp_path)), "sources", "alpaca").found == "not asked (--offline)"


def test_alpaca_that_refuses_the_key_says_where_to_enter_the_right_one(tmp_path, server, alpaca):
    patient = with_key(online(tmp_path, server), alpaca, secret="wr0ngwr0ngwr0ng")
    diagnosis = doctor.examine(patient)
    one = found(diagnosis, "sources", "alpaca")
    assert one.level is Level.WARN
    assert one.found.startswith("key refused: ")
    assert "Vendor keys" in one.cure
    assert diagnosis.usable  # nobody needs it


@pytest.mark.parametrize("fault", ["hang", (500, "text/html", b"<html>oops</html>")])
def test_alpaca_that_cannot_be_used_is_a_warning(tmp_path, server, alpaca, fault):
    alpaca.fault = fault
    probe_s = 0.5 if fault == "hang" else 10.0
    diagnosis = doctor.examine(with_key(online(tmp_path, server, probe_s=probe_s), alpaca))
    one = found(diagnosis, "sources", "alpaca")
    assert one.level is Level.WARN
    assert one.cure
    assert ("no answer within 0.5 s" if fault == "hang" else "500") in one.found


@pytest.mark.parametrize("as_json", [True, False])
def test_the_key_for_alpaca_is_never_told(tmp_path, server, alpaca, capsys, as_json):
    alpaca.fault = (403, "application/json", json.dumps({"message": f"{KEY_ID} and {SECRET}"}).encode())
    fill(tmp_path)
    (tmp_path / doctor.LOG_NAME).write_text(f"2024-07-11 10:00:00,000 ERROR MainThread a: {SECRET}\n")
    doctor.run(with_key(online(tmp_path, server), alpaca), as_json=as_json)
    out, err = capsys.readouterr()
    assert "alpaca" in out
    assert SECRET not in out + err
    assert KEY_ID not in out + err


# --- publishers -------------------------------------------------------------------------------------------------


@pytest.fixture
def publishers() -> Iterator[PublisherServer]:
    with PublisherServer() as one:
        one.pages = {f"{TREASURY}2024/": TREASURY_CSV}
        yield one


def asked(patient: Patient, server: PublisherServer) -> list[Finding]:
    clock = Hand(datetime(2024, 7, 11, 22, 30, tzinfo=UTC))

    def make(_store: Store, _clock: Clock) -> tuple[Publisher, ...]:
        return (
            Treasury(clock, nothing, http=server.http("treasury", clock)),
            FredCalendar(clock, lambda: None, http=server.http("fred calendar", clock)),
        )

    diagnosis = doctor.examine(replace(patient, publishers=make))
    (part,) = (part for part in diagnosis.sections if part.name == "publishers")
    return list(part.findings)


def test_a_publisher_that_refuses_says_which_dataset_and_what_to_do(tmp_path, server, publishers):
    refused, keyless = asked(online(tmp_path, server), publishers)  # last year's file is not there
    assert (refused.what, refused.level) == ("treasury last year", Level.WARN)
    assert refused.cure
    assert (keyless.what, keyless.level) == ("fred calendar", Level.OK)
    assert keyless.found.startswith("not asked (")


def test_a_publisher_that_answers_tells_how_new_its_newest_is(tmp_path, server, publishers):
    publishers.pages = good_pages()
    answered, _ = asked(online(tmp_path, server), publishers)
    assert (answered.what, answered.level) == ("treasury", Level.OK)
    assert answered.found.startswith("2 datasets, newest of 2024-07-11, after ")


def test_a_publisher_that_hangs_is_left_after_its_time(tmp_path, server, publishers):
    publishers.faults = {"": PublisherFault.HANG}
    late, _ = asked(online(tmp_path, server, probe_s=0.3), publishers)
    assert (late.what, late.found) == ("treasury", "no answer within 0.3 s")
    assert late.level is Level.WARN


def test_offline_asks_no_publisher(tmp_path):
    assert found(doctor.examine(offline(tmp_path)), "publishers", "all").found == "not asked (--offline)"


# --- the command ------------------------------------------------------------------------------------------------


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    keep = ("PATH", "SYSTEMROOT", "HOME", "TMPDIR", "TEMP")
    base = {name: os.environ[name] for name in keep if name in os.environ}
    return subprocess.run(
        [sys.executable, "-P", "-m", "desktop", "doctor", *arguments],
        env={**base, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_command_works_without_network_display_keyring_and_store(tmp_path):
    done = command("--json", "--offline", "--data-dir", str(tmp_path))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["usable"] is True
    assert told["problems"]
    assert told["sections"]["program"]["findings"]["child process"].startswith("starts")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_exits_with_1_and_says_what_to_do(tmp_path):
    folder = tmp_path / "dätä"
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(b"no store " * 1000)
    done = command("--offline", "--data-dir", str(folder), LANG="C", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "NOT USABLE" in done.stdout
    assert done.stderr.startswith("rotation-monitor: store, store: ")
    assert "Traceback" not in done.stderr
