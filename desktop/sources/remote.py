"""A source in a process of its own: what it imports and parses never holds up the window.

The life of a call:
1. the first one starts the child: this same program, by multiprocessing's "spawn" (so it works in a bundle too);
2. the call crosses the pipe with what the source has to know for it: the time, and stored closes;
3. meanwhile the child asks back for its request budget, which stays here: a new child does not begin a new one;
4. the answer crosses as the same immutable objects, or the same named `Failure`, and is validated once more here;
5. a child that does not answer in time, dies or talks nonsense is killed, the call fails by name, and the next
   call starts another.
A child whose parent is gone, killed or not, notices its closed pipe and ends at once. Where none can be started
the source works on a thread of this process, and its warning says so.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from logging.handlers import QueueHandler
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from typing_extensions import override

from desktop.market.clock import Clock, SystemClock
from desktop.market.quotes import Bars, Closes, Interval, Quote
from desktop.sources.contract import Failure, FailureKind, Source, Window
from desktop.sources.limits import HostBreaker, TokenBucket

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

LIMIT_S = 40.0
"""Wall seconds for one call, less than the feed gives a worker: the child is given up before the worker is."""
START_S = 30.0
"""Wall seconds until a child has to be ready."""
MOST_LOST = 3
"""So many children lost in a row, no answer between: then it is done without one."""
AGAIN = "nothing to do: it is started again with the next request"

log = logging.getLogger(__name__)

KnownClose: TypeAlias = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a source is made of, here or in the child."""

    clock: Clock
    known_close: KnownClose
    bucket: TokenBucket
    breaker: HostBreaker


Make: TypeAlias = Callable[[Parts], Source]
"""Makes the source; crosses by name, so it is a function of a module, or a `partial` of one."""


class ChildFailedError(RuntimeError):
    """The source raised what it should not have; the log has the trace."""


class _LostError(Exception):
    """The child is no longer of use: it died, or what it said cannot be read."""


class _LateError(Exception):
    """The child did not answer in time."""


# --- what crosses -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    arguments: tuple[Any, ...]
    now: datetime
    closes: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class _Asks:
    """The child wants to know something that is kept here; the reply is sent as it is."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Answer:
    value: Any
    warning: str = ""
    raised: str = ""


_READY = "ready"


# --- here -------------------------------------------------------------------------------------------------------


class Remote:
    """Keeps the contract of a source on behalf of one that works in a child process.

    Blocks; one call at a time, others wait for it. `close` may be called from any thread and ends one under way.

    Parameters
    ----------
    name
        Name of the source, for the failures that are found here.
    make
        Makes the source in the child.
    clock, known_close, bucket, breaker
        As the source takes them; they stay in this process.
    limit_s
        Wall seconds for one call, the start of a child not counted.
    """

    def __init__(
        self,
        name: str,
        make: Make,
        clock: Clock,
        *,
        known_close: KnownClose = lambda _symbol: None,
        bucket: TokenBucket | None = None,
        breaker: HostBreaker | None = None,
        limit_s: float = LIMIT_S,
    ) -> None:
        self.name = name
        self._make, self._limit_s = make, limit_s
        self._own = Parts(clock, known_close, bucket or TokenBucket(), breaker or HostBreaker())
        self._one_call = threading.Lock()
        self._closed = threading.Event()
        self._pipe: Connection | None = None
        self._child: BaseProcess | None = None
        self._lost = self._requests = 0
        self._inside = False
        self._warning = ""
        self._here: Source | None = None
        self._why_here = ""

    @property
    def requests(self) -> int:
        """Requests sent so far, by all children together."""
        return self._requests + getattr(self._here, "requests", 0)

    @property
    def budget_per_h(self) -> int:
        """Most requests an hour."""
        return self._own.bucket.per_hour

    @property
    def warning(self) -> str:
        """What is wrong though it answers; "" where nothing is."""
        if self._here is None:
            return self._warning
        warning: str = getattr(self._here, "warning", "")
        return f"{self._why_here}; {warning}" if warning else self._why_here

    @property
    def child_id(self) -> int | None:
        """The child's process id, None while there is none."""
        child = self._child
        return None if child is None else child.pid

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        """As the source's."""
        asked = tuple(symbols)
        found = self._call("quotes", (asked,), "", {one: self._own.known_close(one) for one in asked})
        if isinstance(found, Failure):
            return {symbol: replace(found, symbol=symbol) for symbol in asked}
        return {symbol: _checked(one) for symbol, one in found.items()}

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        """As the source's."""
        answer: Bars | Failure = _checked(self._call("bars", (symbol, interval, window), symbol))
        return answer

    def adjusted_closes(self, symbol: str, window: Window) -> Closes | Failure:
        """As the source's."""
        answer: Closes | Failure = _checked(self._call("adjusted_closes", (symbol, window), symbol))
        return answer

    def close(self) -> None:
        """End the child, and with it what it does."""
        self._closed.set()
        child, close = self._child, getattr(self._here, "close", None)
        if child is not None:
            with suppress(ValueError):  # somebody else has just ended it
                child.kill()
        if self._one_call.acquire(blocking=False):  # else the call under way tidies up
            self._give_up()
            self._one_call.release()
        if close is not None:
            close()

    # One call

    def _call(
        self,
        method: str,
        arguments: tuple[Any, ...],
        symbol: str,
        closes: Mapping[str, float | None] = MappingProxyType({}),
    ) -> Any:  # noqa: ANN401 - whatever the method returns
        with self._one_call:
            if self._closed.is_set():
                return self._failure(symbol, "the source is closed")
            if self._here is None:
                self._start()
            if self._here is not None:
                return getattr(self._here, method)(*arguments)
            try:
                answer = self._ask(_Call(method, arguments, self._own.clock.now(), dict(closes)))
            except _LateError:
                self._give_up()
                return self._failure(symbol, f"no answer within {self._limit_s:g} s: its process was ended")
            except (_LostError, EOFError, OSError) as error:
                code = self._give_up()
                if self._closed.is_set():
                    return self._failure(symbol, "the source is closed")
                self._lost += 1
                log.warning("%s: its process ended in the middle (exit code %s): %r", self.name, code, error)
                return self._failure(symbol, f"its process ended in the middle (exit code {code})")
            self._lost = 0
            if answer.raised:
                raise ChildFailedError(answer.raised)
            self._warning = answer.warning
            return answer.value

    def _ask(self, call: _Call) -> _Answer:
        if self._pipe is None:
            raise _LostError("closed while it was started")
        until_s = time.monotonic() + self._limit_s
        self._pipe.send(call)
        while True:
            match self._receive(until_s):
                case _Answer() as answer:
                    return answer
                case _Asks(name, arguments):
                    self._pipe.send(self._reply(name, arguments))
                case logging.LogRecord() as record:
                    logger = logging.getLogger(record.name)
                    if logger.isEnabledFor(record.levelno):
                        logger.handle(record)
                case strange:
                    raise _LostError(f"it said {strange!r:.80}")

    def _receive(self, until_s: float) -> Any:  # noqa: ANN401 - whatever came
        assert self._pipe is not None
        if not self._pipe.poll(max(until_s - time.monotonic(), 0.0)):
            raise _LateError
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            raise
        except Exception as error:  # unpickling raises whatever it likes
            raise _LostError(f"what it said cannot be read ({type(error).__name__}: {error})") from error

    def _reply(self, name: str, arguments: Mapping[str, Any]) -> float | None:
        """Ask budget and breaker; they are told the time of this process."""
        bucket, breaker, now_s = self._own.bucket, self._own.breaker, time.monotonic()
        match name:
            case "reserve":
                self._requests += 1
                return bucket.reserve(now_s)
            case "enter":
                away_s = breaker.enter(now_s)
                self._inside = away_s == 0
                return away_s
            case "retry_after_s":
                return breaker.retry_after_s(now_s)
            case "settle":
                self._inside = False
                breaker.settle(now_s, **arguments)
                return None
        raise _LostError(f"it asked for {name!r:.80}")

    def _failure(self, symbol: str, message: str) -> Failure:
        """Of the kind that is asked again soon, whatever it was."""
        now = self._own.clock.now()
        return Failure(FailureKind.TIMEOUT, self.name, symbol, message, now, advice=AGAIN)

    # The child

    def _start(self) -> None:
        """Have a child that is ready, or the source here."""
        if self._child is not None and self._child.is_alive():
            return
        self._give_up()
        why = f"its process ended {self._lost} times in a row" if self._lost >= MOST_LOST else self._try_to_start()
        if why and not self._closed.is_set():
            log.warning("%s: no process of its own: %s", self.name, why)
            self._why_here = f"works inside the program, which may stutter: {why}"
            self._here = self._make(self._own)

    def _try_to_start(self) -> str:
        """Start a child; returns why there is none, "" when there is."""
        from multiprocessing import get_context

        spawn = get_context("spawn")
        try:
            self._pipe, theirs = spawn.Pipe()
            with theirs:  # closed here once the child has it, or its end would not be noticed
                level = logging.getLogger().getEffectiveLevel()
                name, arguments = f"source-{self.name}", (theirs, self._make, level)
                child = spawn.Process(target=_serve, args=arguments, name=name, daemon=True)
                child.start()
            self._child = child
            if self._closed.is_set():
                child.kill()
            ready = self._receive(time.monotonic() + START_S)
        except _LateError:
            why = f"it was not ready within {START_S:g} s"
        except (_LostError, EOFError, OSError, ValueError, RuntimeError) as error:
            why = f"it cannot be started ({type(error).__name__}: {error})"
        else:
            if ready == _READY:
                return ""
            why = f"it said {ready!r:.80}"
        self._give_up()
        return why

    def _give_up(self) -> int | None:
        """Kill the child, if there is one; returns its exit code."""
        if self._inside:  # the breaker still waits to hear how its call ended
            self._inside = False
            self._own.breaker.settle(time.monotonic(), limited=None)
        child, pipe = self._child, self._pipe
        self._child = self._pipe = None
        if pipe is not None:
            pipe.close()
        if child is None or child.pid is None:
            return None
        child.kill()
        child.join(5.0)
        code = child.exitcode
        if code is not None:
            child.close()
        return code


def trouble() -> str:
    """Start a child and let it answer; returns why there can be none, "" where it works. Takes about a second."""
    probe = Remote("probe", _Nothing, SystemClock())
    try:
        probe.quotes(())
    finally:
        probe.close()
    return probe.warning


class _Nothing:
    """A source of nothing."""

    name = "probe"

    def __init__(self, _parts: Parts) -> None:
        pass

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote | Failure]:
        del symbols
        return {}

    def bars(self, symbol: str, interval: Interval, window: Window) -> Bars | Failure:
        del interval, window
        return Failure(FailureKind.NOT_FOUND, self.name, symbol, "a probe has no bars", datetime.now(UTC))


def _checked(answer: Any) -> Any:  # noqa: ANN401 - the same as went in
    """Validate anew, and freeze the arrays: neither crosses."""
    return replace(answer) if isinstance(answer, Quote | Bars | Closes) else answer


# --- in the child -----------------------------------------------------------------------------------------------


def _serve(pipe: Connection, make: Make, log_level: int) -> None:
    """Answer calls until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent, which then closes the pipe
    parent = _Parent(pipe)
    root = logging.getLogger()
    root.addHandler(_LogToParent(parent))
    root.setLevel(log_level)
    source = make(Parts(parent, parent.known_close, _FarBucket(parent), _FarBreaker(parent)))
    threading.Thread(target=parent.listen, name="parent", daemon=True).start()
    parent.send(_READY)
    while True:
        call = parent.next_call()
        try:
            value = getattr(source, call.method)(*call.arguments)
        except Exception as error:  # the child's outermost frame: told, and on with the next
            log.exception("%s failed", call.method)
            parent.send(_Answer(None, raised=f"{type(error).__name__}: {error}"))
        else:
            parent.send(_Answer(value, getattr(source, "warning", "")))


class _Parent:
    """The parent as the child sees it; also the child's clock."""

    speed = 1.0

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._sending = threading.Lock()
        self._asking = threading.Lock()
        self._now, self._at_s = datetime.now(UTC), time.monotonic()
        self._closes: Mapping[str, float | None] = {}

    def listen(self) -> None:
        """Take what the parent says; once it is gone there is nothing to do, whatever is still under way."""
        try:
            while True:
                self._said.put(self._pipe.recv())
        except (EOFError, OSError):
            os._exit(0)

    def send(self, what: object) -> None:
        with self._sending:
            try:
                self._pipe.send(what)
            except OSError:
                os._exit(0)

    def next_call(self) -> _Call:
        call: _Call = self._said.get()
        self._now, self._at_s, self._closes = call.now, time.monotonic(), call.closes
        return call

    def ask(self, name: str, **arguments: Any) -> Any:  # noqa: ANN401 - what the parent replies
        with self._asking:
            self.send(_Asks(name, arguments))
            return self._said.get()

    def now(self) -> datetime:
        return self._now + timedelta(seconds=time.monotonic() - self._at_s)

    def known_close(self, symbol: str) -> float | None:
        return self._closes.get(symbol)


class _FarBucket(TokenBucket):
    """The parent's budget."""

    def __init__(self, parent: _Parent) -> None:
        super().__init__()
        self._parent = parent

    @override
    def reserve(self, now_s: float) -> float:
        wait_s: float = self._parent.ask("reserve")
        return wait_s


class _FarBreaker(HostBreaker):
    """The parent's breaker."""

    def __init__(self, parent: _Parent) -> None:
        super().__init__()
        self._parent = parent

    @override
    def retry_after_s(self, now_s: float) -> float:
        left_s: float = self._parent.ask("retry_after_s")
        return left_s

    @override
    def enter(self, now_s: float) -> float:
        away_s: float = self._parent.ask("enter")
        return away_s

    @override
    def settle(self, now_s: float, *, limited: bool | None) -> None:
        self._parent.ask("settle", limited=limited)


class _LogToParent(QueueHandler):
    """Sends what is logged to the parent, whose log leaves secrets out."""

    def __init__(self, parent: _Parent) -> None:
        super().__init__(queue.SimpleQueue())
        self._parent = parent

    @override
    def enqueue(self, record: logging.LogRecord) -> None:
        self._parent.send(record)
