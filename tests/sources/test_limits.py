from __future__ import annotations

import pytest

from desktop.sources.limits import HostBreaker, TokenBucket


def test_three_requests_go_at_once_then_one_a_second():
    bucket = TokenBucket(rate_per_s=1.0, burst=3)
    assert [bucket.reserve(100.0) for _ in range(5)] == [0.0, 0.0, 0.0, 1.0, 2.0]
    assert bucket.reserve(102.0) == pytest.approx(1.0)  # two were promised for 101 and 102, the next is 103


def test_a_long_silence_saves_up_no_more_than_the_burst():
    bucket = TokenBucket(rate_per_s=1.0, burst=3)
    bucket.reserve(0.0)
    assert [bucket.reserve(1e6) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]


def test_pauses_grow_from_five_to_fifteen_to_sixty_minutes_and_stay_there():
    breaker = HostBreaker(jitter=lambda: 0.5)  # the middle of the spread
    now_s = 1000.0
    for pause_s in (300.0, 900.0, 3600.0, 3600.0):
        assert breaker.enter(now_s) == 0.0
        breaker.settle(now_s, limited=True)
        assert breaker.retry_after_s(now_s) == pytest.approx(pause_s)
        assert breaker.enter(now_s + pause_s - 10) == pytest.approx(10.0)
        now_s += pause_s


def test_jitter_spreads_the_pause_by_ten_percent_each_way():
    pauses = []
    for jitter in (lambda: 0.0, lambda: 1.0):
        breaker = HostBreaker(jitter=jitter)
        breaker.enter(0.0)
        breaker.settle(0.0, limited=True)
        pauses.append(breaker.retry_after_s(0.0))
    assert pauses == pytest.approx([270.0, 330.0])


def test_after_the_pause_one_caller_probes_and_a_good_answer_closes_the_breaker():
    breaker = HostBreaker(jitter=lambda: 0.5)
    breaker.enter(0.0)
    breaker.settle(0.0, limited=True)
    assert breaker.enter(300.0) == 0.0
    assert breaker.enter(300.0) > 0.0  # someone else is probing
    breaker.settle(301.0, limited=False)
    assert [breaker.enter(301.0), breaker.enter(301.0)] == [0.0, 0.0]
    breaker.settle(301.0, limited=True)
    assert breaker.retry_after_s(301.0) == pytest.approx(300.0)  # starts from the shortest pause again


def test_a_probe_that_learns_nothing_lets_the_next_one_through():
    breaker = HostBreaker(jitter=lambda: 0.5)
    breaker.enter(0.0)
    breaker.settle(0.0, limited=True)
    assert breaker.enter(300.0) == 0.0
    breaker.settle(310.0, limited=None)  # the network was down
    assert breaker.enter(310.0) == 0.0
