"""The change log: which verdicts turned and which kill levels were crossed, kept until the user has looked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from desktop.market.store import Store
from desktop.presenters.thesis import amount, kill_level
from desktop.presenters.words import plain
from desktop.settings import Settings
from desktop.thesis import Claim, Verdict


class ChangeLog:
    """Follows the claims of one store, live only: what was known earlier is no news."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._states = store.claim_states()
        self.unseen = tuple(store.unseen_changes())
        """What changed since the user last looked, newest first."""

    def follow(self, judged: Sequence[Claim], settings: Settings, at: datetime) -> None:
        """Note what differs from before; a claim that is unknown for now has not changed."""
        states, told = {}, []
        for claim in judged:
            if claim.verdict is Verdict.UNKNOWN:
                continue
            level, _ = kill_level(settings, claim.id)
            killed = claim.killed(level)
            state = f"{claim.verdict.value} {'given up' if killed else 'held'}"
            before = self._states.get(claim.id)
            if state == before:
                continue
            states[claim.id] = state
            if before is not None:
                told += _words(claim, before, killed=killed, level=level)
        if states:
            self._states |= states
            self._store.note_changes(states, told, at)
            if told:
                self.unseen = tuple(self._store.unseen_changes())

    def see(self) -> None:
        """The user has looked."""
        self._store.see_changes()
        self.unseen = ()


def _words(claim: Claim, before: str, *, killed: bool, level: float | None) -> list[str]:
    verdict, _, held = before.partition(" ")
    told = []
    if verdict != claim.verdict.value:
        told.append(f"{claim.claim}: {verdict} → {claim.verdict.value} ({claim.words})")
    if killed and held == "held" and level is not None and isinstance(claim.value, float):
        side, digits = claim.measure.kills.value, claim.measure.digits
        told.append(
            f"{claim.claim}: given up, {amount(claim.value, claim.measure)} is {side} {plain(level, digits)}"
        )
    if not killed and held == "given up":
        told.append(f"{claim.claim}: back from beyond its kill level")
    return told
