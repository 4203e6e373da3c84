"""A source in its own process: the real child, the real client in it, killed, hung and babbling."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.market.clock import SystemClock
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.market.sessions import NYSE
from desktop.market.store import Store
from desktop.sources import remote
from desktop.sources.contract import Failure, FailureKind, Window
from desktop.sources.feed import Feed, FeedState, Plan
from desktop.sources.limits import HostBreaker, TokenBucket
from desktop.sources.remote import ChildFailedError, Make, Remote
from desktop.sources.yahoo import NAME, Yahoo
from tests.sources import makers
from tests.sources.makers import babbles, broken, loopback, odd, plenty
from tests.sources.yahoo_server import Chart, Fault, YahooServer, daily_row, quote_row

PATIENCE_S = 30.0
LONG_AGO = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 7, 11, tzinfo=UTC))
DAYS = [str(day) for day in NYSE.days(date(2024, 6, 3), date(2024, 6, 28))]


@pytest.fixture
def server() -> Iterator[YahooServer]:
    with YahooServer() as one:
        for symbol, price in (("^RUT", 2100.0), ("^NDX", 20300.0)):
            one.quotes[symbol] = quote_row(symbol, price, int(time.time()) - 5)
            rows = [daily_row(day, price + number) for number, day in enumerate(DAYS)]
            one.charts[symbol] = Chart(rows, price=price + len(DAYS) - 1)
        yield one


@pytest.fixture
def far() -> Iterator[Callable[..., Remote]]:
    made: list[Remote] = []

    def make(maker: Make, **more: Any) -> Remote:
        more.setdefault("bucket", plenty())
        made.append(Remote("odd" if maker in (odd, broken) else NAME, maker, SystemClock(), **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def yahoo(far: Callable[..., Remote], server: YahooServer, tmp_path: Path) -> Callable[..., Remote]:
    def make(limit_s: float = 25.0, **more: Any) -> Remote:
        return far(partial(loopback, folder=tmp_path / "yf", port=server.port, limit_s=limit_s), **more)

    return make


def gone(process_id: int) -> bool:
    """Whether a process has ended, tidied up or not."""
    with suppress(OSError):
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def until(condition: Callable[[], object]) -> None:
    limit_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < limit_s
        threading.Event().wait(0.01)


def kill(source: Remote) -> None:
    child = source.child_id
    assert child is not None
    os.kill(child, signal.SIGKILL)
    until(lambda: source._child is not None and not source._child.is_alive())  # its last thread too


# --- a child that works -----------------------------------------------------------------------------------------


def test_what_the_child_answers_is_what_the_source_itself_answers(yahoo, server, tmp_path):
    there: Remote = yahoo()
    here = Yahoo(tmp_path / "here", SystemClock(), session_factory=server.session, bucket=plenty())
    for symbol, one in here.quotes(["^RUT", "^NDX", "^XYZ"]).items():
        other = there.quotes(["^RUT", "^NDX", "^XYZ"])[symbol]
        assert type(one) is type(other)
        if isinstance(one, Quote):
            assert isinstance(other, Quote)
            assert (one.price, one.event_time, one.source) == (other.price, other.event_time, other.source)
        else:
            assert isinstance(other, Failure)
            assert (one.kind, one.message, one.cure) == (other.kind, other.message, other.cure)
    ours, theirs = (one.bars("^RUT", Interval.DAY, LONG_AGO) for one in (here, there))
    assert isinstance(ours, Bars)
    assert isinstance(theirs, Bars)
    assert len(theirs) == len(DAYS)
    for name in ("start_s", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
        with pytest.raises(ValueError, match="read-only"):
            getattr(theirs, name)[0] = 0  # what was handed over never changes
    closes = there.adjusted_closes("^RUT", LONG_AGO)
    assert isinstance(closes, Closes)
    assert closes.symbol == "^RUT:adj"
    here.close()


def test_nothing_heavy_is_imported_by_the_process_that_asks(server, tmp_path):
    """And the child is not started before the first request."""
    script = f"""
import sys
from functools import partial
from pathlib import Path
from desktop.market.clock import SystemClock
from desktop.sources.remote import Remote
from desktop.sources.yahoo import made_of
if __name__ == "__main__":
    source = Remote("yahoo", partial(made_of, cache_folder=Path({str(tmp_path)!r})), SystemClock())
    assert source.child_id is None
    answer = source.quotes(("^RUT",))["^RUT"]
    assert source.child_id is not None
    source.close()
    heavy = [one for one in ("pandas", "yfinance", "curl_cffi", "PySide6") if one in sys.modules]
    print(answer.kind.value, heavy)
"""
    path = tmp_path / "asks.py"
    path.write_text(script)
    proxy = {"HTTPS_PROXY": f"http://127.0.0.1:{server.port}", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, str(path)], env=os.environ | proxy, capture_output=True, text=True, timeout=60, check=True
    )
    # The server is no proxy: that the child asked it at all shows that it has the environment of its parent.
    assert done.stdout.split(" ", 1) == ["offline", "[]\n"], done.stderr


def test_requests_are_counted_and_budgeted_here_across_children(yahoo, server):
    bucket = TokenBucket(rate_per_s=1.0, burst=5)
    source = yahoo(bucket=bucket)
    assert source.budget_per_h == 3600
    for _ in range(2):
        source.quotes(["^RUT"])
    asked = source.requests
    assert asked == server.count()
    kill(source)
    since = time.monotonic()
    source.quotes(["^RUT"])  # by another child: cookie and crumb once more
    source.quotes(["^RUT"])
    assert source.requests == server.count() > asked
    assert server.count() <= 5 + (time.monotonic() - since) + 4  # the burst was used up by the first child


def test_a_429_is_remembered_though_the_child_that_heard_it_is_gone(yahoo, server):
    source = yahoo(breaker=HostBreaker(jitter=lambda: 0.5))
    server.faults["/v7/"] = Fault.RATE_LIMITED
    first = source.quotes(["^RUT"])["^RUT"]
    assert isinstance(first, Failure)
    assert first.kind is FailureKind.RATE_LIMITED
    assert first.retry_after_s == pytest.approx(300, abs=1)
    asked = server.count()
    kill(source)
    second = source.quotes(["^RUT"])["^RUT"]
    assert isinstance(second, Failure)
    assert second.kind is FailureKind.RATE_LIMITED
    assert second.retry_after_s == pytest.approx(295, abs=5)
    assert server.count() == asked


def test_known_closes_and_the_time_are_those_of_this_side(far):
    source = far(odd, known_close={"^RUT": 2051.76}.get)
    now = datetime.now(UTC)
    quote = source.quotes(["^RUT"])["^RUT"]
    assert isinstance(quote, Quote)
    assert quote.price == 2051.76
    assert abs(quote.arrival_time - now) < timedelta(seconds=20)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.UNAUTHORIZED, FailureKind.AUTH),
        (Fault.NOT_FOUND, FailureKind.NOT_FOUND),
        (Fault.SERVER_ERROR, FailureKind.BAD_PAYLOAD),
        (Fault.HTML, FailureKind.BAD_PAYLOAD),
        (Fault.EMPTY, FailureKind.BAD_PAYLOAD),
        (Fault.DROPPED, FailureKind.OFFLINE),
        (Fault.HANG, FailureKind.TIMEOUT),
    ],
)
def test_faults_cross_as_the_same_named_failures_and_leave_the_child_alive(yahoo, server, fault, kind):
    source = yahoo(limit_s=1.0)
    source.quotes(["^RUT"])
    child = source.child_id
    server.faults["/finance/"] = fault
    failure = source.quotes(["^RUT", "^NDX"])["^NDX"]
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.source) == (kind, NAME)
    server.faults.clear()
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Quote)
    assert source.child_id == child


def test_what_the_child_logs_is_in_the_log_here(yahoo, server, caplog):
    server.faults["/v7/"] = Fault.SERVER_ERROR
    yahoo().quotes(["^RUT"])
    assert [one.name for one in caplog.records if "one chart a symbol" in one.message] == ["desktop.sources.yahoo"]


# --- a child that does not --------------------------------------------------------------------------------------


def test_a_child_that_hangs_is_killed_at_its_deadline_and_another_goes_on(far):
    source = far(odd, limit_s=1.0)
    source.quotes(["^RUT"])
    hung = source.child_id
    since = time.monotonic()
    failure = source.quotes(["hang", "^RUT"])["^RUT"]
    assert time.monotonic() - since < 10
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.message) == (
        FailureKind.TIMEOUT,
        "no answer within 1 s: its process was ended",
    )
    assert "started again" in failure.cure
    assert gone(hung)
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Quote)
    assert source.child_id != hung


def test_a_child_that_dies_is_told_with_its_exit_code_and_another_goes_on(far, caplog):
    source = far(odd)
    failure = source.quotes(["die"])["die"]
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.message) == (
        FailureKind.TIMEOUT,
        "its process ended in the middle (exit code 7)",
    )
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Quote)
    assert "exit code 7" in caplog.text


def test_a_child_that_died_between_two_calls_costs_no_answer(far):
    source = far(odd)
    source.quotes(["^RUT"])
    kill(source)
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Quote)


def test_a_child_that_writes_garbage_is_ended(far, monkeypatch):
    source = far(odd)
    with monkeypatch.context() as during:
        during.setattr(remote, "_serve", babbles)
        failure = source.quotes(["^RUT"])["^RUT"]
        assert isinstance(failure, Failure)
        assert failure.kind is FailureKind.TIMEOUT
        assert source.child_id is None
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Quote)


def test_a_surprise_in_the_source_is_raised_here_and_the_child_lives_on(far, caplog):
    source = far(odd)
    with pytest.raises(ChildFailedError, match="KeyError: 'surprise'"):
        source.quotes(["raise"])
    assert "surprise" in caplog.text  # with its trace
    child = source.child_id
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Quote)
    assert source.child_id == child


class Forgiving(HostBreaker):
    """Its pauses are over at once; then one call may probe, and all others wait for its outcome."""

    PAUSES_S = (0.0, 0.0, 0.0)


def test_a_probe_whose_child_was_killed_does_not_shut_out_everybody_after_it(yahoo, server, caplog):
    source, answers = yahoo(breaker=Forgiving()), []
    server.faults["/v7/"] = Fault.RATE_LIMITED
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Failure)
    server.faults["/v7/"] = Fault.HANG
    asked = server.count("/v7/")
    caller = threading.Thread(target=lambda: answers.append(source.quotes(["^RUT"])["^RUT"]))
    caller.start()
    assert server.wait_for("/v7/", asked + 1)
    os.kill(source.child_id, signal.SIGKILL)
    caller.join(PATIENCE_S)
    assert [one.kind for one in answers] == [FailureKind.TIMEOUT]
    server.faults.clear()
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Quote)


def test_close_ends_a_call_under_way_at_once_and_leaves_no_process(far):
    source = far(odd)
    source.quotes(["^RUT"])
    child, answers = source.child_id, []
    caller = threading.Thread(target=lambda: answers.append(source.quotes(["hang"])["hang"]))
    caller.start()
    until(source._one_call.locked)
    since = time.monotonic()
    source.close()
    caller.join(PATIENCE_S)
    assert time.monotonic() - since < 5
    assert [one.message for one in answers] == ["the source is closed"]
    assert gone(child)
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Failure)
    assert source.child_id is None


# --- no child at all --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["refused", "not ready"])
def test_where_no_child_can_be_started_the_source_works_here_and_says_so(yahoo, server, monkeypatch, caplog, why):
    if why == "refused":

        def refuse(*_args: object, **_more: object) -> None:
            raise PermissionError(13, "processes are not allowed here")

        monkeypatch.setattr("multiprocessing.context.SpawnProcess._Popen", staticmethod(refuse))
    else:
        monkeypatch.setattr(remote, "_serve", makers.silent)
        monkeypatch.setattr(remote, "START_S", 0.5)
    source = yahoo()
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Quote)
    assert source.child_id is None
    assert "works inside the program" in source.warning
    assert ("not allowed" if why == "refused" else "not ready within 0.5 s") in source.warning
    assert source.requests == server.count()
    assert "no process of its own" in caplog.text


def test_a_probe_tells_whether_a_child_can_be_started(monkeypatch, caplog):
    assert remote.trouble() == ""
    monkeypatch.setattr(remote, "_serve", makers.silent)
    monkeypatch.setattr(remote, "START_S", 0.5)
    assert "not ready within 0.5 s" in remote.trouble()
    assert caplog.records


def test_a_source_that_cannot_even_be_made_fails_by_name(far):
    with pytest.raises(OSError, match="a library is missing"):
        far(broken).quotes(["^RUT"])


def test_children_that_die_three_times_in_a_row_are_given_up(far, caplog):
    source = far(odd)
    for _ in range(3):
        assert isinstance(source.quotes(["die"])["die"], Failure)
    assert isinstance(source.quotes(["^RUT"])["^RUT"], Quote)
    assert source.child_id is None
    assert "ended 3 times in a row" in source.warning
    assert caplog.records


# --- in the feed ------------------------------------------------------------------------------------------------


class Bench:
    """A feed on real time with a child behind it."""

    def __init__(self, source: Remote, plan: Plan) -> None:
        self.store = Store(None)
        self.feed = Feed(self.store, (source,), SystemClock(), lambda: None, plan)

    def __enter__(self) -> Bench:
        self.feed.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.feed.stop()
        self.store.close()

    def rows(self) -> tuple[int, ...]:
        return tuple(len(self.store.closes(one)) for one in ("^RUT", "^NDX"))


def test_history_is_resumed_after_its_child_was_killed_in_the_middle(yahoo, server, caplog):
    """No row is lost, none is asked for twice but the one that was cut off, the state is told."""
    source = yahoo()
    server.faults["/chart/%5ENDX"] = server.faults["/chart/^NDX"] = Fault.HANG
    plan = Plan(live=("^RUT", "^NDX"), minute=(), daily=("^RUT", "^NDX"), adjusted=(), open_s=0.3, closed_s=0.3)
    with Bench(source, plan) as bench:
        until(lambda: bench.rows() == (len(DAYS), 0) and server.count("NDX?") == 1)
        os.kill(source.child_id, signal.SIGKILL)
        until(lambda: (told := bench.feed.states()[0].last_error) is not None and "exit code" in told.message)
        assert bench.rows() == (len(DAYS), 0)
        server.faults.clear()
        server.released.set()
        until(lambda: bench.rows() == (len(DAYS), len(DAYS)))
        until(lambda: bench.feed.states()[0].state in (FeedState.LIVE, FeedState.CLOSED, FeedState.GAP))
        until(lambda: bench.feed.progress is None)
        assert (server.count("RUT?"), server.count("NDX?")) == (1, 2)
        assert source.warning == ""
    assert "ended in the middle" in caplog.text


def test_stopping_the_feed_ends_the_child_though_its_host_hangs(yahoo, server):
    server.faults["/finance/"] = Fault.HANG
    source = yahoo()
    plan = Plan(live=("^RUT",), minute=(), daily=(), adjusted=())
    with Bench(source, plan):
        assert server.wait_for("/finance/", timeout_s=PATIENCE_S)
        child, since = source.child_id, time.monotonic()
    assert time.monotonic() - since < 5
    until(lambda: gone(child))


# --- its parent -------------------------------------------------------------------------------------------------


PARENT = """
import sys
from desktop.market.clock import SystemClock
from desktop.sources.remote import Remote
from tests.sources.makers import odd
if __name__ == "__main__":
    source = Remote("odd", odd, SystemClock())
    source.quotes(["^RUT"])
    print(source.child_id, flush=True)
    {then}
"""


@pytest.mark.parametrize("then", ["source.quotes(['hang'])", "sys.stdin.read()"])
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see other processes")
def test_the_child_of_a_parent_that_was_killed_ends_by_itself(tmp_path, then):
    path = tmp_path / "parent.py"
    path.write_text(PARENT.format(then=then))
    parent = subprocess.Popen(
        [sys.executable, str(path)],
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    child = int(parent.stdout.readline())
    assert not gone(child)
    parent.kill()
    parent.wait(PATIENCE_S)
    until(lambda: gone(child))
    parent.stdin.close()
    parent.stdout.close()


def test_a_parent_that_ends_as_usual_takes_its_child_with_it(tmp_path):
    path = tmp_path / "parent.py"
    path.write_text(PARENT.format(then="pass"))
    done = subprocess.run(
        [sys.executable, str(path)],
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert gone(int(done.stdout))
    assert done.stderr == ""
