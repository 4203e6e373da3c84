"""Named set-ups of the sizer: every field as it stands, typed or left to the market, kept in the book."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from desktop import settings
from desktop.book import Book
from desktop.market.known import UserError
from desktop.settings import SettingError, Settings, spec_of

_PREFIX = "sizer."
_NAMES: Mapping[str, str] = {
    spec_of(one.name).key: one.name for one in fields(Settings) if spec_of(one.name).key.startswith(_PREFIX)
}
"""Fields of the settings that a set-up holds, by key."""
LONGEST = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SetupError(UserError):
    """A set-up that cannot be kept or found; carries its name."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"set-up {name!r}: {why}")
        self.name, self.why = name, why


def fields_of(chosen: Settings) -> dict[str, str]:
    """What a set-up holds of `chosen`, by key, each exactly as typed."""
    return {key: getattr(chosen, name) for key, name in _NAMES.items()}


class Setups:
    """The set-ups in one book; safe in any thread."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._held: tuple[object, tuple[str, ...]] | None = None
        self._last = ""
        self._matched: tuple[Settings, tuple[str, ...], str] | None = None

    def names(self) -> tuple[str, ...]:
        """All names in alphabetical order, read anew only where the book has changed."""
        version = self._book.version
        if self._held is None or self._held[0] != version:
            rows = self._book.rows("SELECT name FROM setups ORDER BY name COLLATE NOCASE")
            self._held = version, tuple(name for (name,) in rows)
        return self._held[1]

    def matching(self, chosen: Settings) -> str:
        """Name of the set-up whose fields these very ones are, "" where there is none."""
        held = self._matched
        names = self.names()
        if held is None or held[0] is not chosen or held[1] is not names:
            found = ""
            if names:
                document = _document(chosen)
                rows = self._book.rows("SELECT name FROM setups WHERE fields = ? ORDER BY name", (document,))
                found = rows[0][0] if rows else ""
            self._matched = held = chosen, names, found
        return held[2]

    def current(self, chosen: Settings) -> tuple[str, bool]:
        """Name of the set-up in use, "" for none, and whether its fields were changed since."""
        found = self.matching(chosen)
        if found:
            self._last = found
            return found, False
        if self._last in self.names():
            return self._last, True
        return "", False

    def save(self, name: str, chosen: Settings, now: datetime) -> str:
        """Keep the sizer's fields of `chosen` under `name`, in place of what was there; returns the name, tidied.

        Raises
        ------
        SetupError
            For a name that cannot be one.
        """
        name = _tidy(name)
        with self._book.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO setups VALUES (?, ?, ?)", (name, _microseconds(now), _document(chosen))
            )
        self._last = name
        return name

    def load(self, name: str, onto: Settings) -> tuple[Settings, tuple[str, ...]]:
        """Return `onto` with the set-up's fields, and a line for each that this program cannot take.

        A field the set-up does not know, because it was saved by an older program, has its default.

        Raises
        ------
        SetupError
            Where there is no such set-up, or what is kept of it cannot be read.
        """
        rows = self._book.rows("SELECT fields FROM setups WHERE name = ?", (name,))
        if not rows:
            raise SetupError(name, "is not there any more: another window may have deleted it")
        try:
            kept = json.loads(rows[0][0])
        except json.JSONDecodeError as error:
            raise SetupError(name, f"cannot be read ({error}): save it anew or delete it") from error
        if not isinstance(kept, dict):
            raise SetupError(name, "cannot be read (it holds no fields): save it anew or delete it")
        defaults = Settings()
        chosen, problems = replace(onto, **{one: getattr(defaults, one) for one in _NAMES.values()}), []
        for key, value in kept.items():
            if key not in _NAMES:
                problems.append(f"set-up {name!r}: {key} is not known here and was left out")
                continue
            try:
                chosen = settings.changed(chosen, _NAMES[key], value)
            except SettingError as error:
                problems.append(f"set-up {name!r}: {error}; the default is used")
        self._last = name
        return chosen, tuple(problems)

    def rename(self, name: str, new: str) -> str:
        """Give a set-up another name; returns it, tidied.

        Raises
        ------
        SetupError
            Where there is no such set-up, or the new name is taken or cannot be one.
        """
        new = _tidy(new)
        if new == name:
            return new
        with self._book.writing() as db:
            if db.execute("SELECT 1 FROM setups WHERE name = ?", (new,)).fetchone():
                raise SetupError(new, "is there already: choose another name, or delete that one first")
            if not db.execute("UPDATE setups SET name = ? WHERE name = ?", (new, name)).rowcount:
                raise SetupError(name, "is not there any more: another window may have deleted it")
        self._last = new if self._last == name else self._last
        return new

    def delete(self, name: str) -> None:
        """Forget a set-up; one that is gone already is no error."""
        with self._book.writing() as db:
            db.execute("DELETE FROM setups WHERE name = ?", (name,))


def check(row: Mapping[str, object]) -> None:
    """Refuse a row from elsewhere that is no set-up; fields of a later program may be in it.

    Raises
    ------
    SetupError
        For a name that cannot be one, fields that cannot be read, or a value that a field cannot take.
    """
    name = row.get("name")
    if not isinstance(name, str) or _tidy(name) != name:
        raise SetupError(str(name), "has a name that cannot be one")
    try:
        kept = json.loads(str(row.get("fields")))
        if not isinstance(kept, dict):
            raise SetupError(name, "holds no fields")
        for key, value in kept.items():
            if key in _NAMES:
                settings.changed(Settings(), _NAMES[key], value)
    except (json.JSONDecodeError, SettingError) as error:
        raise SetupError(name, str(error)) from error


def _document(chosen: Settings) -> str:
    return json.dumps(fields_of(chosen), ensure_ascii=False)


def _tidy(name: str) -> str:
    tidy = " ".join(name.split())
    if not tidy:
        raise SetupError(name, "has no name: type one")
    if len(tidy) > LONGEST:
        raise SetupError(tidy, f"is {len(tidy)} characters long: at most {LONGEST} fit into the menu")
    return tidy


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
