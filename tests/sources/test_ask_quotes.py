"""Quotes asked for at a moment: one batch, at once, and nothing beside it."""

from __future__ import annotations

from datetime import UTC, datetime

from desktop.market.store import Store
from desktop.sources.feed import Feed, Plan
from tests.sources.test_feed import Hand, Script

MORNING = datetime(2024, 7, 11, 12, 30, tzinfo=UTC)


def test_one_batch_is_asked_for_though_its_round_is_not_due():
    clock = Hand(MORNING)
    source = Script(clock)
    plan = Plan(live=("RTY=F", "NQ=F"), minute=(), daily=(), adjusted=(), open_s=3600.0)
    with Store(None) as store:
        feed = Feed(store, (source,), clock, lambda: None, plan)
        feed.start()
        try:
            assert source.wait("quotes")
            feed.ask_quotes()
            assert source.wait("quotes", times=2)
            assert [what for what, _ in source.calls] == ["quotes", "quotes"]
            assert not feed.refreshing
        finally:
            feed.stop()


def test_a_paused_source_is_left_alone():
    clock = Hand(MORNING)
    source = Script(clock)
    plan = Plan(live=("RTY=F",), minute=(), daily=(), adjusted=(), open_s=3600.0)
    with Store(None) as store:
        feed = Feed(store, (source,), clock, lambda: None, plan)
        feed.pause(source.name, paused=True)
        feed.start()
        try:
            feed.ask_quotes()
            feed.pause(source.name, paused=False)
            assert source.wait("quotes")
            assert len(source.calls) == 1
        finally:
            feed.stop()
