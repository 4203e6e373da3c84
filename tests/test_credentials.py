"""Keys in the keyring: kept, read again, deleted; and every way in which a keyring lets one down."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import InitError, KeyringLocked, PasswordDeleteError, PasswordSetError

from desktop.credentials import SERVICE, Credentials, Kept, Key, KeyRefusedError, checked
from desktop.market.known import Unknown

VALUE = "s3cr3tW0rdThatNobodyMaySee0123456789abcd"
ROOT = Path(__file__).parents[1]


class Ring(KeyringBackend):
    """A keyring in memory that fails as told."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None
        self.gate: threading.Event | None = None
        self.threads: set[str] = set()

    def _enter(self) -> None:
        self.threads.add(threading.current_thread().name)
        if self.gate is not None:
            self.gate.wait(20)
        if self.error is not None:
            raise self.error

    def get_password(self, service: str, username: str) -> str | None:
        self._enter()
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._enter()
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._enter()
        del self.held[service, username]


def made(ring: KeyringBackend, limit_s: float = 5.0) -> Credentials:
    return Credentials(limit_s, lambda: ring)


def test_nothing_is_known_and_nothing_asked_until_it_is_read():
    keys = Credentials(backend=lambda: pytest.fail("the keyring was asked"))
    assert keys.get(Key.FRED) == Unknown("the keyring is not read yet")
    assert keys.state(Key.FRED).kept is Kept.NOT_READ


def test_a_key_is_kept_and_found_by_the_next_run():
    ring = Ring()
    assert made(ring).set(Key.FRED, f"  {VALUE}\n").words == "in the system's keyring"
    assert ring.held == {(SERVICE, "fred"): VALUE}
    later = made(ring)
    later.load()
    assert later.get(Key.FRED) == VALUE
    assert later.state(Key.FRED).kept is Kept.KEYRING
    assert later.get(Key.ALPACA_ID) == Unknown("no key")
    assert later.secrets == {VALUE}
    assert later.delete(Key.FRED).words == "no key"
    assert ring.held == {}
    assert later.get(Key.FRED) == Unknown("no key")
    assert later.secrets == frozenset()


def test_the_keyring_works_on_a_thread_of_its_own():
    ring = Ring()
    keys = made(ring)
    keys.load()
    keys.set(Key.FRED, VALUE)
    keys.delete(Key.FRED)
    assert ring.threads == {"keyring"}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (InitError("Failed to unlock the collection!"), "the keyring is locked: unlock it, then try again"),
        (KeyringLocked("locked"), "the keyring is locked: unlock it, then try again"),
        (PasswordSetError(VALUE), "the keyring failed (PasswordSetError)"),
        (OSError(f"cannot store {VALUE}"), "the keyring failed (OSError)"),
    ],
)
def test_a_keyring_that_fails_leaves_the_key_for_this_run_and_says_why(error, why):
    ring = Ring()
    ring.error = error
    keys = made(ring)
    keys.load()
    assert keys.state(Key.FRED).words == f"not read yet: {why}"
    assert keys.get(Key.FRED) == Unknown(f"no key: {why}")
    assert keys.set(Key.FRED, VALUE).words == f"for this run only: {why}"
    assert keys.get(Key.FRED) == VALUE
    described = keys.describe()
    assert (described.present, described.why) == ((), why)
    assert VALUE not in f"{described!r}{keys!r}{keys.state(Key.FRED)!r}"


def test_what_was_locked_is_read_once_it_is_open():
    ring = Ring()
    ring.held[SERVICE, "fred"] = VALUE
    ring.error = KeyringLocked()
    keys = made(ring)
    keys.load()
    ring.error = None
    keys.load()
    assert keys.get(Key.FRED) == VALUE


def test_no_back_end_is_said_and_the_key_lasts_for_this_run():
    keys = made(fail.Keyring())  # type: ignore[no-untyped-call]
    keys.load()
    assert keys.state(Key.FRED).words == "no key: no keyring back end on this system"
    assert keys.get(Key.FRED) == Unknown("no key")
    assert keys.set(Key.FRED, VALUE).words == "for this run only: no keyring back end on this system"
    assert keys.get(Key.FRED) == VALUE
    assert keys.delete(Key.FRED).kept is Kept.NOWHERE
    assert keys.get(Key.FRED) == Unknown("no key")


def test_a_back_end_that_keeps_nothing_is_found_out():
    keys = made(null.Keyring())  # type: ignore[no-untyped-call]
    assert keys.set(Key.FRED, VALUE).words == "for this run only: the keyring did not keep it"


def test_a_library_that_is_broken_is_no_end():
    def broken() -> KeyringBackend:
        raise ImportError("jeepney")

    keys = Credentials(backend=broken)
    assert keys.set(Key.FRED, VALUE).words == "for this run only: the keyring failed (ImportError)"


def test_a_prompt_that_nobody_answers_costs_the_limit_and_counts_when_answered():
    ring = Ring()
    ring.held[SERVICE, "fred"] = VALUE
    ring.gate = threading.Event()
    keys = made(ring, limit_s=0.1)
    since_s = time.monotonic()
    keys.load()
    assert time.monotonic() - since_s < 1.0
    assert "its prompt may be waiting for you" in keys.state(Key.FRED).words
    assert keys.set(Key.ALPACA_ID, "PKTEST7Q2XW9ZL4M8VBN").words == (
        "for this run only: the keyring still waits for an answer to its prompt"
    )
    ring.gate.set()
    until_s = time.monotonic() + 5
    while keys.get(Key.FRED) != VALUE and time.monotonic() < until_s:
        time.sleep(0.01)
    assert keys.get(Key.FRED) == VALUE
    assert keys.get(Key.ALPACA_ID) == "PKTEST7Q2XW9ZL4M8VBN"  # what was entered meanwhile stays


def test_a_key_that_cannot_be_deleted_is_not_used_and_said_to_be_there():
    ring = Ring()
    keys = made(ring)
    keys.set(Key.FRED, VALUE)
    ring.error = PasswordDeleteError(VALUE)
    assert keys.delete(Key.FRED).words == (
        "in the system's keyring: not deleted there: the keyring failed (PasswordDeleteError)"
    )
    assert keys.get(Key.FRED) == Unknown("no key")


def test_deleting_what_is_not_there_is_no_trouble():
    assert made(Ring()).delete(Key.FRED).words == "no key"


@pytest.mark.parametrize(
    "text", ["", "  \n", "two words", "key\r\nX-Header: 1", "schlüssel", "a\x00bcdef", "abc", "x" * 501]
)
def test_what_can_be_no_key_is_refused_without_quoting_it(text):
    keys = made(Ring())
    keys.set(Key.FRED, VALUE)
    with pytest.raises(KeyRefusedError) as refused:
        keys.set(Key.FRED, text)
    assert not text.strip() or text not in str(refused.value)
    assert keys.get(Key.FRED) == VALUE


def test_a_byte_order_mark_and_blanks_around_are_dropped():
    assert checked("\ufeff" + VALUE + " \t\r\n") == VALUE


def test_the_description_names_back_end_and_keys_alone():
    ring = Ring()
    keys = made(ring)
    keys.set(Key.ALPACA_SECRET, VALUE)
    described = keys.describe()
    assert described.present == (Key.ALPACA_SECRET,)
    assert described.backend.endswith("(tests.test_credentials)")
    assert VALUE not in repr(described)


# --- the real Secret Service ------------------------------------------------------------------------------------

SESSION = """
import json, sys, threading
from desktop.credentials import Credentials, Key
step, value = sys.argv[1], sys.stdin.read()
keys = Credentials(float(sys.argv[2]))
if step == "lock":
    import secretstorage
    connection = secretstorage.dbus_init()
    secretstorage.get_default_collection(connection).lock()
    connection.close()
    sys.exit()
keys.load()
read = keys.get(Key.FRED)
told = {"read": read == value, "state": keys.state(Key.FRED).words}
if step == "set":
    told["set"] = keys.set(Key.FRED, value).words
    told["again"] = keys.set(Key.FRED, value).words
if step == "delete":
    told["delete"] = keys.delete(Key.FRED).words
described = keys.describe()
told["backend"], told["present"], told["why"] = described.backend, list(described.present), described.why
print(json.dumps(told))
"""
RECIPE = """
set -e
printf 'pw\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null
for step in {steps}; do "$PYTHON" -c "$SESSION" $step {limit_s} < "$VALUE_FILE"; done
"""


def in_secret_service(folder: Path, *steps: str, limit_s: float = 20.0) -> list[dict[str, object]]:
    """Run each step in a process of its own, all beside one real Secret Service with a home of its own."""
    for tool in ("dbus-run-session", "gnome-keyring-daemon"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (packages dbus and gnome-keyring)")
    home, runtime = folder / "home", folder / "run"
    home.mkdir()
    runtime.mkdir(mode=0o700)
    secret = folder / "value"
    secret.write_text(VALUE, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL")}
    done = subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", RECIPE.format(steps=" ".join(steps), limit_s=limit_s)],
        env={
            **kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "XDG_DATA_HOME": str(home / "data"),
            "PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "SESSION": SESSION, "VALUE_FILE": str(secret),
        },
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    secret.unlink()
    left = [path for path in folder.rglob("*") if path.is_file() and VALUE.encode() in path.read_bytes()]
    assert left == []  # the keyring's own file is encrypted
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.keyring
@pytest.mark.slow
def test_a_round_trip_through_the_real_secret_service(tmp_path):
    first, second, third, last = in_secret_service(tmp_path, "set", "read", "delete", "read")
    assert first["state"] == "no key"
    assert (first["set"], first["again"]) == ("in the system's keyring", "in the system's keyring")
    assert "SecretService" in str(first["backend"])
    assert (second["read"], second["state"], second["present"]) == (True, "in the system's keyring", ["fred"])
    assert (third["read"], third["delete"], third["present"]) == (True, "no key", [])
    assert (last["read"], last["state"]) == (False, "no key")


@pytest.mark.keyring
@pytest.mark.slow
def test_a_locked_secret_service_is_told_within_the_limit(tmp_path):
    first, locked = in_secret_service(tmp_path, "set", "lock", "set", limit_s=3.0)
    assert first["set"] == "in the system's keyring"
    assert locked["read"] is False
    told = ("the keyring is locked", "the keyring did not answer", "the keyring still waits")
    assert str(locked["state"]).removeprefix("not read yet: ").startswith(told)
    assert str(locked["set"]).removeprefix("for this run only: ").startswith(told)
