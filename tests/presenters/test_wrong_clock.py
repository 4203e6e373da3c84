"""A computer whose clock is wrong: ages of prices would lie, so the window says by how much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from desktop.market.clock import SystemClock
from desktop.presenters.status import present_status
from desktop.sources.http import Answer, Http
from widgets.states import Tone


@pytest.fixture
def host():
    """A server whose clock is where the test puts it: `off` from this computer's."""

    class Handler(BaseHTTPRequestHandler):
        off = timedelta(0)

        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", format_datetime(datetime.now(UTC) + self.off, usegmt=True))
            self.end_headers()
            self.wfile.write(b"data")

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield Handler, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("off_s", [0, 840, -3600])
def test_answer_of_a_server_tells_how_far_the_clock_is_off(host, off_s):
    handler, address = host
    handler.off = timedelta(seconds=off_s)
    clock = SystemClock()
    assert clock.ahead_s is None
    http = Http("test", clock)
    assert isinstance(http.get(address, "data"), Answer)
    http.close()
    assert clock.ahead_s == pytest.approx(-off_s, abs=3)


@pytest.mark.parametrize("said", [None, "", "yesterday", "Thu, 99 Foo 2024 12:00:00 GMT"])
def test_server_that_tells_no_time_changes_nothing(said):
    clock = SystemClock()
    clock.hear(said)
    assert clock.ahead_s is None


@pytest.mark.parametrize(
    ("ahead_s", "said"),
    [
        (-840.0, "This computer's clock is 14 min slow: ages are wrong"),
        (3600.0, "This computer's clock is 1 h fast: ages are wrong"),
        (45.0, "This computer's clock is 45 s fast: ages are wrong"),
    ],
)
def test_wrong_clock_is_told_as_long_as_it_is_wrong(closed, ahead_s, said):
    message = present_status(closed, None, clock_ahead_s=ahead_s).message
    assert message is not None
    assert (message.text, message.tone) == (said, Tone.BAD)
    assert "set its clock" in message.why


@pytest.mark.parametrize("ahead_s", [None, 0.0, -29.0, 30.0])
def test_right_clock_is_not_spoken_of(closed, ahead_s):
    assert present_status(closed, None, clock_ahead_s=ahead_s).message is None
