"""Is there a newer version: asked of a server on loopback, at most once a day, told and never fetched."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop import updates
from desktop.updates import BadAnswerError, Newer
from desktop.version import VERSION

DAY_ONE = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
PAGE = "https://example.org/rotation-monitor"


@dataclass
class Host:
    """Answers every request with `body`; remembers what it was asked."""

    body: str = ""
    status: int = 200
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def tells(self, version: str, page: str = PAGE) -> None:
        self.body = json.dumps({"version": version, "page": page})


@pytest.fixture
def host() -> Iterator[Host]:
    told = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            self.send_response(told.status)
            self.end_headers()
            self.wfile.write(told.body.encode())

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    told.address = f"http://127.0.0.1:{server.server_port}/latest.json"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


class Hand:
    speed = 1.0

    def __init__(self) -> None:
        self.time = DAY_ONE

    def now(self) -> datetime:
        return self.time


def test_newer_version_is_told_with_its_page(tmp_path, host):
    host.tells("99.0.0")
    found = updates.check(tmp_path, host.address, Hand())
    assert found == Newer("99.0.0", PAGE)
    assert found.line == f"Rotation Monitor 99.0.0 is out (this is {VERSION}): {PAGE}"
    assert host.asked == ["/latest.json"]  # and nothing was fetched from the page


@pytest.mark.parametrize("version", [VERSION, "0.0.9"])
def test_same_or_older_version_is_not_told(tmp_path, host, version):
    host.tells(version)
    assert updates.check(tmp_path, host.address, Hand()) is None
    assert updates.known(tmp_path) is None
    assert len(host.asked) == 1


def test_host_is_asked_once_a_day_across_restarts(tmp_path, host):
    host.tells("99.0.0")
    clock = Hand()
    assert updates.check(tmp_path, host.address, clock) is not None
    clock.time += timedelta(hours=23, minutes=59)
    assert updates.check(tmp_path, host.address, clock) is None
    assert len(host.asked) == 1
    clock.time += timedelta(minutes=1)
    assert updates.check(tmp_path, host.address, clock) is not None
    assert len(host.asked) == 2


def test_answer_that_failed_counts_as_the_one_of_the_day(tmp_path, host):
    host.status = 500
    clock = Hand()
    assert updates.check(tmp_path, host.address, clock) is None
    assert updates.check(tmp_path, host.address, clock) is None
    assert len(host.asked) == 1


def test_clock_that_was_wrong_once_does_not_silence_the_notice_for_years(tmp_path, host):
    host.tells("99.0.0")
    clock = Hand()
    clock.time = DAY_ONE.replace(year=2037)
    updates.check(tmp_path, host.address, clock)
    clock.time = DAY_ONE
    assert updates.check(tmp_path, host.address, clock) is not None


def test_no_address_asks_nobody_and_keeps_nothing(tmp_path):
    assert updates.check(tmp_path, "", Hand()) is None
    assert list(tmp_path.iterdir()) == []


def test_other_address_is_asked_the_same_day(tmp_path, host):
    host.tells("99.0.0")
    clock = Hand()
    updates.check(tmp_path, host.address, clock)
    assert updates.check(tmp_path, host.address + "?beta", clock) is not None


def test_what_was_found_is_known_without_asking_until_it_is_installed(tmp_path, host, monkeypatch):
    host.tells("99.0.0")
    updates.check(tmp_path, host.address, Hand())
    assert updates.known(tmp_path) == Newer("99.0.0", PAGE)
    monkeypatch.setattr(updates.is_newer, "__defaults__", ("99.0.0",))
    assert updates.known(tmp_path) is None


def test_host_that_does_not_answer_is_no_news(tmp_path, caplog):
    assert updates.check(tmp_path, "http://127.0.0.1:9/latest.json", Hand()) is None
    assert "updates" in caplog.text


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("sign in", "no JSON"),
        ("[]", "no version"),
        ('{"version": 2}', "no version"),
        ('{"version": "1.2; rm -rf /"}', "no version"),
        ('{"version": "1.2", "page": "http://example.org"}', "no https address"),
        ('{"version": "1.2", "page": "file:///page.html"}', "no https address"),
        ('{"version": "1.2", "page": 7}', "no https address"),
    ],
)
def test_answer_that_is_something_else_is_refused_by_name(tmp_path, host, caplog, body, why):
    with pytest.raises(BadAnswerError, match=why):
        updates.read(body)
    host.body = body
    assert updates.check(tmp_path, host.address, Hand()) is None
    assert why in caplog.text
    assert updates.known(tmp_path) is None


@pytest.mark.parametrize(("later", "earlier"), [("0.10.0", "0.9.1"), ("1", "0.99"), ("1.0.0.1", "1.0")])
def test_versions_are_compared_as_numbers(later, earlier):
    assert updates.is_newer(later, earlier)
    assert not updates.is_newer(earlier, later)


@given(
    st.lists(st.integers(0, 999), min_size=1, max_size=4), st.lists(st.integers(0, 999), min_size=1, max_size=4)
)
def test_of_two_versions_at_most_one_is_newer(a, b):
    one, two = (".".join(map(str, part)) for part in (a, b))
    padded = [part + [0] * (4 - len(part)) for part in (a, b)]
    assert updates.is_newer(one, two) == (padded[0] > padded[1])


def test_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path, host):
    (tmp_path / "file").write_text("")
    host.tells("99.0.0")
    assert updates.check(tmp_path / "file" / "folder", host.address, Hand()) is not None
