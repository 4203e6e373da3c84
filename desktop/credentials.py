"""Keys of vendors: in the operating system's keyring and nowhere else.

What is read or entered is held in memory for this run. Where the keyring cannot keep a key it stays there alone,
and its state says so. A call to the keyring may wait for a prompt that somebody has to answer, so each runs on a
thread of its own and is left behind after a limit; an answer that comes later still counts.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from desktop.market.known import Unknown, UserError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "Rotation Monitor"
"""What the entries are called in the keyring."""
LIMIT_S = 10.0
NO_KEY = "no key"
NOT_READ = "the keyring is not read yet"
_ONE_WORD = re.compile(r"[!-~]{4,500}")
_T = TypeVar("_T")


class Key(StrEnum):
    """What is kept, by its name in the keyring."""

    FRED = "fred"
    ALPACA_ID = "alpaca-key-id"
    ALPACA_SECRET = "alpaca-secret"


class Kept(StrEnum):
    """Where a key is kept."""

    NOT_READ = "not read yet"
    NOWHERE = "no key"
    RUN = "for this run only"
    KEYRING = "in the system's keyring"


@dataclass(frozen=True, slots=True)
class KeyState:
    """Where a key is kept, and what went wrong with the keyring, "" when nothing did."""

    kept: Kept
    why: str = ""

    @property
    def words(self) -> str:
        """Both in one line."""
        return f"{self.kept.value}: {self.why}" if self.why else self.kept.value


@dataclass(frozen=True, slots=True)
class Described:
    """The keyring for `doctor`: its back end, which keys it holds, and what went wrong, "" when nothing did."""

    backend: str
    present: tuple[Key, ...]
    why: str = ""


class KeyRefusedError(UserError):
    """What was entered cannot be a key; says why, never what."""


class KeyringTroubleError(UserError):
    """The keyring could not do what was asked; says why in plain words, never a value."""


class NoBackEndError(KeyringTroubleError):
    """The system has no keyring."""


class Credentials:
    """The keys of this run. What asks the keyring blocks up to `limit_s`: not for a window's thread.

    Parameters
    ----------
    limit_s
        Wall seconds that one call to the keyring may take.
    backend
        Returns the keyring; the default imports the library and takes what the system offers.
    """

    def __init__(self, limit_s: float = LIMIT_S, backend: Callable[[], KeyringBackend] | None = None) -> None:
        self._limit_s, self._backend = limit_s, backend or _of_the_system
        self._lock = threading.Lock()
        self._values: dict[Key, str] = {}
        self._states: dict[Key, KeyState] = dict.fromkeys(Key, KeyState(Kept.NOT_READ))
        self._one_call = threading.Lock()
        self._waiting: threading.Thread | None = None

    # What is known: never blocks

    def get(self, key: Key) -> str | Unknown:
        """Return a key, or why there is none."""
        with self._lock:
            if key in self._values:
                return self._values[key]
            state = self._states[key]
        if state.kept is Kept.NOT_READ:
            return Unknown(f"{NO_KEY}: {state.why}" if state.why else NOT_READ)
        return Unknown(NO_KEY)

    def state(self, key: Key) -> KeyState:
        """Tell where a key is kept."""
        with self._lock:
            return self._states[key]

    @property
    def secrets(self) -> frozenset[str]:
        """All values, to be taken out of what is told."""
        with self._lock:
            return frozenset(self._values.values())

    # What asks the keyring

    def begin(self) -> None:
        """Read the keyring on a thread of its own: once the window is painted, not before."""
        threading.Thread(target=self.load, name="keyring-load", daemon=True).start()

    def load(self) -> None:
        """Read every key that was not read yet."""
        with self._lock:
            wanted = [key for key, one in self._states.items() if one.kept is Kept.NOT_READ]
        if not wanted:
            return
        try:
            self._ask(lambda ring: self._take(_read(ring, wanted)))
        except KeyringTroubleError as trouble:
            kept = Kept.NOWHERE if isinstance(trouble, NoBackEndError) else Kept.NOT_READ
            with self._lock:
                for key in wanted:
                    if self._states[key].kept is Kept.NOT_READ:
                        self._states[key] = KeyState(kept, str(trouble))

    def set(self, key: Key, value: str) -> KeyState:
        """Take over a key and keep it, in the keyring where that works.

        Raises
        ------
        KeyRefusedError
            Where `value` cannot be a key; the one before stays.
        """
        value = checked(value)
        with self._lock:
            self._values[key], self._states[key] = value, KeyState(Kept.RUN)
        try:
            kept = self._ask(lambda ring: _write(ring, key, value))
            state = KeyState(Kept.KEYRING) if kept else KeyState(Kept.RUN, "the keyring did not keep it")
        except KeyringTroubleError as trouble:
            state = KeyState(Kept.RUN, str(trouble))
        return self._settle(key, state)

    def delete(self, key: Key) -> KeyState:
        """Forget a key, and take it out of the keyring."""
        with self._lock:
            self._values.pop(key, None)
            before = self._states[key]
        if before.kept is Kept.NOWHERE:
            return before
        try:
            self._ask(lambda ring: _remove(ring, key))
        except KeyringTroubleError as trouble:
            if before.kept is Kept.KEYRING:
                return self._settle(key, KeyState(Kept.KEYRING, f"not deleted there: {trouble}"))
        return self._settle(key, KeyState(Kept.NOWHERE))

    def describe(self) -> Described:
        """Tell the back end and which keys it holds."""
        name = ""

        def look(ring: KeyringBackend) -> tuple[Key, ...]:
            nonlocal name
            name = f"{ring.name} ({type(ring).__module__})"
            return tuple(_read(ring, Key))

        try:
            present = self._ask(look)
        except KeyringTroubleError as trouble:
            return Described(name, (), str(trouble))
        return Described(name, present)

    def _settle(self, key: Key, state: KeyState) -> KeyState:
        with self._lock:
            self._states[key] = state
        return state

    def _take(self, found: Mapping[Key, str]) -> None:
        """Take over what was read; what was entered meanwhile stays."""
        with self._lock:
            for key, state in self._states.items():
                if state.kept is Kept.NOT_READ:
                    held = key in found
                    self._states[key] = KeyState(Kept.KEYRING if held else Kept.NOWHERE)
                    if held:
                        self._values[key] = found[key]

    def _ask(self, work: Callable[[KeyringBackend], _T]) -> _T:
        """Let the keyring work; raises KeyringTroubleError."""
        answers: list[_T | KeyringTroubleError] = []

        def run() -> None:
            try:
                answers.append(work(self._backend()))
            except Exception as error:  # noqa: BLE001  (back ends raise what their libraries do)
                answers.append(_trouble(error))

        with self._one_call:
            if self._waiting is not None and self._waiting.is_alive():
                raise KeyringTroubleError("the keyring still waits for an answer to its prompt")
            self._waiting = threading.Thread(target=run, name="keyring", daemon=True)
            self._waiting.start()
            self._waiting.join(self._limit_s)
        if not answers:
            raise KeyringTroubleError(
                f"the keyring did not answer within {self._limit_s:g} s: its prompt may be waiting for you"
            )
        if isinstance(answers[0], KeyringTroubleError):
            raise answers[0]
        return answers[0]


def checked(value: str) -> str:
    """Return what was entered without blanks around it.

    Raises
    ------
    KeyRefusedError
        Where it cannot be a key.
    """
    value = value.strip().strip("\ufeff")
    if not value:
        raise KeyRefusedError("nothing was entered")
    if _ONE_WORD.fullmatch(value) is None:
        raise KeyRefusedError("this is no key: a key is one word of plain letters, digits and signs")
    return value


def _of_the_system() -> KeyringBackend:
    import keyring

    return keyring.get_keyring()


def _read(ring: KeyringBackend, keys: Iterable[Key]) -> dict[Key, str]:
    found = {key: ring.get_password(SERVICE, key.value) for key in keys}
    return {key: value for key, value in found.items() if value}


def _write(ring: KeyringBackend, key: Key, value: str) -> bool:
    ring.set_password(SERVICE, key.value, value)
    return ring.get_password(SERVICE, key.value) == value  # some back ends keep nothing and do not say so


def _remove(ring: KeyringBackend, key: Key) -> None:
    if ring.get_password(SERVICE, key.value) is not None:
        ring.delete_password(SERVICE, key.value)


def _trouble(error: Exception) -> KeyringTroubleError:
    """Name what a back end raised; its own text is left out: it may quote what it was given."""
    from keyring import errors

    if isinstance(error, errors.NoKeyringError):
        return NoBackEndError("no keyring back end on this system")
    if isinstance(error, errors.InitError | errors.KeyringLocked):
        return KeyringTroubleError("the keyring is locked: unlock it, then try again")
    return KeyringTroubleError(f"the keyring failed ({type(error).__name__})")
