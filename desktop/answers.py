"""Answers of slow statistics, kept in the store by what they rest on: a second start shows them at once.

The fingerprint names the inputs themselves (their bytes), the version of the method and that of the program. An
answer that was kept under another one, or cannot be read any more, is worked out again. Values are JSON that names
the classes they are made of: only those of the analytics are ever made from it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import numpy as np

from desktop.market.database import StoreClosedError, StoreError
from desktop.market.known import Unknown
from desktop.market.store import Store
from desktop.version import VERSION

log = logging.getLogger(__name__)
_ROOMS = ("desktop.analytics.", "desktop.market.known")
"""Where the classes of answers live."""


class UnreadableAnswerError(ValueError):
    """What was kept is no answer of this version; carries what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How an answer is kept: the version of its method, and what it rests on (asked on the worker's thread).

    `version` grows whenever the same inputs give another answer.
    """

    version: int
    inputs: Callable[[], tuple[object, ...]]


class Answers:
    """The answers kept in one store; one that cannot be read or written keeps nothing, and the log says so."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def fingerprint(self, name: str, kept: Kept) -> str:
        """Name the question: method, versions, and every input."""
        digest = hashlib.blake2b(digest_size=20)
        for part in (name, VERSION, kept.version, *kept.inputs()):
            if isinstance(part, np.ndarray):
                digest.update(f"{part.dtype}{part.shape}".encode())
                digest.update(np.ascontiguousarray(part).tobytes())
            else:
                digest.update(repr(part).encode())
            digest.update(b"\x1f")
        return digest.hexdigest()

    def find(self, name: str, fingerprint: str) -> object | None:
        """Return the answer kept under `fingerprint`; None without one that can be read."""
        try:
            found = self._store.answer(name, fingerprint)
            return None if found is None else decode(found)
        except (StoreError, UnreadableAnswerError) as error:
            log.info("%s is worked out again: %s", name, error)
            return None

    def keep(self, name: str, fingerprint: str, answer: object) -> None:
        """Keep an answer for the next start. A gap is not kept: its cause may be gone by then."""
        if isinstance(answer, Unknown):
            return
        try:
            self._store.put_answer(name, fingerprint, encode(answer), datetime.now(UTC))
        except StoreClosedError:
            log.info("%s came after the store was closed: the next start works it out", name)
        except (StoreError, TypeError) as error:
            log.warning("%s is not kept: %s", name, error)


def encode(answer: object) -> bytes:
    """Return an answer as JSON.

    Raises
    ------
    TypeError
        It holds something that is no part of an answer.
    """
    return json.dumps(_plain(answer), separators=(",", ":")).encode()


def decode(kept: bytes) -> object:
    """Return the answer that `encode` made `kept` of.

    Raises
    ------
    UnreadableAnswerError
        It is damaged, or its classes have other fields by now.
    """
    try:
        return _made(json.loads(kept))
    except (ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
        raise UnreadableAnswerError(f"{type(error).__name__}: {error}") from error


def _plain(value: object) -> Any:  # noqa: ANN401
    if isinstance(value, Enum):
        return {"enum": [_name(type(value)), value.value]}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray):
        raw = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array": [value.dtype.str, list(value.shape), raw]}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, tuple):
        return {"tuple": [_plain(one) for one in value]}
    if isinstance(value, Mapping):
        return {"map": [[_plain(key), _plain(one)] for key, one in value.items()]}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "class": _name(type(value)),
            "of": {one.name: _plain(getattr(value, one.name)) for one in fields(value)},
        }
    raise TypeError(f"{type(value).__qualname__} is no part of an answer")


def _made(plain: Any) -> Any:  # noqa: ANN401
    if not isinstance(plain, dict):
        return plain
    if "class" in plain:
        kind: Any = _class(plain["class"])
        parts = plain["of"]
        if not isinstance(kind, type) or {one.name for one in fields(kind)} != set(parts):
            raise TypeError(f"{plain['class']} has other fields now")
        return kind(**{name: _made(one) for name, one in parts.items()})
    ((kind_of, given),) = plain.items()
    match kind_of:
        case "enum":
            return _class(given[0])(given[1])
        case "array":
            dtype, shape, raw = given
            return np.frombuffer(base64.b64decode(raw, validate=True), np.dtype(dtype)).reshape(shape)
        case "moment":
            return datetime.fromisoformat(given)
        case "day":
            return date.fromisoformat(given)
        case "tuple":
            return tuple(_made(one) for one in given)
        case "map":
            return {_made(key): _made(one) for key, one in given}
    raise ValueError(f"{kind_of!r} is no kind of value")


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(name: str) -> Any:  # noqa: ANN401
    room, _, kind = name.partition(":")
    if not room.startswith(_ROOMS):
        raise ValueError(f"{name} is no class of an answer")
    return getattr(importlib.import_module(room), kind)
